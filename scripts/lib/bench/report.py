"""Prints what a run has found: report.py FOLDER [--json]     FOLDER: machine, left-out, figures/*.json"""

import json
import sys
from pathlib import Path

import table


def main():
    folder = Path(sys.argv[1])
    rounds, throughput = {}, []
    for file in sorted((folder / "figures").iterdir()):
        figures = json.loads(file.read_text())
        throughput += figures.get("throughput", [])
        for name, its in figures.get("rounds", {}).items():
            rounds.setdefault(name, []).extend(its)
    machine = (folder / "machine").read_text().strip()
    left_out = (folder / "left-out").read_text().splitlines()
    rows = table.rows(rounds)
    if "--json" in sys.argv[2:]:
        results = {"machine": machine, "rows": rows, "throughput": throughput, "leftOut": left_out, "rounds": rounds}
        print(json.dumps(results, indent=1))
        return
    print(f"{machine}\n\n{table.text(rows)}")
    if throughput:
        print(f"\n{table.throughput_text(throughput)}")
    for line in left_out:
        print(f"\nLeft out: {line}")


main()
