"""A client that reads a body at a rate of its own, as a player does: reader.py PORT HOST PATH BYTES_PER_SECOND

Says "flows" when the body comes, and on SIGTERM how many bytes a second it has read since. Exits with 1 where the body ends before.
"""

import signal
import socket
import sys
import time

# Often enough that the body never pauses for as long as a small request takes.
PAUSE_SECONDS = 0.001


def main(port, host, path, rate):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    memory = memoryview(bytearray(int(rate * PAUSE_SECONDS) * 4))
    head = connection.recv(12)
    if head != b"HTTP/1.1 200":
        sys.exit(f"the body does not come: {head!r}")
    print("flows", flush=True)
    read, began = 0, time.monotonic()

    def end(*_):
        print(read / (time.monotonic() - began), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        allowed = int((time.monotonic() - began) * rate) - read
        if allowed <= 0:
            time.sleep(PAUSE_SECONDS)
            continue
        count = connection.recv_into(memory[:allowed])
        if count == 0:
            sys.exit("the body ended")
        read += count


main(int(sys.argv[1]), *sys.argv[2:4], float(sys.argv[4]))
