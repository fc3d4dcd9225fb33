"""Measures the targets that scripts/bench has started, in turns, and prints the figures of every round as JSON.

    measure.py FOLDER [--quick]      FOLDER: targets, program, files/{small,large,huge}
"""

import subprocess
import sys
import time
from pathlib import Path

from load import Load, download, sample, say, targets, tell, wrk
from processes import forget_peak, memory

ROUNDS = 5

# The machine's other work comes and goes: in every round each figure is taken of all targets, one after the other, and ratios
# are taken within one.
FULL = Load(file_bytes=256 << 20, many_seconds=5, one_seconds=3, beside_seconds=4)
# Four seconds: from the third on, ssh waits for delayed acknowledgements again and again, which shorter rounds do not show.
QUICK = Load(file_bytes=256 << 20, many_seconds=4, one_seconds=1, beside_seconds=2)

# What a node may still have to do when it is ready, or gives back when it has nothing to do any more.
REST_SECONDS = 5
IDLE_SECONDS = 15


def stripped_size(program, folder):
    subprocess.run(["strip", "-o", f"{folder}/stripped", program], check=True)
    return Path(f"{folder}/stripped").stat().st_size / (1 << 20)


def most(pids, key):
    return max(memory(pid, key) for pid in pids)


def transfer_memory(target, name):
    """How much more memory than at rest a download takes, in the node that takes more."""
    rest = {}
    for pid in target.pids:
        forget_peak(pid)
        rest[pid] = memory(pid, "VmRSS")
    download(target, name)
    return max(memory(pid, "VmHWM") - rest[pid] for pid in target.pids)


def main():
    folder = sys.argv[1]
    quick = "--quick" in sys.argv[2:]
    load = QUICK if quick else FULL
    peers = targets(f"{folder}/targets")
    hearth = peers["hearth"]

    time.sleep(REST_SECONDS)
    once = {"size": stripped_size(Path(folder, "program").read_text().strip(), folder)}
    once["memory_rest"] = most(hearth.pids, "VmRSS")
    for target in peers.values():
        wrk(target, 1, 1)
    say("Memory of a large download")
    once["memory_transfer"] = transfer_memory(hearth, "large" if quick else "huge")

    rounds = {name: [] for name in peers}
    for index in range(ROUNDS):
        say(f"Round {index + 1} of {ROUNDS}")
        for name, figures in sample(peers, load, folder).items():
            rounds[name].append(figures)
            say(f"  {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    if not quick:
        time.sleep(IDLE_SECONDS)
        once["memory_after"] = most(hearth.pids, "VmRSS")
    rounds["hearth"].append(once)
    return {"rounds": rounds}


tell(main)
