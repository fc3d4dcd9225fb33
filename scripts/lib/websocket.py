#!/usr/bin/env python3
"""Opens the thermostat's WebSocket as its page does, with the standard library alone (RFC 6455).

    websocket.py URL        of a device at the front: http://thermostat--pi.localhost:8332/live

Reads the state, sets another temperature, reads on until that is the state, and closes. Exits 0, or 1 and says why not.
"""

import base64
import hashlib
import json
import os
import socket
import sys
from urllib.parse import urlsplit

WANTED = 17.5
TEXT, CLOSE = 1, 8
TIMEOUT = 30  # seconds


class Client:
    def __init__(self, url):
        where = urlsplit(url)
        # The name is one of this machine, whatever the C library says.
        self.connection = socket.create_connection(("127.0.0.1", where.port or 80), TIMEOUT)
        self.reader = self.connection.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall("\r\n".join([
            f"GET {where.path} HTTP/1.1", f"Host: {where.netloc}", f"Origin: http://{where.netloc}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]).encode())
        status = self.reader.readline().decode("latin-1").strip()
        fields = {}
        while (line := self.reader.readline().decode("latin-1").strip()):
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        if " 101 " not in status + " " or fields.get("sec-websocket-accept") != accept:
            sys.exit(f"no WebSocket: {status} {fields} {self.reader.read(500)}")

    def receive(self):
        """The opcode and the data of the next frame, which is short."""
        first, size = self.reader.read(2)
        if size == 126:
            size = int.from_bytes(self.reader.read(2), "big")
        return first & 0x0F, self.reader.read(size)

    def send(self, opcode, data):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.connection.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + mask + masked)

    def state(self):
        opcode, data = self.receive()
        if opcode != TEXT:
            sys.exit(f"a frame of another kind: {opcode} {data}")
        return json.loads(data)


def main():
    client = Client(sys.argv[1])
    if client.state()["target"] == WANTED:
        sys.exit("the temperature is there already")
    client.send(TEXT, json.dumps({"target": WANTED}).encode())
    while client.state()["target"] != WANTED:
        pass
    client.send(CLOSE, (1000).to_bytes(2, "big"))
    while (frame := client.receive())[0] == TEXT:
        pass
    if frame != (CLOSE, (1000).to_bytes(2, "big")) or client.reader.read():
        sys.exit(f"closed otherwise: {frame}")


if __name__ == "__main__":
    main()
