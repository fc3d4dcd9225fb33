"""Has two nodes under callgrind answer small requests, and prints the sections of the functions that they ran, the busiest
first: an input of the linker's.

    order.py FOLDER    that of scripts/bench, with its targets
"""

import collections
import glob
import json
import pathlib
import re
import subprocess
import sys

# Instructions a request below which a function is not worth a line: with less, every request has some that no other has.
LEAST = 20
SECONDS = 20
CONNECTIONS = 8

FUNCTION = re.compile(r"(c?fn)=\((\d+)\)(?: (.*))?")
# What callgrind adds to the name of a function that calls itself.
RECURSION = re.compile(r"'\d+$")

def load(target, seconds):
    """Requests that were answered."""
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-H", f"Host: {target['host']}", target["url"] + "/small"]
    output = subprocess.run(wrk, check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"(\d+) requests in", output)[1])


def control(target, option):
    subprocess.run(["callgrind_control", option, *map(str, target["pids"])], check=True, stdout=subprocess.DEVNULL)


def counts(path):
    """Instructions of each function of one file, without those of the functions that it calls."""
    names, function, is_call, totals = {}, None, False, collections.Counter()
    for line in open(path):
        if match := FUNCTION.match(line):
            kind, number, name = match.groups()
            if name:
                names[number] = RECURSION.sub("", name)
            if kind == "fn":
                function = names[number]
        elif line.startswith("calls="):
            is_call = True
        elif line[0].isdigit() or line[0] in "+-*":
            if not is_call:
                totals[function] += int(line.split()[1])
            is_call = False
    return totals


def main():
    folder = pathlib.Path(sys.argv[1])
    targets = map(json.loads, (folder / "targets").read_text().splitlines())
    target = next(target for target in targets if target["name"] == "hearth")
    load(target, SECONDS // 4)
    control(target, "--instr=on")
    requests = load(target, SECONDS)
    control(target, "--instr=off")
    control(target, "--dump")
    total = collections.Counter()
    for path in glob.glob(f"{folder}/callgrind.*.1"):
        total += counts(path)
    # Those of shared libraries are not the linker's to order.
    symbols = subprocess.run(["nm", folder / "hearth"], check=True, stdout=subprocess.PIPE, text=True).stdout
    own = {line.split()[-1] for line in symbols.splitlines()}
    for function, count in total.most_common():
        if count >= LEAST * requests and function in own:
            print(f".text.{function}")


if __name__ == "__main__":
    main()
