"""The goals, and how a run stands to them."""

from dataclasses import dataclass
from statistics import median


@dataclass
class Goal:
    """One line of the table: Hearth's figure, over the same figure of a peer or another one of its own."""

    number: str
    what: str
    figure: str
    unit: str
    peer: str = ""
    # Which of Hearth's own figures it is over, where there is no peer.
    over: str = ""
    must: float | None = None
    goal: float | None = None
    more_is_better: bool = True


LESS = {"more_is_better": False}

GOALS = [
    Goal("1", "256 MiB download ÷ nginx, TLS, nginx", "download", "MiB/s", "nginx", must=0.65, goal=1.0),
    Goal("2", "the same ÷ ssh -L", "download", "MiB/s", "ssh", must=0.9, goal=1.3),
    Goal("–", "the same ÷ stunnel", "download", "MiB/s", "stunnel"),
    Goal("3", "CPU of the download ÷ nginx, TLS, nginx", "cpu_gib", "s/GiB", "nginx", must=1.6, goal=1.0, **LESS),
    Goal("4", "1 KiB, 32 connections ÷ nginx, TLS, nginx", "requests", "1/s", "nginx", must=0.5, goal=1.0),
    Goal("4b", "the same, CPU a request", "cpu_request", "µs", "nginx", must=2.2, goal=1.2, **LESS),
    Goal("5", "the same, p99", "p99", "ms", "nginx", must=1.5, goal=0.75, **LESS),
    Goal("6", "1 KiB, 1 connection, p50 ÷ nginx, TLS, nginx", "p50", "ms", "nginx", must=2.5, goal=1.25, **LESS),
    Goal("7", "1 KiB, 32 connections, p99 ÷ ssh -L", "p99", "ms", "ssh", must=0.2, goal=0.08, **LESS),
    Goal("–", "1 KiB, 32 connections ÷ stunnel", "requests", "1/s", "stunnel"),
    Goal("8", "1 KiB, 1 connection, p99 beside 100 MB/s ÷ nginx, TLS, nginx", "p99_beside", "ms", "nginx", must=1.0, goal=0.6,
         **LESS),  # fmt: skip
    Goal("–", "the same, p50", "p50_beside", "ms", "nginx", **LESS),
    Goal("–", "the same, what the body's reader got", "rate_beside", "MB/s", "nginx"),
    Goal("9", "256 MiB by XEP-0047 ÷ slixmpp, Prosody, slixmpp", "ibb", "MiB/s", "slixmpp", must=50, goal=200),
    Goal("10", "memory of a large download, over rest", "memory_transfer", "MiB", must=16, goal=2, **LESS),
    Goal("11", "memory at rest, 20 devices in sight", "memory_rest", "MiB", must=40, goal=20, **LESS),
    Goal("–", "memory after all of this, idle again", "memory_after", "MiB", **LESS),
    Goal("12", "256 MiB upload ÷ download", "upload", "MiB/s", over="download", must=0.7, goal=1.0),
    Goal("13", "64 MiB over 100 Mbit/s ÷ curl from the app", "link_download", "MiB/s", "curl", must=0.72, goal=0.97),
    Goal("14", "the same link, 64 KiB page, last byte", "link_page", "ms", "curl", must=1.4, goal=1.1, **LESS),
    Goal("15", "the program, stripped", "size", "MiB", must=30, goal=20, **LESS),
]


def series(rounds, target, figure):
    """Its values, one a round; what is measured only once gives one."""
    return [each[figure] for each in rounds.get(target, []) if figure in each]


def row(goal, rounds):
    """`rounds`: for each target a list of figures, one dictionary a round."""
    ours = series(rounds, "hearth", goal.figure)
    theirs = []
    if goal.peer or goal.over:
        theirs = series(rounds, goal.peer or "hearth", goal.over or goal.figure)
    ratios = [our / their for our, their in zip(ours, theirs)]
    judged = median(ratios or ours)
    holds = None
    if goal.must is not None:
        holds = judged >= goal.must if goal.more_is_better else judged <= goal.must
    return {
        "number": goal.number, "what": goal.what, "unit": goal.unit, "hearth": median(ours),
        "peer": median(theirs) if theirs else None, "ratio": median(ratios) if ratios else None,
        "lowest": min(ratios) if ratios else None, "highest": max(ratios) if ratios else None,
        "must": goal.must, "goal": goal.goal, "moreIsBetter": goal.more_is_better, "held": holds,
    }  # fmt: skip


def rows(rounds):
    """A line for each goal that was measured."""
    measured = [goal for goal in GOALS if not goal.peer or series(rounds, goal.peer, goal.figure)]
    return [row(goal, rounds) for goal in measured if series(rounds, "hearth", goal.figure)]


def number(value):
    """Three digits are what such a figure is worth."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cells(row):
    sign = "≥" if row["moreIsBetter"] else "≤"
    ratio = "–"
    if row["ratio"] is not None:
        ratio = f"{number(row['ratio'])} ({number(row['lowest'])}–{number(row['highest'])})"
    return [
        row["number"], row["what"], f"{number(row['hearth'])} {row['unit']}",
        "–" if row["peer"] is None else f"{number(row['peer'])} {row['unit']}", ratio,
        "–" if row["must"] is None else f"{sign} {number(row['must'])}",
        "–" if row["goal"] is None else f"{sign} {number(row['goal'])}",
        {None: "–", True: "yes", False: "NO"}[row["held"]],
    ]  # fmt: skip


def markdown(lines):
    """A table that can be read as it is; the first line is its head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|"] + padded[1:])


def text(rows):
    head = ["#", "what", "Hearth", "other", "ratio (lowest–highest)", "must", "goal", "held"]
    return markdown([head] + [cells(row) for row in rows])


def throughput_cell(figures):
    if not figures:
        return "–"
    if not figures["speed"]:
        return "breaks off"
    return f"{number(median(figures['speed']))} MiB/s, {number(median(figures['cpu']))} s/GiB"


def throughput_text(ways):
    """The second table: `ways` are those of mechanisms.py."""
    sizes = list(dict.fromkeys(size for way in ways for size in way["sizes"]))
    lines = [["how"] + [f"{size[:-3]} {size[-3:]}" for size in sizes] + ["written a byte"]]
    for way in ways:
        lines.append([way["name"]] + [throughput_cell(way["sizes"].get(size)) for size in sizes] + [number(median(way["written"]) if way["written"] else None)])
    return markdown(lines)
