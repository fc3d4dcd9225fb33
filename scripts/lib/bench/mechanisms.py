"""Throughput of bodies by their size and by how they go, as JSON.

    mechanisms.py FOLDER MECHANISM…     FOLDER: targets, files/{16KiB,64KiB,1MiB,8MiB,256MiB}

The node of a target by such a name prefers that; where there is none, it is left out.
"""

import sys
from dataclasses import dataclass

from load import GIB, MIB, Target, downloads, say, targets, tell
from processes import tree, written

ROUNDS = 5

SIZES = {"16KiB": 16 << 10, "64KiB": 64 << 10, "1MiB": MIB, "8MiB": 8 * MIB, "256MiB": 256 * MIB}
# How often a file is fetched in a round: for longer than the clock of the processes' CPU time, and than one pause of the machine's.
COUNTS = {"16KiB": 1000, "64KiB": 500, "1MiB": 64, "8MiB": 16, "256MiB": 1}
LARGE = ["1MiB", "8MiB", "256MiB"]


@dataclass
class Way:
    """Files, by their sizes, that go in one way."""

    name: str
    target: Target
    sizes: list
    # Of a length that is told beforehand only where they are large: 64 KiB would stand in the stanza.
    is_streamed: bool = False

    def path(self, size):
        return f"unknown/{size}" if self.is_streamed and size not in LARGE else size


def ways(peers, mechanisms):
    hearth = peers["hearth"]
    yield Way("in the stanza, text", hearth, ["16KiB"])
    yield Way("in the stanza, base64", hearth, ["64KiB"])
    for name in mechanisms:
        if name in peers:
            yield Way(name, peers[name], ["64KiB", *LARGE], is_streamed=True)
    yield Way("by default", hearth, LARGE)
    yield Way("nginx, TLS, nginx", peers["nginx"], list(SIZES))


def sent(way):
    return sum(written(pid) for pid in tree(way.target.pids[0]))


def measure(way, size):
    """MiB/s, CPU s/GiB, and how much the sender has written for each byte of the body."""
    body, count = SIZES[size], COUNTS[size]
    cpu, before = way.target.cpu_seconds(), sent(way)
    speed = downloads(way.target, way.path(size), body, count)
    cpu = (way.target.cpu_seconds() - cpu) * GIB / (body * count)
    return speed, cpu, (sent(way) - before) / (body * count)


def main():
    folder, *mechanisms = sys.argv[1:]
    all_ways = list(ways(targets(f"{folder}/targets"), mechanisms))
    results = [{"name": way.name, "sizes": {size: {"speed": [], "cpu": []} for size in way.sizes}, "written": []} for way in all_ways]
    for way in all_ways:
        downloads(way.target, "64KiB", SIZES["64KiB"], 1)
    for index in range(ROUNDS):
        say(f"Round {index + 1} of {ROUNDS}")
        for way, result in zip(all_ways, results):
            for size, figures in result["sizes"].items():
                try:
                    speed, cpu, ratio = measure(way, size)
                except RuntimeError as error:
                    # Chunks have no flow control: a reader that lags may lose the body, which is a figure of its own.
                    say(f"  {way.name}, {size}: {error}")
                    continue
                figures["speed"].append(speed)
                figures["cpu"].append(cpu)
                result["written"].append(ratio)
    return {"throughput": results}


tell(main)
