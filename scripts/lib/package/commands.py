#!/usr/bin/env python3
"""Prints hearth(1): the page of standard input, with the commands put in as the program describes them.

    hearth --experimental-dump-help | commands.py Config/man/hearth.1
"""

import json
import sys
from pathlib import Path

MARK = '.\\" COMMANDS\n'
# These stand once, for all commands.
COMMON = {"--version", "--help", "--socket"}


def escaped(text):
    """Text for roff: no line of it is a request, and hyphens are those that a shell knows."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(discussion):
    """Prose in paragraphs; lines with a margin, which are examples, as they are."""
    for part in discussion.strip().split("\n\n"):
        lines = part.split("\n")
        prose = [line for line in lines if not line.startswith(" ")]
        examples = [line[2:] for line in lines if line.startswith(" ")]
        if prose:
            yield ".PP\n" + escaped(" ".join(prose))
        if examples:
            yield ".PP\n.RS\n.EX\n" + escaped("\n".join(examples)) + "\n.EE\n.RE"


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def described(argument):
    text = " ".join(part for part in (argument.get("abstract"), argument.get("discussion")) if part)
    if "defaultValue" in argument:
        text += f" (default: {argument['defaultValue']})"
    return escaped(text)


def entry(argument):
    value = escaped(argument["valueName"])
    if argument["kind"] == "positional":
        return f".TP\n.I {value}\n{described(argument)}"
    names = ", ".join(sorted((escaped(spelled(name)) for name in argument["names"]), key=len))
    value = f" \\fI{value}\\fR" if argument["kind"] == "option" else ""
    return f".TP\n\\fB{names}\\fR{value}\n{described(argument)}"


def usage(argument):
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    return f"[{value}]" if argument.get("isOptional") else value


def section(command, path):
    path = [*path, command["commandName"]]
    shown = [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]
    places = [argument for argument in shown if argument["kind"] == "positional"]
    options = [
        argument for argument in shown
        if argument["kind"] != "positional" and not COMMON.intersection(map(spelled, argument["names"]))
    ]
    yield f".SS {escaped(' '.join(path))}"
    line = [f"\\fB{escaped(' '.join(path))}\\fR", *(["[\\fIoptions\\fR]"] if options else []), *map(usage, places)]
    yield " ".join(line)
    yield ".PP\n" + escaped(command["abstract"])
    yield from paragraphs(command.get("discussion", ""))
    yield from map(entry, [*places, *options])
    for child in command.get("subcommands", []):
        if child["commandName"] != "help":
            yield from section(child, path)


def main():
    page = Path(sys.argv[1]).read_text()
    program = json.load(sys.stdin)["command"]
    commands = [
        line for command in program["subcommands"] if command["commandName"] != "help"
        for line in section(command, [program["commandName"]])
    ]
    before, after = page.split(MARK)
    print(before + "\n".join(commands) + "\n" + after, end="")


main()
