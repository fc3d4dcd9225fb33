#!/usr/bin/env python3
"""Two rules of real apps about who forwards.

    forwarded PORT      listens on 127.0.0.1

  GET /none       400 where there is any X-Forwarded-For or Forwarded: Home Assistant, as it is installed
  GET /address    400 where a part of X-Forwarded-For is no IP address: OctoPrint; else 200 with the first part
"""

import ipaddress
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        lines = self.headers.get_all("X-Forwarded-For", [])
        if self.path == "/none":
            is_refused = bool(lines) or "Forwarded" in self.headers
            return self.answer(400 if is_refused else 200, ", ".join(lines))
        parts = [part.strip() for line in lines for part in line.split(",")]
        try:
            for part in parts:
                ipaddress.ip_address(part)
        except ValueError as error:
            return self.answer(400, str(error))
        return self.answer(200, parts[0] if parts else "")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
