"""What is done to each of those who are compared, and the figures that this gives."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import cpu_seconds, tree

HERE = Path(__file__).parent
MIB = 1 << 20
GIB = 1 << 30

# Nothing here takes that long, unless it hangs.
LONGEST_TRANSFER_SECONDS = 300

# Bytes a second of the body that shares the stream with small requests.
BODY_RATE = 100_000_000


@dataclass
class Target:
    """Somebody who brings the app's files to a client: where, and by which processes."""

    name: str
    url: str
    host: str
    pids: list
    upload_url: str = ""
    upload_host: str = ""

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def cpu_seconds(self):
        return sum(cpu_seconds(each) for pid in self.pids for each in tree(pid))


@dataclass
class Load:
    """How much of it, in one round."""

    file_bytes: int
    many_seconds: float
    one_seconds: float
    beside_seconds: float


def targets(file):
    """Those that scripts/bench has started, by their names."""
    each = [Target(**json.loads(line)) for line in Path(file).read_text().splitlines()]
    return {target.name: target for target in each}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def tell(measure):
    """Prints what measure() gives as JSON, or why it could not."""
    try:
        print(json.dumps(measure()))
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as error:
        sys.exit(f"bench: {error}")


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


def downloads(target, path, size, count):
    """MiB/s of a file fetched again and again over one connection, without what curl does between."""
    out = run(
        "curl", "--silent", "--show-error", "--fail", "--max-time", str(LONGEST_TRANSFER_SECONDS), "-o", "/dev/null",
        "-H", f"Host: {target.host}", "-w", "%{time_total} %{size_download}\n", f"{target.url}/{path}?[1-{count}]",
    )  # fmt: skip
    seconds, sizes = zip(*(map(float, line.split()) for line in out.splitlines()))
    if len(sizes) != count or set(sizes) != {size}:
        raise RuntimeError(f"{target.name}: {path} came with other sizes than {size}: {set(sizes)}")
    return size * count / MIB / sum(seconds)


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


@contextmanager
def body(target, rates):
    """A large body on its way at BODY_RATE meanwhile; then appends the bytes a second that its reader got.

    Its length is not known beforehand, so that no node sends it beside the stream.
    """
    command = [sys.executable, str(HERE / "reader.py"), str(target.port), target.host, "/unknown/huge", str(BODY_RATE)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if reader.stdout.readline() != "flows\n":
            raise RuntimeError(f"{target.name}: {reader.stderr.read().strip()}")
        yield
    finally:
        reader.terminate()
        rate, error = reader.communicate()
    if reader.returncode != 0:
        raise RuntimeError(f"{target.name}: {error.strip()}")
    rates.append(float(rate))


def bulk(target, load, folder):
    """A large download, and its CPU time."""
    before = target.cpu_seconds()
    rate = download(target, "large")
    return {"download": rate, "cpu_gib": (target.cpu_seconds() - before) * GIB / load.file_bytes}


def many(target, load, folder):
    """Small requests, 32 at a time."""
    before = target.cpu_seconds()
    result = wrk(target, 32, load.many_seconds)
    return {
        "cpu_request": (target.cpu_seconds() - before) * 1e6 / result["requests"],
        "requests": result["requests"] * 1e6 / result["duration"],
        "p99": result["p99"] / 1000,
    }


def one(target, load, folder):
    """Small requests, one at a time."""
    return {"p50": wrk(target, 1, load.one_seconds)["p50"] / 1000}


def beside(target, load, folder):
    """The same while a large body passes: their ms, and the body's MB/s. Tunnels are not compared in this, nor in uploads."""
    if not target.upload_url:
        return {}
    rates = []
    with body(target, rates):
        small = wrk(target, 1, load.beside_seconds)
    return {"p99_beside": small["p99"] / 1000, "p50_beside": small["p50"] / 1000, "rate_beside": rates[0] / 1e6}


def uploads(target, load, folder):
    return {"upload": upload(target, f"{folder}/files/large")} if target.upload_url else {}


def sample(peers, load, folder):
    """One round: what is done, to each target in turn, so that those who are compared have the machine as it is at that time."""
    figures = {name: {} for name in peers}
    for measure in (bulk, many, one, beside, uploads):
        for name, target in peers.items():
            figures[name] |= measure(target, load, folder)
    return figures
