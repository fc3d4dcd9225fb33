#!/usr/bin/env python3
"""A peer of XEP-0332 that is no node of ours, by slixmpp, at an account on a server.

    foreign-peer.py DIALECT get JID PASSWORD HOST PORT WHOM RESOURCE         prints the status, bytes and SHA-256 of what comes
    foreign-peer.py DIALECT post JID PASSWORD HOST PORT WHOM RESOURCE BYTES  the same with a body of so many bytes
    foreign-peer.py DIALECT items JID PASSWORD HOST PORT WHOM                prints the addresses that WHOM lists (XEP-0030)
    foreign-peer.py DIALECT flood JID PASSWORD HOST PORT WHOM                says "flooding", and asks as fast as the server takes it
    foreign-peer.py DIALECT serve JID PASSWORD HOST PORT                     says "here", and answers until it is ended

DIALECT is how it speaks: slixmpp (its own plugin, bodies as text in the stanza), httpx (xmpp-httpx: bodies by in-band bytestreams, chunks from 0,
the last one empty), gateway (IoTGateway: `s5`, base64 and chunks, its own word for giving up) or sipub (large bodies of its own are published,
XEP-0137, and to be fetched from it by SOCKS5, XEP-0065, and in no other way). It is a contact of whoever wants that.
What it serves: /text, and /large?BYTES of pseudo-random bytes; what is posted comes back as its length and SHA-256.
"""
import asyncio
import base64
import hashlib
import ssl
import sys
import uuid
from xml.sax.saxutils import escape

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

HTTP = "urn:xmpp:http"
SHIM = "http://jabber.org/protocol/shim"
IBB = "http://jabber.org/protocol/ibb"
SIPUB = "http://jabber.org/protocol/sipub"
SI = "http://jabber.org/protocol/si"
FILE = "http://jabber.org/protocol/si/profile/file-transfer"
SOCKS5 = "http://jabber.org/protocol/bytestreams"
LIMIT = 60  # seconds, for each answer


