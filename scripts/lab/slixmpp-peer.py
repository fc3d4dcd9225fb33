"""A client of slixmpp at a node's port: `slixmpp-peer.py HOST PORT NODE PUBLIC BARE` says what it is told, line by line.

It takes STARTTLS, has no certificate, and goes on without SASL, which is not offered.
"""
import asyncio
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout

host, port, node, public, bare = sys.argv[1:]
LIMIT = 10  # seconds, for each answer


class Peer(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__("romeo@laptop", "")
        for plugin in ("xep_0030", "xep_0199", "xep_0332"):
            self.register_plugin(plugin)
        # A node's certificate is its own work.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.heard = asyncio.Queue()
        self.negotiated = asyncio.Event()
        self.add_event_handler("stream_negotiated", lambda _: self.negotiated.set())
        self.add_event_handler("message", self.heard.put_nowait)

    async def run(self):
        await asyncio.wait_for(self.negotiated.wait(), LIMIT)
        print("tls", self.transport.get_extra_info("ssl_object").version(), *sorted(self.features))
        # Nobody authenticates here: what was held back for that goes out now.
        self.event("session_start")
        await self["xep_0199"].send_ping(node, timeout=LIMIT)
        print("ping")
        for device in (public, bare):
            print("http", device, await self.ask(device))
        self.send_message(node, "Hello?", mtype="chat")
        print("chat", (await asyncio.wait_for(self.heard.get(), LIMIT))["body"])
        self.send_presence_subscription(node)
        # Behind it: it has been read by then.
        await self["xep_0199"].send_ping(node, timeout=LIMIT)
        print("subscribed")

    async def ask(self, device):
        try:
            answer = await self["xep_0332"].send_request(
                to=device, method="GET", resource="/", headers={}, timeout=LIMIT)
            return answer["http-resp"]["code"]
        except IqError as error:
            return error.condition, error.text
        except IqTimeout:
            return "no answer"


async def main():
    peer = Peer()
    if slixmpp.__version_info__ < (1, 9):
        peer.connect((host, int(port)))
    else:
        peer.connect(host, int(port))
    await peer.run()


asyncio.get_event_loop().run_until_complete(main())
