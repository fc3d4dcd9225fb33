"""Two clients of slixmpp that send each other bytes by XEP-0047 through a server on loopback.

    slixmpp-ibb.py receive PORT      says "ready", takes what comes, and ends with its standard input
    slixmpp-ibb.py send PORT         for each line "BLOCK WINDOW BYTES" of its standard input: sends that much, says MiB/s

WINDOW is how many blocks may wait for their answers: slixmpp waits for each, which is 1; more are sent at once by this program.
0 is blocks in messages, which are not answered at all. Clients are sender@localhost and receiver@localhost, password "bench".
"""

import asyncio
import ssl
import sys
import time

import slixmpp

# Nothing here takes that long, unless it hangs.
ANSWER_SECONDS = 60
MIB = 1 << 20
# What XEP-0047 can say at most; slixmpp takes 8192 unless told.
LARGEST_BLOCK = 65535


class Client(slixmpp.ClientXMPP):
    def __init__(self, name):
        super().__init__(f"{name}@localhost/bench", "bench")
        self.register_plugin("xep_0047", {"auto_accept": True, "max_block_size": LARGEST_BLOCK})
        # The certificate is this bench's own.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE

    async def online(self, port):
        self.connect(("127.0.0.1", port))
        await self.wait_until("session_start", ANSWER_SECONDS)
        self.send_presence()


async def lines():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield line.decode().split()


async def receive(port):
    client = Client("receiver")
    # As it comes, so that nothing is kept.
    client.add_event_handler("ibb_stream_data", lambda stream: stream.read())
    await client.online(port)
    print("ready", flush=True)
    async for _ in lines():
        pass


async def send_answered(stream, data, window):
    """The blocks of `data`, at most `window` of them without their answers."""
    room = asyncio.Semaphore(window)

    async def send(block):
        try:
            await stream.send(block, timeout=ANSWER_SECONDS)
        finally:
            room.release()

    waiting = []
    for start in range(0, len(data), stream.block_size):
        await room.acquire()
        waiting.append(asyncio.ensure_future(send(data[start : start + stream.block_size])))
    await asyncio.gather(*waiting)


async def transfer(client, block, window, size):
    """MiB/s, from the request to open the bytestream to the answer to its end, which comes behind all blocks."""
    data = bytes(size)
    began = time.monotonic()
    stream = await client["xep_0047"].open_stream(
        "receiver@localhost/bench", block_size=block, use_messages=window == 0, timeout=ANSWER_SECONDS)
    if window == 0:
        await stream.sendall(data)
    else:
        await send_answered(stream, data, window)
    await stream.close(timeout=ANSWER_SECONDS)
    return size / MIB / (time.monotonic() - began)


async def send(port):
    client = Client("sender")
    await client.online(port)
    async for block, window, size in lines():
        print(await transfer(client, int(block), int(window), int(size)), flush=True)


role, port = sys.argv[1:]
asyncio.get_event_loop().run_until_complete({"receive": receive, "send": send}[role](int(port)))
