"""Fetches over one slow link by a node and from the app itself, in turns, as JSON.

    link.py FRONT APP [--quick]     the addresses of the files page and 64MiB
"""

import sys
from statistics import median

from load import LONGEST_TRANSFER_SECONDS, MIB, run, say, tell

ROUNDS = 4
QUICK_ROUNDS = 2
FILE_BYTES = 64 * MIB
PAGES = 40


def seconds(url, path):
    """Until the last byte of each page, all over one connection, that the first one has opened."""
    out = run(
        "curl", "--silent", "--show-error", "--fail", "--max-time", str(LONGEST_TRANSFER_SECONDS), "-o", "/dev/null",
        "-o", "/dev/null", "-w", "%{time_total}\n", f"{url}/page", f"{url}/{path}",
    )  # fmt: skip
    return [float(line) for line in out.splitlines()[1:]]


def sample(url):
    return {
        "link_download": FILE_BYTES / MIB / seconds(url, "64MiB")[0],
        "link_page": median(seconds(url, f"page?[1-{PAGES}]")) * 1000,
    }


def main():
    front, app = sys.argv[1:3]
    rounds = {"hearth": [], "curl": []}
    for _ in range(QUICK_ROUNDS if "--quick" in sys.argv[3:] else ROUNDS):
        for name, url in (("hearth", front), ("curl", app)):
            rounds[name].append(sample(url))
            say(f"  {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in rounds[name][-1].items()))
    return {"rounds": rounds}


tell(main)
