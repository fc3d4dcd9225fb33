#!/usr/bin/env python3
"""An app that says what it was sent, and a client that sends it what browsers do, and what nobody should.

    fields serve PORT           listens on 127.0.0.1; answers with the request as JSON, and prints each request line
    fields check JID PORT LOG   through the front; PORT is the app's own, LOG what the app prints
"""

import json
import socketserver
import sys

from raw import FRONT, Answer, authority, connect, exchange, head
from telling import check, verdict

CHROME = [
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="156", "Not/A)Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "DNT: 1",
    "Priority: u=0, i",
]


class App(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.rfile.readline()):
            fields, size = [], len(line)
            while (field := self.rfile.readline()).strip():
                size += len(field)
                name, _, value = field.decode("latin-1").partition(":")
                fields.append((name.lower(), value.strip()))
            line = line.decode("latin-1").rstrip("\r\n")
            print(line, flush=True)
            given = dict(fields)
            body = self.rfile.read(int(given.get("content-length", 0))) if "transfer-encoding" not in given else self.chunks()
            told = {"line": line, "fields": fields, "size": size + 2, "body": body.decode("latin-1")}
            self.answer(json.dumps(told).encode(), line.startswith("HEAD"))

    def chunks(self):
        body = b""
        while (size := int(self.rfile.readline().split(b";")[0], 16)):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def answer(self, body, is_head):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + (b"" if is_head else body))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class Client:
    def __init__(self, jid, port, log):
        self.jid, self.port, self.log = jid, port, log
        self.device, self.app = f"http://{authority(jid)}", f"http://127.0.0.1:{port}"

    def seen(self):
        with open(self.log) as file:
            return file.read()

    def send(self, line, *fields, body=b""):
        return exchange(head(line, self.jid, "Connection: close", *fields) + body, line.split()[0])

    def passes(self, line, *fields, body=b"", target=None):
        """What the app saw; `target` where it is not to be the same."""
        answer = self.send(line, *fields, body=body)
        if not check(f"passes: {line[:60]}", answer.status == 200, (answer.status, answer.body[:300])):
            return {"line": "", "fields": {}, "body": ""}
        told = json.loads(answer.body)
        check("  and arrives as it should", told["line"] == (target or line), told["line"])
        return told | {"fields": dict(told["fields"])}

    def refused(self, what, status, line, *fields, body=b""):
        """It has a body that says why, and the app hears nothing of it."""
        before = self.seen()
        answer = self.send(line, *fields, body=body)
        check(f"{status}: {what}", answer.status == status, (answer.status, answer.body[:200]))
        check("  with the reason", len(answer.body.strip()) > 10, answer.body)
        check("  and the app is not asked", self.seen() == before, self.seen()[len(before):])

    def field(self, told, name, wanted):
        check(f"  {name}: {'none' if wanted is None else wanted}", told["fields"].get(name) == wanted, told["fields"].get(name))


