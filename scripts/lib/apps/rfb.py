#!/usr/bin/env python3
"""A screen of one colour, for VNC clients (RFC 6143): red, and blue after the first key.

    rfb PORT        listens on 127.0.0.1
"""

import socketserver
import struct
import sys

from fields import Server

WIDTH, HEIGHT = 320, 200
RED, BLUE = (255, 0, 0), (0, 0, 255)
# 32 bits a pixel, little-endian, 8 bits each at these shifts; three bytes of padding. The client may have other shifts.
SHIFTS = 16, 8, 0
FORMAT = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, *SHIFTS)


class Screen(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"RFB 003.008\n")
        self.read(12)
        self.wfile.write(b"\1\1")  # one security type: none
        self.read(1)
        self.wfile.write(b"\0\0\0\0")
        self.read(1)
        self.wfile.write(struct.pack(">HH", WIDTH, HEIGHT) + FORMAT + struct.pack(">I", 5) + b"Stove")
        self.shifts = SHIFTS
        self.colour, self.is_due, self.is_asked = RED, True, False
        while (kind := self.rfile.read(1)):
            self.take(kind[0])
            if self.is_due and self.is_asked:
                self.update()

    def take(self, kind):
        if kind == 0:
            self.shifts = struct.unpack(">3x10x3B3x", self.read(19))
        elif kind == 2:
            self.read(4 * struct.unpack(">xH", self.read(3))[0])
        elif kind == 3:
            self.is_due |= self.read(9)[0] == 0
            self.is_asked = True
        elif kind == 4:
            self.read(7)
            self.is_due |= self.colour != BLUE
            self.colour = BLUE
        elif kind == 5:
            self.read(5)
        elif kind == 6:
            self.read(struct.unpack(">3xi", self.read(7))[0])
        else:
            raise ConnectionAbortedError(f"a message of kind {kind}")

    def update(self):
        self.is_due = self.is_asked = False
        head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0)
        # The unused byte is opacity to noVNC 1.3.
        pixel = 0xFF << 24 | sum(part << shift for part, shift in zip(self.colour, self.shifts))
        self.wfile.write(head + pixel.to_bytes(4, "little") * (WIDTH * HEIGHT))

    def read(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionResetError("the client is gone")
        return data


Server(("127.0.0.1", int(sys.argv[1])), Screen).serve_forever()
