#!/usr/bin/env python3
"""An app that takes its time, and one whose connections are logged in; and callers of it.

    holding serve PORT          listens on 127.0.0.1
    holding many JID COUNT      that many callers of /hold at once are answered 200
    holding sign-in JID         no connection that signed in is used for another request

  GET /hold       waits for POST /release, and prints how many wait
  POST /release   which holds for all that come after it, too
  GET /sleep      never answers
  GET /number     the number of the connection
  GET /NTLM       the same with 401 and `WWW-Authenticate: NTLM`; likewise /Negotiate
"""

import itertools
import socketserver
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from fields import Server
from raw import exchange, head
from telling import check, verdict

released = threading.Event()
numbers = itertools.count(1)
held = itertools.count(1)


class App(socketserver.StreamRequestHandler):
    def handle(self):
        number = next(numbers)
        while (line := self.rfile.readline()):
            while self.rfile.readline().strip():
                pass
            path = line.split()[1].decode().strip("/")
            if path == "hold" and not released.is_set():
                # In one write, since many threads print.
                print(f"{next(held)} held\n", end="", flush=True)
                released.wait()
            elif path == "release":
                released.set()
            elif path == "sleep":
                threading.Event().wait()
            self.answer(path, str(number).encode())

    def answer(self, path, body):
        challenge = f"WWW-Authenticate: {path}\r\n" if path in ("NTLM", "Negotiate") else ""
        status = "401 Unauthorized" if challenge else "200 OK"
        self.wfile.write(f"HTTP/1.1 {status}\r\n{challenge}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def ask(jid, path):
    return exchange(head(f"GET /{path} HTTP/1.1", jid, "Connection: close"))


def many(jid, count):
    """Each has a connection of its own, as so many programs would."""
    with ThreadPoolExecutor(count) as callers:
        answers = list(callers.map(lambda _: ask(jid, "hold"), range(count)))
    statuses = Counter(answer.status for answer in answers)
    reasons = {answer.body[:200] for answer in answers if answer.status != 200}
    check(f"all of {count} are answered", statuses == {200: count}, (statuses, reasons))


def sign_in(jid):
    for scheme in "NTLM", "Negotiate":
        before = ask(jid, "number").body
        again = ask(jid, "number").body
        check("connections are used again", before == again, (before, again))
        signed_in = ask(jid, scheme).body
        after = [ask(jid, "number").body for _ in range(5)]
        check(f"one that spoke {scheme} is not", signed_in not in after, (signed_in, after))


def main():
    if sys.argv[1] == "serve":
        Server(("127.0.0.1", int(sys.argv[2])), App).serve_forever()
    elif sys.argv[1] == "many":
        many(sys.argv[2], int(sys.argv[3]))
    else:
        sign_in(sys.argv[2])
    verdict()


if __name__ == "__main__":
    main()
