"""What is done to each of those who are compared, and the figures that this gives."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import cpu_seconds, tree

HERE = Path(__file__).parent
MIB = 1 << 20
GIB = 1 << 30

# Nothing here takes that long, unless it hangs.
LONGEST_TRANSFER_SECONDS = 300


@dataclass
class Target:
    """Somebody who brings the app's files to a client: where, and by which processes."""

    name: str
    url: str
    host: str
    pids: list
    upload_url: str = ""
    upload_host: str = ""

    def cpu_seconds(self):
        return sum(cpu_seconds(each) for pid in self.pids for each in tree(pid))


@dataclass
class Load:
    """How much of it, in one round."""

    file_bytes: int
    many_seconds: float
    one_seconds: float


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def curl(host, url, *options):
    """MiB/s that curl counted."""
    key = "speed_upload" if "-T" in options else "speed_download"
    out = run(
        "curl", "--silent", "--show-error", "--fail", "--max-time", str(LONGEST_TRANSFER_SECONDS), "-o", "/dev/null",
        "-H", f"Host: {host}", "-H", "Expect:", "-w", f"%{{{key}}}", *options, url,
    )  # fmt: skip
    return float(out) / MIB


def download(target, name):
    return curl(target.host, f"{target.url}/{name}")


def upload(target, file):
    options = ["-H", "Content-Type: application/octet-stream", "-X", "POST", "-T", file]
    return curl(target.upload_host, target.upload_url, *options)


def wrk(target, connections, seconds):
    """Requests of 1 KiB over connections that are kept, each sent when the last one is answered."""
    out = run(
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "latency.lua"),
        "-H", f"Host: {target.host}", f"{target.url}/small",
    )  # fmt: skip
    result = json.loads(out.splitlines()[-1])
    if result["errors"] or not result["requests"]:
        raise RuntimeError(f"{target.name}: {result['errors']} errors in {result['requests']} requests: {out}")
    return result


def sample(target, load, folder):
    """One round of one target."""
    figures = {}
    before = target.cpu_seconds()
    figures["download"] = download(target, "large")
    figures["cpu_gib"] = (target.cpu_seconds() - before) * GIB / load.file_bytes

    before = target.cpu_seconds()
    many = wrk(target, 32, load.many_seconds)
    figures["cpu_request"] = (target.cpu_seconds() - before) * 1e6 / many["requests"]
    figures["requests"] = many["requests"] * 1e6 / many["duration"]
    figures["p99"] = many["p99"] / 1000
    figures["p50"] = wrk(target, 1, load.one_seconds)["p50"] / 1000

    if target.upload_url:
        figures["upload"] = upload(target, f"{folder}/files/large")
    return figures
