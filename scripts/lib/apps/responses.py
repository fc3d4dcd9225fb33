#!/usr/bin/env python3
"""An app that answers on its socket what gadgets, cameras and CGI scripts do, and a client that looks at what becomes of it.

    responses serve PORT        listens on 127.0.0.1
    responses check JID         asks for each case through the front

Each case is the bytes of an answer and what a browser gets of it.
"""

import re
import socketserver
import sys

from raw import authority, exchange, head
from telling import check, verdict

OK = "HTTP/1.1 200 OK\r\n"
TWO = "Content-Length: 2\r\n\r\nok"


class Case:
    def __init__(self, name, raw, status=200, body=None, close=False, says=None, absent=(), is_cut=False, **fields):
        self.name, self.raw, self.status, self.close, self.says, self.absent = name, raw, status, close, says, absent
        self.body = body if body is not None or status != 200 else "ok"
        # 502, or what came is cut off: the head may be on its way when the body turns out wrong.
        self.is_cut = is_cut
        # A keyword is a field's name with _ for -; its value the only one, in Latin-1, or a list.
        self.fields = {n.replace("_", "-"): v if isinstance(v, list) else [v] for n, v in fields.items()}


def controls():
    for code in [*range(1, 9), 11, 12, *range(14, 32), 127]:
        yield Case(f"a control byte, {code}, is a blank", f"{OK}X-Note: a{chr(code)}b\r\n{TWO}", x_note="a b")


