#!/usr/bin/env python3
"""Writes what fuzzing begins with: the texts of the tests, each as the input that it is for some target, and Tests/Fuzz/Seeds,
which is what the tests have no text of.

    seeds.py TARGET FOLDER

Whatever a table, a play or an example of the tests says, the fuzzer knows: a string literal with parts that are computed is
left out.
"""

import hashlib
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[3] / "Tests"

# Where the texts are that each target can read.
SOURCES = {
    "xml": ["XMLTests", "XMPPTests", "HTTPXTests", "BytestreamsTests"],
    "stream": ["XMPPTests", "StreamsTests", "XMLTests"],
    "http-over-xmpp": ["HTTPXTests", "StreamsTests"],
    "transfers": ["BytestreamsTests"],
    "txt": ["LinkLocalTests"],
    "uri": ["HTTPXTests/AddressTests.swift", "CodecsTests", "FrontTests", "OriginsTests/TargetTests.swift"],
    "labels": ["FrontTests", "HTTPXTests/AddressTests.swift", "XMPPTests/JIDTests.swift"],
    "base64": ["CodecsTests"],
    "pairing": ["TrustTests"],
    "friends": ["TrustTests"],
    "http": ["HTTPEdgeTests"],
}

# Bytes: what is longer shows nothing that shorter ones do not, and slows every mutation down.
LONGEST = 4096

LITERAL = re.compile(r'#"""\n(.*?)\n *"""#|"""\n(.*?)\n *"""|#"(.*?)"#|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|(.))", re.DOTALL)
PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\n": ""}
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='romeo@forza' to='juliet@pronto' version='1.0'>"
)
# Separates what is sent from what happens then: time, a handshake with a key.
RECORD = "\x1e"


def unescape(text):
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else PLAIN.get(match[2], match[2]), text)


def literals(target):
    """The string literals of the target's sources that are the same in every run."""
    for source in SOURCES[target]:
        path = TESTS / source
        for file in sorted(path.rglob("*.swift")) if path.is_dir() else [path]:
            for raw_lines, lines, raw, line in LITERAL.findall(file.read_text()):
                text = raw_lines or raw or unescape(lines or line)
                if text and "\\(" not in lines + line:
                    yield text


def play(text):
    """What the peers of a play send (see Tests/TestKit/Scenario.swift), or None where the text is none."""
    sent, sends, is_play = "", False, False
    for line in text.split("\n"):
        line = line.removeprefix(" " * 6)
        if re.match(r"\w+ (greets|connects)$", line):
            is_play = True
            sent += HEADER if line.endswith("greets") else ""
        elif re.match(r"[\d.]+ s pass$", line):
            sent += RECORD + "t"
        elif line.startswith(" ") and sends:
            sent += line.strip()
        sends = re.match(r"\w+ sends$", line) or sends and line.startswith(" ")
    return sent if is_play else None


def inputs(target, text):
    if target == "stream":
        sent = play(text)
        if sent is not None:
            yield sent
        elif text.startswith("<"):
            yield text
            yield HEADER + text
            yield HEADER + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + RECORD + "k" + HEADER + text
    elif target == "txt":
        yield text
    elif target in ("xml", "http-over-xmpp", "transfers", "pairing") and play(text) is not None:
        yield play(text)
    else:
        yield text


def encoded(target, text):
    data = text.encode("utf-8", "surrogatepass")
    if target == "txt":
        return b"".join(bytes([len(string)]) + string for string in (s[:255] for s in data.split(b"\n")))
    return data


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SOURCES:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [encoded(target, seed) for text in literals(target) for seed in inputs(target, text)]
    seeds += [file.read_bytes() for file in (TESTS / "Fuzz" / "Seeds" / target).glob("*")]
    for data in (seed[:LONGEST] for seed in seeds):
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
