"""A body by XEP-0047 from node to node, and from slixmpp to slixmpp through the server on PORT, in turns, as JSON.

    ibb.py FOLDER PYTHON PORT [--quick]     FOLDER: targets, files/256MiB; PYTHON: one that knows slixmpp
"""

import subprocess
import sys
from contextlib import contextmanager

from load import HERE, MIB, downloads, say, targets, tell

ROUNDS = 5
QUICK_ROUNDS = 3

# Of these the fastest is what slixmpp is measured with: bytes of a block, and how many blocks may wait for their answers; 0 is blocks
# without answers.
BLOCKS = [4096, 8192, 16384, 65535]
WINDOWS = [1, 16, 0]
TRIAL_BYTES = MIB // 2
ROUND_BYTES = 8 * MIB
FILE_BYTES = 256 * MIB


class Slixmpp:
    """Two clients that are online, each a process of its own."""

    def __init__(self, python, port):
        program = [python, str(HERE / "slixmpp-ibb.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.receiver = subprocess.Popen([*program, "receive", port], **pipes)
        self.sender = subprocess.Popen([*program, "send", port], **pipes)
        if self.receiver.stdout.readline() != "ready\n":
            raise RuntimeError("slixmpp does not come online")

    def send(self, block, window, size):
        """MiB/s."""
        print(block, window, size, file=self.sender.stdin, flush=True)
        if not (line := self.sender.stdout.readline()):
            raise RuntimeError(f"slixmpp cannot send blocks of {block} bytes, {window} at once")
        return float(line)

    def end(self):
        for client in self.sender, self.receiver:
            client.stdin.close()
            client.wait()


@contextmanager
def slixmpp(python, port):
    clients = Slixmpp(python, port)
    try:
        yield clients
    finally:
        clients.end()


def main():
    folder, python, port = sys.argv[1:4]
    hearth = targets(f"{folder}/targets")["ibb"]
    rounds = {"hearth": [], "slixmpp": []}
    with slixmpp(python, port) as clients:
        trials = {(block, window): clients.send(block, window, TRIAL_BYTES) for window in WINDOWS for block in BLOCKS}
        best = max(trials, key=trials.get)
        say(f"slixmpp is fastest with blocks of {best[0]} bytes, " + (f"{best[1]} at once" if best[1] else "without answers"))
        for _ in range(QUICK_ROUNDS if "--quick" in sys.argv[4:] else ROUNDS):
            # Without a length that is known beforehand nothing but an in-band bytestream will do.
            rounds["hearth"].append({"ibb": downloads(hearth, "unknown/256MiB", FILE_BYTES, 1)})
            rounds["slixmpp"].append({"ibb": clients.send(*best, ROUND_BYTES)})
            say(f"  hearth {rounds['hearth'][-1]['ibb']:.4g}, slixmpp {rounds['slixmpp'][-1]['ibb']:.4g}")
    return {"rounds": rounds}


tell(main)