CASES = [
    # Lines.
    Case("lines that end in LF", "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nhi\n", body="hi\n", close=True,
         content_type="text/plain"),
    Case("the same with a length", "HTTP/1.1 200 OK\nContent-Length: 2\nX-A: 1\n\nok", x_a="1"),
    Case("the same with chunks", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n"),
    Case("only the last line ends in LF", f"{OK}Accept-Ranges: bytes\r\nConnection: close\r\n\nok", close=True,
         accept_ranges="bytes"),
    Case("every second line does", "HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\nContent-Length: 2\n\r\nok", x_a="1", x_b="2"),
    Case("no reason phrase", f"HTTP/1.1 200\r\n{TWO}"),
    Case("HTTP/1.0, and the end is the end", "HTTP/1.0 200 OK\r\nServer: cam\r\n\r\nok", close=True, server="cam"),
    # Fields.
    Case("a blank before the colon", f"{OK}X-Unit : celsius\r\n{TWO}", x_unit="celsius"),
    Case("tabs and blanks before it", f"{OK}X-Unit \t : celsius\r\n{TWO}", x_unit="celsius"),
    Case("a length with a blank before the colon", f"{OK}Content-Length : 2\r\n\r\nok"),
    Case("no blank behind the colon", f"{OK}X-Unit:celsius\r\n{TWO}", x_unit="celsius"),
    Case("an empty value", f"{OK}X-Empty:\r\n{TWO}", x_empty=""),
    Case("a folded line is one blank", f"{OK}X-Long: one\r\n  two\r\n{TWO}", x_long="one two"),
    Case("folded twice, by tabs, in LF lines", f"HTTP/1.1 200 OK\nX-Long: one\n\ttwo\n \t three\n{TWO}",
         x_long="one two three"),
    Case("several of a name stay several, in order", f"{OK}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n{TWO}",
         set_cookie=["a=1", "b=2"]),
    # Lengths.
    Case("the same length twice", f"{OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", body="hello",
         content_length="5"),
    Case("the same length in one field", f"{OK}Content-Length: 5, 5\r\n\r\nhello", body="hello", content_length="5"),
    Case("the same three times, in both ways", f"{OK}Content-Length: 5,5\r\nContent-Length: 5\r\n\r\nhello", body="hello",
         content_length="5"),
    Case("two lengths", f"{OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 502, says="length"),
    Case("two lengths in one field", f"{OK}Content-Length: 5, 6\r\n\r\nhello", 502, says="length"),
    Case("a length that is no number", f"{OK}Content-Length: five\r\n\r\nhello", 502, says="length"),
    Case("a length below nothing", f"{OK}Content-Length: -5\r\n\r\nhello", 502, says="length"),
    Case("length and chunks", f"{OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 502,
         says="length|transfer"),
    Case("204 has no length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, absent=["content-length"]),
    Case("204 with a length of nothing", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204,
         absent=["content-length"]),
    Case("103 is passed over, or on", f"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n{OK}{TWO}"),
    Case("100 without a question is passed over", f"HTTP/1.1 100 Continue\r\n\r\n{OK}{TWO}"),
    # Transfer codings.
    Case("gzip as a transfer coding", f"{OK}Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 502,
         says="transfer"),
    Case("an unknown one", f"{OK}Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 502, says="transfer"),
    Case("chunks with extensions, in capitals", f"{OK}Transfer-Encoding: CHUNKED\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n"),
    Case("a chunk's size that is no number", f"{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n", is_cut=True),
    Case("a chunk that is longer than it says", f"{OK}Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", is_cut=True),
    Case("chunks without an end", f"{OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", close=True, is_cut=True),
    Case("a body without an end", f"{OK}Content-Length: 9\r\n\r\nok", close=True, is_cut=True),
    Case("trailers do not spoil the body",
         f"{OK}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"),
    # What is not HTTP.
    Case("internet radio", "ICY 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Jazz\r\n\r\nabc", body="abc", close=True,
         content_type="audio/mpeg", icy_name="Jazz"),
    Case("no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n", 502, close=True, says="HTTP|broke"),
    Case("nothing", "", 502, close=True, says="broke|closed|ended"),
    Case("a head that never ends", f"{OK}X-Half: 1\r\n", 502, close=True, says="broke|closed|ended"),
    Case("a head that is too large", OK + "".join(f"X-{n}: {'x' * 1000}\r\n" for n in range(400)) + TWO, 502,
         says="large|long|limit|more than|at most|larger"),
    Case("a NUL in a value", f"{OK}X: a\0b\r\n{TWO}", 502, says="NUL|zero|byte|character|field"),
    # Bytes.
    Case("Latin-1 in a file's name", f"{OK}Content-Disposition: attachment; filename=\"Stra\xdfe.pdf\"\r\n{TWO}",
         content_disposition="attachment; filename=\"Stra\xdfe.pdf\""),
    Case("Shift-JIS", f"{OK}X-Name: \x83n\x81[\x83X\r\n{TWO}", x_name="\x83n\x81[\x83X"),
    Case("UTF-8", f"{OK}X-Name: K\xc3\xbcche\r\n{TWO}", x_name="K\xc3\xbcche"),
    Case("every byte from 128 on", f"{OK}X-Name: {bytes(range(128, 256)).decode('latin-1')}\r\n{TWO}",
         x_name=bytes(range(128, 256)).decode("latin-1")),
    Case("half of a UTF-8 character, and whole ones", f"{OK}X-A: \xc3\r\nX-B: \xc3\xbc\r\n{TWO}", x_a="\xc3", x_b="\xc3\xbc"),
    Case("markup in a value", f"{OK}X-Name: <b>&amp;\"']]>\r\n{TWO}", x_name="<b>&amp;\"']]>"),
    *controls(),
    Case("a status of its own", f"HTTP/1.1 299 Warm\r\n{TWO}", 299, body="ok"),
    # Addresses of its own, in every spelling.
    *(Case(f"Location {spelling}", f"HTTP/1.1 302 Found\r\nLocation: {spelling}/login\r\nContent-Length: 0\r\n\r\n", 302,
           location="OWN/login") for spelling in ("http://localhost:{port}", "http://127.0.0.1:{port}", "http://[::1]:{port}",
                                                  "//localhost:{port}", "//127.0.0.1:{port}", "HTTP://LocalHost:{port}")),
    Case("Location elsewhere", "HTTP/1.1 302 Found\r\nLocation: http://other.example/x\r\nContent-Length: 0\r\n\r\n", 302,
         location="http://other.example/x"),
    Case("Location at another port", "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/x\r\nContent-Length: 0\r\n\r\n", 302,
         location="http://localhost:1/x"),
    Case("Location without a host", "HTTP/1.1 302 Found\r\nLocation: ../b?c#d\r\nContent-Length: 0\r\n\r\n", 302,
         location="../b?c#d"),
    Case("Refresh", f"{OK}Refresh: 3; url=http://127.0.0.1:{{port}}/next\r\n{TWO}", refresh="3; url=OWN/next"),
    Case("Content-Location", f"{OK}Content-Location: http://localhost:{{port}}/a\r\n{TWO}", content_location="OWN/a"),
    Case("Link", f"{OK}Link: <http://127.0.0.1:{{port}}/a>; rel=next, <http://b.example/>; rel=up\r\n{TWO}",
         link="<OWN/a>; rel=next, <http://b.example/>; rel=up"),
]


class App(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.rfile.readline()):
            while self.rfile.readline().strip():
                pass
            case = CASES[int(line.split()[1].strip(b"/"))]
            self.wfile.write(case.raw.replace("{port}", str(self.server.server_address[1])).encode("latin-1"))
            if case.close:
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def matches(value, wanted, own):
    """`OWN` is the device's origin: as the browser has it, or left out."""
    return value in {wanted.replace("OWN", spelling) for spelling in ("", f"http://{own}", f"//{own}")}


def look(number, case, jid):
    answer = exchange(head(f"GET /{number} HTTP/1.1", jid, "Connection: close", "Accept: application/json"))
    if case.is_cut:
        return "" if answer.status == 502 or not answer.is_complete else f"whole, with body {answer.body}"
    if answer.status != case.status:
        return f"status {answer.status}, {answer.body[:300]}"
    if case.body is not None and answer.body != case.body.encode():
        return f"body {answer.body[:300]}"
    for name, wanted in case.fields.items():
        values = [value.decode("latin-1") for value in answer.all(name)]
        if len(values) != len(wanted) or not all(matches(v, w, authority(jid)) for v, w in zip(values, wanted)):
            return f"{name}: {values}"
    if any(answer.all(name) for name in case.absent):
        return f"fields {answer.fields}"
    if case.says and not re.search(case.says, answer.body.decode("utf-8", "replace"), re.IGNORECASE):
        return f"it says only {answer.body[:400]}"
    return ""


def main():
    if sys.argv[1] == "serve":
        Server(("127.0.0.1", int(sys.argv[2])), App).serve_forever()
    for number, case in enumerate(CASES):
        wrong = look(number, case, sys.argv[2])
        check(case.name, not wrong, wrong)
    verdict()


if __name__ == "__main__":
    main()
