#!/usr/bin/env python3
"""Prints the newest part of CHANGELOG.md as a Debian changelog.

    changelog.py VERSION MAINTAINER SECONDS <CHANGELOG.md
"""

import re
import sys
from email.utils import formatdate
from textwrap import wrap

WIDTH = 76


def main():
    version, maintainer, seconds = sys.argv[1:]
    newest = re.split(r"^## .*\n", sys.stdin.read(), flags=re.M)[1]
    print(f"hearth ({version}) unstable; urgency=medium\n")
    for heading, items in re.findall(r"^### (.*)\n((?:(?!###).*\n?)*)", newest, flags=re.M):
        print(f"  [ {heading} ]")
        for item in re.split(r"^- ", items, flags=re.M)[1:]:
            item = " ".join(item.split())
            print(*wrap(item, WIDTH, initial_indent="  * ", subsequent_indent="    ", break_on_hyphens=False), sep="\n")
        print()
    print(f" -- {maintainer}  {formatdate(int(seconds))}")


main()
