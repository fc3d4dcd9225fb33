"""HTTP/1.1 as bytes, for apps and clients that say what no library would."""

import socket

FRONT = 8332


class Answer:
    """One response, read from a connection until it is complete; `body` ends early only where the connection did."""

    def __init__(self, reader, method="GET"):
        line = reader.readline()
        parts = line.split(None, 2)
        self.status = int(parts[1]) if len(parts) > 1 else 0
        self.reason = parts[2].strip() if len(parts) > 2 else b""
        self.fields = []
        while (line := reader.readline().rstrip(b"\r\n")):
            name, _, value = line.partition(b":")
            self.fields.append((name.decode("latin-1").lower(), value.strip(b" \t")))
        self.trailers = []
        self.is_complete = True
        self.body = self.read_body(reader, method)

    def read_body(self, reader, method):
        if method == "HEAD" or self.status < 200 or self.status in (204, 304):
            return b""
        if self.field("transfer-encoding") == b"chunked":
            return b"".join(self.chunks(reader))
        length = self.field("content-length")
        body = reader.read() if length is None else reader.read(int(length))
        self.is_complete = length is None or len(body) == int(length)
        return body

    def chunks(self, reader):
        while (line := reader.readline()):
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            yield reader.read(size)
            reader.readline()
        self.is_complete = bool(line)
        while (line := reader.readline().rstrip(b"\r\n")):
            name, _, value = line.partition(b":")
            self.trailers.append((name.decode("latin-1").lower(), value.strip()))

    def all(self, name):
        return [value for other, value in self.fields if other == name]

    def field(self, name):
        return (self.all(name) or [None])[0]


def connect(port=FRONT):
    connection = socket.create_connection(("127.0.0.1", port), 60)
    return connection, connection.makefile("rb")


def exchange(data, method="GET", port=FRONT):
    """Sends these bytes on a connection of their own; interim responses are passed over."""
    connection, reader = connect(port)
    with connection, reader:
        connection.sendall(data)
        answer = Answer(reader, method)
        while 100 <= answer.status < 200:
            answer = Answer(reader, method)
        return answer


def authority(jid):
    return f"{jid.replace('@', '--')}.localhost:{FRONT}"


def head(line, jid, *fields):
    """A request's head; `fields` are lines, in characters of Latin-1."""
    return "\r\n".join([line, f"Host: {authority(jid)}", *fields, "", ""]).encode("latin-1")
