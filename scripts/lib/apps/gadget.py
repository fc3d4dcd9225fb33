#!/usr/bin/env python3
"""A server with 512 bytes for a request's head, as an ESP32 has (CONFIG_HTTPD_MAX_REQ_HDR_LEN), and a browser that asks it.

    gadget serve PORT           listens on 127.0.0.1; 431 for a larger head, else 200 and the head itself
    gadget check JID OTHER      with all that Chrome sends; OTHER is the same app without `gadget = true`
"""

import socketserver
import sys

from fields import CHROME, Server
from raw import exchange, head
from telling import check, verdict

LARGEST = 512
LEFT_OUT = "sec-", "upgrade-insecure-requests", "priority", "dnt", "accept-language"
ADDED = "x-forwarded", "forwarded", "hearth-", "via"


class App(socketserver.StreamRequestHandler):
    """One connection at a time would be as real, and one request a connection."""

    def handle(self):
        request = b""
        while b"\r\n\r\n" not in request:
            if not (part := self.request.recv(4096)):
                return
            request += part
        request = request[:request.index(b"\r\n\r\n") + 4]
        if len(request) > LARGEST:
            self.answer("431 Request Header Fields Too Large", f"{len(request)} bytes".encode())
        else:
            self.answer("200 OK", request)

    def answer(self, status, body):
        self.request.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
                             "Connection: close\r\n\r\n".encode() + body)


def main():
    if sys.argv[1] == "serve":
        Server(("127.0.0.1", int(sys.argv[2])), App).serve_forever()
    jid, other = sys.argv[2:]
    for path in "/", "/api/v1/devices/lamp?state=on&brightness=70&transition=2":
        sent = head(f"GET {path} HTTP/1.1", jid, *CHROME)
        answer = exchange(sent)
        arrived = answer.body.decode()
        check(f"Chrome's {len(sent)} bytes arrive in {len(arrived)}", answer.status == 200, (answer.status, arrived))
        names = {line.split(":")[0].lower() for line in arrived.splitlines()[1:] if line}
        check("without what only large servers read", not any(name.startswith(LEFT_OUT) for name in names), names)
        check("and nothing is added", not any(name.startswith(ADDED) for name in names), names)
        check("with what it needs", {"host", "user-agent", "accept", "accept-encoding"} <= names, names)
    answer = exchange(head("POST /set HTTP/1.1", jid, *CHROME, "Content-Type: application/x-www-form-urlencoded",
                           "Content-Length: 4") + b"on=1")
    check("a form, too", answer.status == 200, answer.body)
    answer = exchange(head("GET / HTTP/1.1", other, *CHROME))
    check("without gadget = true it is too much", answer.status == 431, (answer.status, answer.body))
    verdict()


if __name__ == "__main__":
    main()