def methods(client):
    for method in "FOO", "M-SEARCH", "PROPFIND", "REPORT", "MKCALENDAR", "BREW", "get", "X!#$%&'*+.^_`|~9":
        client.passes(f"{method} /dump HTTP/1.1")
    told = client.passes("POST /dump HTTP/1.1", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    check("  with its body", told["body"] == "hello", told["body"])


def paths(client):
    for path in "//api/v1/info", "//", "///a//b/", "/a/../b", "/%2e%2e/%2F?x=/../&y=%00", "/a;b=c?d?e", "/*", "/%C3%BC|{}":
        client.passes(f"GET {path} HTTP/1.1")


def malformed(client):
    chunked = "Transfer-Encoding: chunked"
    client.refused("an unknown transfer coding", 400, "POST /dump HTTP/1.1", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n")
    client.refused("gzip as a transfer coding", 400, "POST /dump HTTP/1.1", "Transfer-Encoding: gzip, chunked",
                   body=b"0\r\n\r\n")
    client.refused("two lengths", 400, "POST /dump HTTP/1.1", "Content-Length: 5", "Content-Length: 6", body=b"hello")
    client.refused("length and chunks", 400, "POST /dump HTTP/1.1", "Content-Length: 5", chunked, body=b"0\r\n\r\n")
    client.refused("a method that is none", 400, "G<T /dump HTTP/1.1")
    for body in b"zz\r\nhello\r\n0\r\n\r\n", b"-1\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n":
        answer = client.send("POST /dump HTTP/1.1", chunked, body=body)
        check(f"400: a bad chunk, {body[:4]}", answer.status == 400 and answer.body.strip(), (answer.status, answer.body))


def origins(client):
    foreign = "http://evil.example"
    told = client.passes("POST /dump HTTP/1.1", f"Origin: {client.device}", f"Referer: {client.device}/a?b")
    client.field(told, "host", f"127.0.0.1:{client.port}")
    client.field(told, "origin", client.app)
    client.field(told, "referer", client.app + "/a?b")
    client.field(told, "x-forwarded-host", authority(client.jid))
    client.field(told, "x-forwarded-proto", "http")
    for name in "x-forwarded-for", "forwarded", "via":
        client.field(told, name, None)
    check("  Hearth-Peer is there", told["fields"].get("hearth-peer"), told["fields"])
    client.refused("another page's Origin", 403, "POST /dump HTTP/1.1", f"Origin: {foreign}")
    told = client.passes("GET /dump HTTP/1.1", f"Referer: {foreign}/a")
    client.field(told, "referer", f"{foreign}/a")
    forged = "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Forwarded-Host: evil.example", "Hearth-Peer: root@evil"
    told = client.passes("GET /dump HTTP/1.1", *forged)
    client.field(told, "x-forwarded-for", None)
    client.field(told, "forwarded", None)
    client.field(told, "x-forwarded-host", authority(client.jid))
    check("  nobody calls himself another peer", told["fields"].get("hearth-peer") != "root@evil", told["fields"])


def destinations(client):
    told = client.passes("MOVE /a.txt HTTP/1.1", f"Destination: {client.device}/b.txt",
                         f"If: <{client.device}/b.txt> (<urn:uuid:1>)")
    client.field(told, "destination", client.app + "/b.txt")
    client.field(told, "if", f"<{client.app}/b.txt> (<urn:uuid:1>)")
    told = client.passes("COPY /a.txt HTTP/1.1", "Destination: /b.txt", "If: (<urn:uuid:1>)")
    client.field(told, "destination", "/b.txt")
    told = client.passes("COPY /a.txt HTTP/1.1", "Destination: http://other.example/b.txt")
    client.field(told, "destination", "http://other.example/b.txt")
    told = client.passes("MOVE /a.txt HTTP/1.1", f"Destination: httpx://{client.jid}/b.txt")
    client.field(told, "destination", client.app + "/b.txt")


def values(client):
    told = client.passes("GET /dump HTTP/1.1", "X-Name: Stra\xdfe \x83n\x81[", "X-Empty:", "X-Markup: <a>&\"']]>")
    client.field(told, "x-name", "Stra\xdfe \x83n\x81[")
    client.field(told, "x-empty", "")
    client.field(told, "x-markup", "<a>&\"']]>")


def proxied(client):
    """The front as a proxy takes the device's name at any port, and nothing else."""
    label = client.jid.replace("@", "--")
    own = f"http://{label}.localhost"
    for target in f"{own}/dump", f"{own}:80/dump", f"{own}:8332/dump", f"httpx://{client.jid}/dump":
        client.passes(f"GET {target} HTTP/1.1", target="GET /dump HTTP/1.1")
    for target in "http://example.com/", f"http://127.0.0.1:{client.port}/", f"https://{label}.localhost/":
        client.refused(f"a proxy for {target}", 403, f"GET {target} HTTP/1.1")
    client.refused("CONNECT", 403, f"CONNECT 127.0.0.1:{client.port} HTTP/1.1")


def kept_alive(client):
    """What was refused does not spoil the connection, nor does what the app did not read."""
    connection, reader = connect(FRONT)
    with connection, reader:
        for number in range(50):
            connection.sendall(head(f"GET /{number} HTTP/1.1", client.jid))
            if json.loads(Answer(reader).body)["line"] != f"GET /{number} HTTP/1.1":
                return check("fifty requests on one connection", False, number)
    return check("fifty requests on one connection", True)


def main():
    if sys.argv[1] == "serve":
        Server(("127.0.0.1", int(sys.argv[2])), App).serve_forever()
    client = Client(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    for part in methods, paths, malformed, origins, destinations, values, proxied, kept_alive:
        part(client)
    verdict()


if __name__ == "__main__":
    main()