def body_of(resource):
    if not resource.startswith("/large?"):
        return b"a foreign peer's page\n"
    count = int(resource.partition("?")[2])
    block = hashlib.sha512(b"large").digest()
    return (block * (count // len(block) + 1))[:count]


def digest(data):
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


class Incoming:
    """A body that comes beside its stanza."""

    def __init__(self):
        self.data = bytearray()
        self.done = asyncio.get_event_loop().create_future()

    def add(self, text, is_last):
        self.data += base64.b64decode(text or "")
        if is_last:
            self.end()

    def end(self):
        if not self.done.done():
            self.done.set_result(bytes(self.data))


class Peer(slixmpp.ClientXMPP):
    def __init__(self, dialect, jid, password, work):
        super().__init__(jid, password)
        self.dialect, self.work = dialect, work
        self.incoming = {}
        self.published = {}
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self["feature_mechanisms"].use_mech = "PLAIN"
        for plugin in ["xep_0030", "xep_0199"] + (["xep_0332"] if dialect == "slixmpp" else []):
            self.register_plugin(plugin)
        self["xep_0030"].add_feature(HTTP)
        self.auto_authorize = self.auto_subscribe = True
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: self.fail("not logged in"))
        for name, path, handler in [
            ("req", f"iq/{{{HTTP}}}req", self.requested), ("open", f"iq/{{{IBB}}}open", self.opened),
            ("data", f"iq/{{{IBB}}}data", self.block), ("close", f"iq/{{{IBB}}}close", self.closed),
            ("chunk", f"message/{{{HTTP}}}chunk", self.chunk), ("start", f"iq/{{{SIPUB}}}start", self.started),
        ]:
            self.register_handler(Callback(name, MatchXPath(f"{{{self.default_ns}}}{path}"), handler))

    def fail(self, problem):
        print(problem, flush=True)
        sys.exit(1)

    async def start(self, _):
        self.send_presence(ppriority=5)
        await self.get_roster()
        try:
            await self.work(self)
        except Exception as error:  # pylint: disable=broad-except
            self.fail(f"{type(error).__name__}: {error}")

    # ---- bodies beside the stanza -------------------------------------------------------------------------------

    def body(self, key):
        return self.incoming.setdefault(key, Incoming())

    def opened(self, iq):
        self.body(iq.xml[0].get("sid"))
        iq.reply().send()

    def block(self, iq):
        self.body(iq.xml[0].get("sid")).add(iq.xml[0].text, False)
        iq.reply().send()

    def closed(self, iq):
        self.body(iq.xml[0].get("sid")).end()
        iq.reply().send()

    def chunk(self, message):
        chunk = message.xml.find(f"{{{HTTP}}}chunk")
        self.body(chunk.get("streamId")).add(chunk.text, chunk.get("last") in ("true", "1"))

    async def read(self, answer):
        """The whole body of a request or an answer."""
        data = answer.find(f"{{{HTTP}}}data")
        if data is None or not len(data):
            return b""
        part = data[0]
        name = part.tag.partition("}")[2]
        if name == "text":
            return (part.text or "").encode()
        if name == "xml":
            return ET.tostring(part[0])
        if name == "base64":
            return base64.b64decode(part.text or "")
        key = part.get("sid") or part.get("streamId")
        data = await asyncio.wait_for(self.body(key).done, LIMIT)
        del self.incoming[key]
        return data

    async def send_chunks(self, whom, stream, data, size):
        """xmpp-httpx ends with an empty one, IoTGateway with one that carries the end."""
        blocks = [data[at:at + size] for at in range(0, len(data), size)]
        if self.dialect == "httpx":
            blocks.append(b"")
        for number, block in enumerate(blocks):
            last = " last='true'" if number + 1 == len(blocks) else ""
            message = self.make_message(mto=whom, mtype="normal")
            text = base64.b64encode(block).decode()
            message.xml.append(ET.fromstring(
                f"<chunk xmlns='{HTTP}' streamId='{stream}' nr='{number}'{last}>{text}</chunk>"))
            message.send()
            # No faster than the server takes it.
            await asyncio.sleep(0.002)

    async def send_blocks(self, whom, sid, data, size):
        await self.ask(whom, "set", f"<open xmlns='{IBB}' block-size='{size}' sid='{sid}' stanza='iq'/>")
        for number, at in enumerate(range(0, len(data), size)):
            text = base64.b64encode(data[at:at + size]).decode()
            await self.ask(whom, "set", f"<data xmlns='{IBB}' seq='{number}' sid='{sid}'>{text}</data>")
        try:
            await self.ask(whom, "set", f"<close xmlns='{IBB}' sid='{sid}'/>")
        except IqError as error:
            # Whoever knows the length has all by then, and may have forgotten it.
            if error.condition != "item-not-found":
                raise

    def publish(self, name, data):
        """What stands in the answer for a body that has to be asked for."""
        self.published[name] = data
        return f"<sipub xmlns='{SIPUB}' id='{name}' profile='{FILE}'><file xmlns='{FILE}' name='{name}' size='{len(data)}'/></sipub>"

    def started(self, iq):
        name = iq.xml[0].get("id")
        reply = iq.reply()
        reply.xml.append(ET.fromstring(f"<starting xmlns='{SIPUB}' sid='{name}'/>"))
        reply.send()
        asyncio.ensure_future(self.hand_over(iq["from"], name, self.published.pop(name)))

    async def hand_over(self, whom, sid, data):
        """By SOCKS5 and nothing else: says where, and sends it to who connects and knows the name."""
        await self.ask(
            whom, "set", f"<si xmlns='{SI}' id='{sid}' profile='{FILE}'><file xmlns='{FILE}' name='{sid}' size='{len(data)}'/>"
            "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'>"
            f"<field var='stream-method' type='list-single'><option><value>{SOCKS5}</value></option></field></x></feature></si>")
        name = hashlib.sha1(f"{sid}{self.boundjid.full}{whom}".encode()).hexdigest().encode()
        sent = asyncio.get_event_loop().create_future()

        async def connected(reader, writer):
            # The greeting, then the destination: of 40 bytes, by name, port 0 (XEP-0065 §5.3.2).
            await reader.readexactly(3)
            writer.write(b"\5\0")
            request = await reader.readexactly(47)
            if request[5:45] == name:
                writer.write(b"\5\0\0" + request[3:])
                await told
                writer.write(data)
                await writer.drain()
                print("handed over to", writer.get_extra_info("peername")[0], flush=True)
            writer.close()
            if not sent.done():
                sent.set_result(None)

        host = self.transport.get_extra_info("sockname")[0]
        listener = await asyncio.start_server(connected, host, 0)
        port = listener.sockets[0].getsockname()[1]
        told = asyncio.ensure_future(self.ask(
            whom, "set", f"<query xmlns='{SOCKS5}' sid='{sid}'><streamhost jid='{self.boundjid.full}' host='{host}' port='{port}'/></query>"))
        await told
        await sent
        listener.close()

    def iq(self, whom, kind):
        iq = self.Iq()
        iq["to"], iq["type"] = whom, kind
        return iq

    async def ask(self, whom, kind, payload):
        iq = self.iq(whom, kind)
        iq.append(ET.fromstring(payload))
        return await iq.send(timeout=LIMIT)

    # ---- as a client --------------------------------------------------------------------------------------------

    def element(self, method, resource, data, stream):
        attributes = {
            "httpx": "maxChunkSize='4096'",
            "gateway": "maxChunkSize='6000' sipub='false' ibb='true' s5='true' jingle='false'",
        }[self.dialect]
        inside = ""
        if data and stream is None:
            inside = f"<data><base64>{base64.b64encode(data).decode()}</base64></data>"
        elif data and self.dialect == "httpx":
            inside = f"<data><ibb sid='{stream}'/></data>"
        elif data:
            inside = f"<data><chunkedBase64 streamId='{stream}'/></data>"
        fields = "<header name='Host'>somewhere</header>"
        if data:
            fields += f"<header name='Content-Type'>application/octet-stream</header><header name='Content-Length'>{len(data)}</header>"
        return (f"<req xmlns='{HTTP}' method='{method}' resource='{escape(resource)}' version='1.1' {attributes}>"
                f"<headers xmlns='{SHIM}'>{fields}</headers>{inside}</req>")

    async def fetch(self, whom, method, resource, data=b""):
        if self.dialect == "slixmpp":
            answer = await self["xep_0332"].send_request(
                to=whom, method=method, resource=resource, headers={}, data=data.decode() or None, timeout=LIMIT)
            response = answer["http-resp"]
            return response["code"], await self.read(response.xml)
        stream = uuid.uuid4().hex if len(data) > 4096 else None
        iq = self.iq(whom, "set" if self.dialect == "httpx" or data else "get")
        iq.append(ET.fromstring(self.element(method, resource, data, stream)))
        sending = None
        if stream and self.dialect == "httpx":
            sending = asyncio.ensure_future(self.send_blocks(whom, stream, data, 4096))
            answer = iq.send(timeout=LIMIT)
        elif stream:
            # Strictly after the request.
            answer = iq.send(timeout=LIMIT)
            await self.send_chunks(whom, stream, data, 6000)
        else:
            answer = iq.send(timeout=LIMIT)
        answer = await answer
        if sending:
            await sending
        response = answer.xml.find(f"{{{HTTP}}}resp")
        if response is None:
            return "none", b""
        return response.get("statusCode"), await self.read(response)

    # ---- as a server --------------------------------------------------------------------------------------------

    def requested(self, iq):
        asyncio.ensure_future(self.answer(iq))

    async def answer(self, iq):
        request = iq.xml.find(f"{{{HTTP}}}req")
        print("asked", request.get("method"), request.get("resource"), flush=True)
        data = await self.read(request)
        body = digest(data).encode() if request.get("method") == "POST" else body_of(request.get("resource"))
        inside, size, stream = f"<base64>{base64.b64encode(body).decode()}</base64>", None, uuid.uuid4().hex
        if len(body) > 4096 and self.dialect == "httpx":
            inside, size = f"<ibb sid='{stream}'/>", min(int(request.get("maxChunkSize") or 4096), 6000)
        elif len(body) > 4096 and self.dialect == "sipub":
            inside = self.publish(stream, body)
        elif len(body) > 4096:
            inside, size = f"<chunkedBase64 streamId='{stream}'/>", min(int(request.get("maxChunkSize") or 4096), 6000)
        reply = iq.reply()
        reply.xml.append(ET.fromstring(
            f"<resp xmlns='{HTTP}' version='1.1' statusCode='200' statusMessage='OK'>"
            f"<headers xmlns='{SHIM}'><header name='Content-Type'>text/plain</header>"
            f"<header name='Content-Length'>{len(body)}</header></headers><data>{inside}</data></resp>"))
        reply.send()
        if size and self.dialect == "httpx":
            await self.send_blocks(iq["from"], stream, body, size)
        elif size:
            await self.send_chunks(iq["from"], stream, body, size)


async def get(peer, whom, resource):
    await said(peer, whom, "GET", resource, b"")


async def post(peer, whom, resource, count):
    data = b"x" * int(count) if peer.dialect == "slixmpp" else body_of(f"/large?{count}")
    await said(peer, whom, "POST", resource, data)


async def said(peer, whom, method, resource, data):
    try:
        status, body = await peer.fetch(whom, method, resource, data)
        print(status, digest(body), flush=True)
    except IqError as error:
        print(error.condition, flush=True)
        print(error.iq, file=sys.stderr)
    except IqTimeout:
        print("no answer", flush=True)
    peer.disconnect()


async def items(peer, whom):
    answer = await peer["xep_0030"].get_items(jid=whom, timeout=LIMIT)
    for item in sorted(str(item[0]) for item in answer["disco_items"]["items"]):
        print(item, flush=True)
    peer.disconnect()


async def flood(peer, whom):
    print("flooding", flush=True)
    while True:
        for _ in range(20):
            iq = peer.iq(whom, "set")
            iq.append(ET.fromstring(peer.element("GET", "/api/state", b"", None)))
            iq.send(timeout=LIMIT).add_done_callback(lambda answer: answer.cancelled() or answer.exception())
        await asyncio.sleep(0.01)


async def serve(_):
    print("here", flush=True)
    await asyncio.sleep(3600)


dialect, verb, jid, password, host, port, *rest = sys.argv[1:]
work = {"get": get, "post": post, "items": items, "flood": flood, "serve": serve}[verb]
peer = Peer(dialect, jid, password, lambda peer: work(peer, *rest))
peer.connect((host, int(port)))
peer.process(forever=False)
