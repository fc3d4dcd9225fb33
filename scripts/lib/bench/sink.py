"""An app that takes uploads and forgets them: prints its port, answers with the number of bytes that came."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# One read: large enough that this app is not what is measured.
READ_BYTES = 1 << 20


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = READ_BYTES

    def do_POST(self):
        self.memory = memoryview(bytearray(READ_BYTES))
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        count = self.discard_chunks() if chunked else self.discard(int(self.headers["Content-Length"]))
        text = f"{count}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def discard(self, length):
        left = length
        while left > 0:
            count = self.rfile.readinto1(self.memory[:left])
            if count == 0:
                raise ConnectionError("the body broke off")
            left -= count
        return length

    def discard_chunks(self):
        total = 0
        while size := int(self.rfile.readline(64), 16):
            total += self.discard(size)
            self.rfile.readline(64)
        self.rfile.readline(64)
        return total

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
