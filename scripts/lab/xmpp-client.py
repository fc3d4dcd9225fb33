#!/usr/bin/env python3
"""Another client of an account, by slixmpp.

    xmpp-client.py ask JID PASSWORD HOST PORT WHOM SECONDS    asks WHOM what it is (XEP-0030), and prints its features, one a line
    xmpp-client.py open JID PASSWORD HOST PORT WHOM            opens an in-band bytestream (XEP-0047), and prints the condition that comes
    xmpp-client.py ping JID PASSWORD HOST PORT COUNT           pings the server so often (XEP-0199), and prints the median in µs
    xmpp-client.py stay JID PASSWORD HOST PORT                says "here", and stays until it is ended
"""
import asyncio
import ssl
import statistics
import sys
import time

import slixmpp


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password, work):
        super().__init__(jid, password)
        self.work = work
        # Which server it is, is another test's matter.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        # It would bind its login to TLS 1.3 in a way that there is none of.
        self["feature_mechanisms"].use_mech = "PLAIN"
        self.register_plugin("xep_0030")
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: self.end("not logged in"))

    def end(self, problem):
        print(problem, flush=True)
        sys.exit(1)

    async def start(self, _):
        self.send_presence(ppriority=-1)
        await self.work(self)


async def ask(client, whom, seconds):
    print("asking", flush=True)
    try:
        answer = await client["xep_0030"].get_info(jid=whom, timeout=int(seconds))
    except (slixmpp.exceptions.IqError, slixmpp.exceptions.IqTimeout) as error:
        client.end(f"no answer: {error}")
    for feature in sorted(answer["disco_info"]["features"]):
        print(feature, flush=True)
    client.disconnect()


async def open_bytestream(client, whom):
    iq = client.make_iq_set(ito=whom)
    iq.append(slixmpp.xmlstream.ET.fromstring(
        "<open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='1' stanza='iq'/>"))
    try:
        await iq.send(timeout=20)
        print("taken", flush=True)
    except slixmpp.exceptions.IqError as error:
        print(error.condition, flush=True)
    client.disconnect()


async def ping(client, count):
    times = []
    for _ in range(int(count)):
        iq = client.make_iq_get(ito=client.boundjid.domain)
        iq.append(slixmpp.xmlstream.ET.fromstring("<ping xmlns='urn:xmpp:ping'/>"))
        began = time.perf_counter()
        await iq.send(timeout=20)
        times.append(time.perf_counter() - began)
    print(int(statistics.median(times) * 1e6), flush=True)
    client.disconnect()


async def stay(_):
    print("here", flush=True)
    await asyncio.sleep(3600)


verb, jid, password, host, port, *rest = sys.argv[1:]
work = {"ask": ask, "open": open_bytestream, "ping": ping, "stay": stay}[verb]
client = Client(jid, password, lambda client: work(client, *rest))
client.connect((host, int(port)))
client.process(forever=False)
