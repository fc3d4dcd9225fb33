#!/usr/bin/env python3
"""An app of tornado with what pages use: a login that looks at Origin and token, a WebSocket, events, an upload, a video.

    webapp PORT VIDEO       listens on 127.0.0.1
"""

import asyncio
import sys

import tornado.iostream
import tornado.web
import tornado.websocket

PAGE = """<!doctype html>
<title>{title}</title>
<h1>{title}</h1>
{body}
"""
LOGIN = """<form method="post" action="/login">{token}
<input name="name"><input name="password" type="password"><button>Log in</button></form>"""
# The ranges of the video that were asked for.
asked = []


class Home(tornado.web.RequestHandler):
    def get(self):
        name = self.get_signed_cookie("name")
        if name is None:
            self.write(PAGE.format(title="Log in", body=LOGIN.format(token=self.xsrf_form_html())))
        else:
            self.write(PAGE.format(title="Home", body=f"<p id=who>{name.decode()}</p><video controls width=320></video>"))


class Login(tornado.web.RequestHandler):
    def post(self):
        if self.request.headers.get("Origin") != f"http://{self.request.host}":
            raise tornado.web.HTTPError(403, "Origin is %s", self.request.headers.get("Origin"))
        if self.get_argument("password") != "secret":
            raise tornado.web.HTTPError(401)
        self.set_signed_cookie("name", self.get_argument("name"), httponly=True, samesite="Strict")
        self.redirect(f"http://{self.request.host}/")


class Socket(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "second" if "second" in subprotocols else None

    def get_compression_options(self):
        return {}

    async def on_message(self, message):
        if message == "close":
            self.close(4001, "not now")
        else:
            await self.write_message(message, binary=isinstance(message, bytes))


class Events(tornado.web.RequestHandler):
    async def get(self):
        self.set_header("Content-Type", "text/event-stream")
        try:
            for number in range(1000):
                self.write(f"id: {number}\ndata: event {number}\n\n")
                await self.flush()
                await asyncio.sleep(0.1)
        except tornado.iostream.StreamClosedError:
            pass


@tornado.web.stream_request_body
class Upload(tornado.web.RequestHandler):
    def prepare(self):
        self.request.connection.set_max_body_size(1 << 30)
        self.size = 0

    def check_xsrf_cookie(self):
        """The page sends no form here."""

    async def data_received(self, chunk):
        self.size += len(chunk)
        # Slower than loopback, so that the browser has progress to tell.
        await asyncio.sleep(0.001)

    def post(self):
        self.write({"size": self.size})


class Video(tornado.web.StaticFileHandler):
    def prepare(self):
        asked.append(self.request.headers.get("Range", ""))

    @classmethod
    def get_absolute_path(cls, root, path):
        return sys.argv[2]

    def validate_absolute_path(self, root, absolute_path):
        return absolute_path


class Ranges(tornado.web.RequestHandler):
    def get(self):
        self.write({"ranges": asked})


async def serve(port):
    app = tornado.web.Application(
        [("/", Home), ("/login", Login), ("/socket", Socket), ("/events", Events), ("/upload", Upload), ("/ranges", Ranges),
         ("/(video.webm)", Video, {"path": "/"})],
        cookie_secret="of this test", xsrf_cookies=True)
    app.listen(port, "127.0.0.1", max_body_size=1 << 30)
    await asyncio.Event().wait()


asyncio.run(serve(int(sys.argv[1])))
