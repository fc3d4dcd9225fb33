#!/usr/bin/env python3
"""WebSockets: tornado's as the app, those of the package websockets as the client.

    sockets serve PORT [PEM]    listens on 127.0.0.1; /echo and /news; by TLS with the certificate and key in a file
    sockets check URL           all that a client may want; URL is the device's, ws://…
    sockets wait URL            prints "open", and then how it ended: nothing comes by itself

/echo gives back each message. It ends with the code that the message `close CODE REASON` has, and takes the first subprotocol
that the client offers and it knows. /news says how many sockets of /echo are open, and how they closed.
"""

import asyncio
import json
import sys
import time

import tornado.web
import tornado.websocket
import websockets
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from telling import check, verdict

LARGEST = 16 << 20
MANY = 10_000
closed = []
opened = 0


class Echo(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return next((name for name in subprotocols if name in ("binary", "graphql-ws")), None)

    def get_compression_options(self):
        return {}

    def open(self):
        global opened
        opened += 1

    async def on_message(self, message):
        if isinstance(message, str) and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            self.close(int(code), reason)
        else:
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        closed.append([self.close_code, self.close_reason])


class News(tornado.web.RequestHandler):
    def get(self):
        self.write(json.dumps({"open": opened - len(closed), "closed": closed}))


async def serve(port, *pem):
    app = tornado.web.Application([("/echo", Echo), ("/news", News)], websocket_max_message_size=LARGEST,
                                  websocket_ping_interval=5)
    app.listen(port, "127.0.0.1", ssl_options={"certfile": pem[0], "keyfile": pem[0]} if pem else None)
    await asyncio.Event().wait()


async def news(url):
    client = await asyncio.create_subprocess_exec("curl", "--silent", "--max-time", "20",
                                                  url.replace("ws:", "http:") + "news", stdout=asyncio.subprocess.PIPE)
    return json.loads((await client.communicate())[0])


async def eventually(look, seconds=10):
    end = time.monotonic() + seconds
    while not (value := await look()) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    return value


class Client:
    def __init__(self, url):
        self.url, self.origin = url, url.replace("ws:", "http:").rstrip("/")

    def open(self, **options):
        return connect(self.url + "echo", origin=self.origin, max_size=LARGEST, proxy=None, **{"compression": None} | options)

    async def many(self):
        """As many as the sender can have under way, so that both directions are full at once."""
        async with self.open() as socket:
            async def send():
                for number in range(MANY):
                    await socket.send(f"message {number}")

            began = time.monotonic()
            sending = asyncio.ensure_future(send())
            got = [await socket.recv() for _ in range(MANY)]
            await sending
            took = time.monotonic() - began
            check(f"{MANY} messages both ways, {MANY / took:.0f} a second", got == [f"message {n}" for n in range(MANY)])
            check("at least a thousand a second", took < MANY / 1000, took)

    async def one_by_one(self):
        async with self.open() as socket:
            began = time.monotonic()
            for number in range(1000):
                await socket.send(str(number))
                if await socket.recv() != str(number):
                    return check("one by one", False, number)
            check(f"one by one, {(time.monotonic() - began):.2f} ms each", True)

    async def large(self):
        message = bytes(range(256)) * (LARGEST // 256)
        async with self.open() as socket:
            await socket.send(message)
            check("a message of 16 MiB", await socket.recv() == message)
            await socket.send([message[:1000], message[1000:70000], message[70000:]])
            check("the same in three fragments", await socket.recv() == message)
            await socket.send("")
            check("an empty one", await socket.recv() == "")
            await socket.send("Küche 🔥")
            check("text", await socket.recv() == "Küche 🔥")

    async def pings(self):
        async with self.open() as socket:
            rounds = await asyncio.wait_for(await socket.ping(b"x" * 125), 10)
            check(f"ping and pong, {rounds * 1000:.1f} ms", True)

    async def subprotocol(self):
        async with self.open(subprotocols=["mqtt", "graphql-ws"]) as socket:
            check("the subprotocol that both know", socket.subprotocol == "graphql-ws", socket.subprotocol)
        async with self.open() as socket:
            check("none where none is asked for", socket.subprotocol is None, socket.subprotocol)

    async def compression(self):
        factory = ClientPerMessageDeflateFactory(client_max_window_bits=True)
        async with self.open(extensions=[factory]) as socket:
            names = [extension.name for extension in socket.protocol.extensions]
            check("permessage-deflate", names == ["permessage-deflate"], names)
            text = "the same again " * 100_000
            await socket.send(text)
            check("a compressed message", await socket.recv() == text)

    async def closing(self):
        for code, reason in (4001, "not now"), (1000, ""), (1011, "Küche"):
            async with self.open() as socket:
                await socket.send(f"close {code} {reason}")
                try:
                    await socket.recv()
                except websockets.ConnectionClosed:
                    pass
                check(f"the app closes with {code}", (socket.close_code, socket.close_reason) == (code, reason),
                      (socket.close_code, socket.close_reason))
        socket = await self.open()
        await socket.close(4002, "enough")
        arrives = await eventually(lambda: self.has_closed([4002, "enough"]))
        check("the client's code reaches the app", arrives, await news(self.url))

    async def has_closed(self, how):
        return how in (await news(self.url))["closed"]

    async def death(self):
        """A client that is gone without a word is gone at the app, too."""
        sockets = [await self.open() for _ in range(5)]
        check("five at once", (await news(self.url))["open"] >= 5, await news(self.url))
        for socket in sockets:
            socket.transport.abort()
        check("clients that died are gone at the app", await eventually(self.are_all_closed), await news(self.url))

    async def are_all_closed(self):
        return (await news(self.url))["open"] == 0

    async def foreign(self):
        try:
            async with connect(self.url + "echo", origin="http://evil.example", proxy=None):
                check("another page's socket is refused", False)
        except websockets.InvalidStatus as error:
            check("another page's socket is refused", error.response.status_code == 403, error)

    async def not_there(self):
        try:
            async with connect(self.url + "nothing", origin=self.origin, proxy=None):
                check("what is no socket answers as HTTP", False)
        except websockets.InvalidStatus as error:
            check("what is no socket answers as HTTP", error.response.status_code == 404, error)


async def look(url):
    client = Client(url)
    for part in (client.many, client.one_by_one, client.large, client.pings, client.subprotocol, client.compression,
                 client.closing, client.death, client.foreign, client.not_there):
        try:
            await asyncio.wait_for(part(), 60)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            check(part.__name__, False, error)
    verdict()


async def wait(url):
    socket = await Client(url).open(ping_interval=None)
    print("open", flush=True)
    await socket.wait_closed()
    print(f"ended {socket.close_code} {socket.close_reason}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2]), *sys.argv[3:]))
    else:
        asyncio.run({"check": look, "wait": wait}[sys.argv[1]](sys.argv[2]))
