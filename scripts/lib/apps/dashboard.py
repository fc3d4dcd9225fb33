#!/usr/bin/env python3
"""The dashboard as people use it, in a browser that runs already.

    dashboard chromium|firefox FRONT-PORT PI-SOCKET OWN-SOCKET AXE [FOLDER]
    dashboard changed chromium|firefox FRONT-PORT AXE [FOLDER]
                                        looks at thermostat@pi, which shows another key than before
    dashboard restart FRONT-PORT        says when the node is to end, and when to come back

The browser's node is `laptop`, and has a friend `kitchen-pi`: the node behind PI-SOCKET, with the device thermostat@pi. AXE is
axe.min.js; FOLDER gets pictures. $HEARTH is the program.
"""

import contextlib
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from telling import check, eventually, verdict
from webdriver import Chromium, Firefox

TAB, ENTER = "\ue004", "\ue007"
APP = 9100
AXE = """
  const {violations} = await window.axe.run(document, {resultTypes: ['violations']});
  return violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target + ' ' + n.failureSummary))"""


def png(width, height):
    """A picture in one colour."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress((b"\0" + b"\x20\x80\xc0" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        isIcon = self.path == "/favicon.ico"
        self.send_response(200)
        self.send_header("Content-Type", "image/png" if isIcon else "text/html")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(png(17, 17) if isIcon else b"<!doctype html><title>The app</title><h1>The app</h1>")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Running:
    """An app of the browser's machine."""

    def __enter__(self):
        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", APP), App)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Home:
    def __init__(self, browser, kind, front, pi, own, axe, folder):
        self.browser, self.kind, self.pi, self.own, self.folder = browser, kind, pi, own, folder
        self.url = f"http://hearth.localhost:{front}/"
        self.front = front
        with open(axe, encoding="utf-8") as file:
            self.axe = file.read()

    def hearth(self, socket, *arguments):
        command = [os.environ["HEARTH"], *arguments]
        result = subprocess.run(command, env={**os.environ, "HEARTH_SOCKET": socket}, capture_output=True, text=True)
        check(f"hearth {' '.join(arguments)[:60]}", result.returncode == 0, result.stderr)
        return result.stdout

    def control(self, method, path, body=None):
        """A request to the node's own control socket."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.own)
        connection.request(method, path, body and json.dumps(body))
        answer = connection.getresponse()
        check(f"{method} {path}", answer.status < 300, answer.read())

    def look(self, path=""):
        self.browser.open(self.url + path)

    def value(self, expression):
        return self.browser.run("return " + expression)

    def there(self, selector, seconds=10):
        return eventually(lambda: self.value(f"document.querySelector({selector!r}) != null"), seconds)

    def gone(self, selector):
        return eventually(lambda: not self.value(f"document.querySelector({selector!r}) != null"))

    @contextlib.contextmanager
    def next_page(self):
        """What is done in it leads to another page, which is there then: the one before may show the same for a while."""
        self.value("(document.documentElement.dataset.left = '', 1)")
        yield
        check("a page follows", eventually(lambda: "data-left" not in self.html() and "</main>" in self.html()))

    def scheme(self, name):
        """Of the page that is open, and of those after it. A page learns of a browser's setting some time later."""
        self.browser.scheme(name)
        dark = "matchMedia('(prefers-color-scheme: dark)').matches"
        check(f"the browser wants it {name}", eventually(lambda: self.value(dark) == (name == "dark")))

    def is_clean(self, page):
        found = self.browser.run(self.axe + ";" + AXE)
        check(f"axe finds nothing on {page}", found == [], found)

    def picture(self, name):
        self.browser.picture(self.folder, f"{self.kind}-{name}")

    # What is looked at.

    def live(self):
        self.look()
        check("the page is live", self.there("html[data-live]"))
        cards = self.value("[...document.querySelectorAll('#devices .card h3 bdi')].map(e => e.textContent)")
        check("a card for each node, the own one first, then friends", cards[:2] == ["This computer", "kitchen-pi"], cards)
        names = self.value("[...document.querySelectorAll('#devices .device .name')].map(e => e.textContent)")
        check("a node's own entry is no device", "hearth" not in names and "thermostat" in names, names)
        # Somebody is typing meanwhile.
        self.browser.click("#serve summary")
        self.browser.type("#serve [name=name]", "half a na")
        self.hearth(self.pi, "serve", "lamp", "http://127.0.0.1:9", "--access", "friends")
        began = time.monotonic()
        appeared = self.there("#d-lamp--pi.online", 5)
        took = time.monotonic() - began
        check(f"a device that appears is on the open page ({took:.1f} s)", appeared and took <= 2, took)
        typed = self.value("[document.activeElement.name, document.activeElement.value]")
        check("what is being typed stays", typed == ["name", "half a na"], typed)
        check("and is told to those who do not see it", "lamp is here" in self.value("document.getElementById('news').textContent"))
        self.hearth(self.pi, "unserve", "lamp")
        check("one that leaves is gone there", self.there("#d-lamp--pi.gone", 5))
        self.value("(document.getElementById('search').value = 'thermo', document.getElementById('search').dispatchEvent(new Event('input')), 1)")
        shown = self.value("[...document.querySelectorAll('#devices .device')].filter(e => e.offsetParent).map(e => e.id)")
        check("a search finds it", shown == ["d-thermostat--pi"], shown)
        zone = self.value("new Date().getTimezoneOffset()")
        times = self.value("[...document.querySelectorAll('time')].map(e => e.textContent).filter(t => t.includes('UTC'))")
        check(f"times are those of the reader's clock ({zone})", times == [], times)

    def invite(self):
        """With the keyboard alone."""
        self.look()
        # Another browser may have invited before: what is looked at is the one that comes now.
        known = self.invites()
        for _ in range(60):
            self.browser.press(TAB)
            if self.value("document.activeElement.closest('#invite') != null"):
                break
        self.browser.press(ENTER)
        for _ in range(2):
            self.browser.press(TAB)
            if self.value("document.activeElement.name") == "petname":
                break
        with self.next_page():
            self.browser.press("guest" + ENTER)
        new = self.invites() - known
        check("an invite by keyboard alone", new)
        invite = f"#invites [id={(new or known).pop()}]"
        check("on a page that is live", self.there("html[data-live]"))
        line = self.value(f"document.querySelector('{invite} .line').textContent")
        check("gives its line", line.startswith("httpx://hearth@laptop/invite/"), line)
        count = f"document.querySelector('{invite} [data-until]').textContent"
        left = self.value(count)
        fewer = eventually(lambda: int(self.value(count)) < int(left))
        check("which counts down", 500 < int(left) <= 600 and fewer, left)
        self.browser.click(f"{invite} .copy")
        told = eventually(lambda: self.value("document.getElementById('news').textContent"))
        check("and can be copied", told in ("Copied", "The line is selected: copy it"), told)

    def invites(self):
        return set(re.findall(r'<li id="(i-[0-9-]+)"', self.html()))

    def serve(self, name):
        self.look()
        with Running():
            self.fill(name)
            check("an app is served from the page", eventually(lambda: f">{name}</a>" in self.html()), self.html()[-3000:])
            self.browser.open(f"http://{name}--laptop.localhost:{self.front}/")
            shown = eventually(lambda: self.title() == "The app")
            check("and is there", shown)
        self.browser.open(f"http://{name}--laptop.localhost:{self.front}/")
        down = f"The app of {name}@laptop is not running"
        check("where it is down, a page says so", eventually(lambda: self.title() == down), self.title())

    def fill(self, name):
        self.browser.click("#serve summary")
        self.browser.type("#serve [name=name]", name)
        self.browser.type("#serve [name=target]", str(APP))
        self.browser.click("#serve form button")

    def stop(self, name):
        self.look()
        stop = f"form[action=\"/services/{name}/stop\"]"
        self.browser.click(f"details:has({stop}) summary")
        self.browser.click(f"{stop} button")
        check("it is stopped from the page", eventually(lambda: stop not in self.html() and f">{name}</a></bdi></span><span class=\"note\">for" not in self.html()))

    def icons(self):
        """Apps' own, and letters for apps that have none."""
        with Running():
            self.hearth(self.own, "serve", "iconic", str(APP))
            self.look()
            width = "document.querySelector('#d-iconic--laptop .icon img')?.naturalWidth"
            check("a device has its app's own icon", eventually(lambda: self.value(width) == 17), self.value(width))
            letter = "document.querySelector('#d-thermostat--pi .icon img')"
            shown = eventually(lambda: self.value(f"{letter}?.complete && {letter}.naturalWidth > 0"))
            check("or its letter, as a picture", shown, self.value(f"{letter}?.outerHTML"))
            self.is_clean("the dashboard with icons")
            self.picture("icons")
        self.hearth(self.own, "unserve", "iconic")

    def digits(self):
        self.control("POST", "/v1/pairing", {"device": "stranger@guest"})
        self.look()
        check("digits are there to be compared", self.there("#pairing .digits"))
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            self.is_clean(f"digits to be compared, {scheme}")
            self.picture(f"digits-{scheme}")
        self.control("DELETE", "/v1/pairing")
        check("and gone when they are not", self.gone("#pairing .digits"))

    def refused(self):
        self.look()
        self.browser.click("#join summary")
        self.browser.type("#join [name=line]", "nonsense")
        self.browser.type("#join [name=petname]", "x")
        self.browser.click("#join form button")
        check("a mistake is explained", eventually(lambda: self.title() == "That was not done"), self.title())
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            self.is_clean(f"a form that was refused, {scheme}")
            self.picture(f"refused-{scheme}")

    def missing_file(self):
        self.hearth(self.own, "serve", "folder", self.folder or "/usr/share/doc")
        url = f"http://folder--laptop.localhost:{self.front}/"
        self.browser.open(url + "nothing/here.txt")
        title = eventually(lambda: "folder@laptop has no such page" == self.title())
        check("a file that is not there is a page of this node's", title, self.title())
        self.is_clean("a page of a file that is not there")
        self.picture("no-such-file")
        self.browser.click("a[href='/']")
        check("with a way to what is there", eventually(lambda: "no such page" not in self.title()), self.title())
        self.hearth(self.own, "unserve", "folder")

    def changed(self):
        """A device whose key is another one than before."""
        for scheme in ("light", "dark"):
            self.look()
            self.scheme(scheme)
            check("the changed key is told", self.there("#problems .ids"))
            self.is_clean(f"the dashboard where a key has changed, {scheme}")
            self.picture(f"changed-{scheme}")
            self.look("ask/thermostat@pi")
            self.is_clean(f"what to do about a changed key, {scheme}")
            self.browser.open(f"http://thermostat--pi.localhost:{self.front}/")
            check("nothing is opened", self.title() == "thermostat@pi shows another key", self.title())
            self.is_clean(f"the page of a device whose key has changed, {scheme}")
            self.picture(f"changed-page-{scheme}")

    def html(self):
        return self.browser.source()

    def title(self):
        return self.browser.title()

    def failures(self, name):
        """From the page that says that the app is down."""
        self.is_clean("a page of failure")
        self.picture("down")
        self.look()
        wrong = self.value("document.getElementById('problems').innerText")
        check("the dashboard says what is wrong", f"The app of {name} does not answer" in wrong, wrong)
        self.is_clean("the dashboard where something is wrong")
        self.picture("wrong")
        self.browser.open(f"http://{name}--laptop.localhost:{self.front}/")
        with Running():
            check("it opens the device when that is back", eventually(lambda: self.title() == "The app", 30))
        for label, page in (("nobody--pi", "not there"), ("wrong", "no device")):
            self.browser.open(f"http://{label}.localhost:{self.front}/")
            self.is_clean(f"a page of failure ({page})")
            back = self.value("document.querySelector(`a[href='" + self.url + "']`) != null")
            check(f"with a way back ({page})", back or page == "no device")
            self.picture(page.replace(" ", "-"))
        self.look("nothing")
        self.is_clean("a page that is not there")

    def people(self):
        self.look()
        self.browser.click(".friend summary")
        self.value("document.querySelector('.friend [name=petname]').value = 'attic'")
        with self.next_page():
            self.browser.click(".friend form[action$=rename] button")
        renamed = eventually(lambda: self.value("document.querySelector('.friend .name')?.textContent") == "attic")
        check("a friend is renamed", renamed)
        self.hearth(self.own, "friends", "rename", "attic", "kitchen-pi")
        told = eventually(lambda: self.value("document.querySelector('.friend .name')?.textContent") == "kitchen-pi", 3)
        check("and what others change is on the open page", told)

    def sizes(self, widths):
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            for width in widths:
                self.browser.resize(width, 1400)
                for page, path in (("dashboard", ""), ("ask", "ask/stranger@guest")):
                    self.look(path)
                    check(f"{page} is there", self.there("main h1"))
                    if not path:
                        self.there("html[data-live]")
                        self.browser.click("#serve summary")
                        self.browser.click(".friend summary")
                    wide = self.value("document.documentElement.scrollWidth - innerWidth")
                    check(f"{page} fits {width} px", wide <= 0, wide)
                    self.is_clean(f"{page}, {scheme}, {width} px")
                    self.picture(f"{page}-{scheme}-{width}")

    def without_javascript(self):
        self.browser.javascript(False)
        try:
            self.look()
            text = self.html()
            check("without JavaScript the devices are there", "d-thermostat--pi" in text and "kitchen-pi" in text)
            check("and their icons", '<img src="/icons/thermostat@pi"' in text)
            self.serve("plain")
            self.stop("plain")
            self.browser.click("#join summary")
            self.browser.type("#join [name=line]", "nonsense")
            self.browser.type("#join [name=petname]", "x")
            self.browser.click("#join form button")
            check("and mistakes are explained", eventually(lambda: self.title() == "That was not done"), self.title())
            self.picture("without-javascript")
        finally:
            self.browser.javascript(True)


def restart(front):
    browser = Chromium()
    try:
        browser.open(f"http://hearth.localhost:{front}/")
        live, silence = "return document.documentElement.hasAttribute('data-live')", "return document.getElementById('silence').textContent"
        check("the page is live", eventually(lambda: browser.run(live)))
        print("end", flush=True)
        check("it says that the node does not answer", eventually(lambda: browser.run(silence), 20))
        print("begin", flush=True)
        check("it is live again", eventually(lambda: browser.run(live) and not browser.run(silence), 40))
    finally:
        browser.end()
    verdict()


def main(kind, front, pi, own, axe, folder=""):
    browser = Chromium() if kind == "chromium" else Firefox()
    home = Home(browser, kind, front, pi, own, axe, folder)
    try:
        home.live()
        home.invite()
        home.serve("tv")
        home.failures("tv")
        home.stop("tv")
        home.people()
        home.icons()
        home.missing_file()
        home.digits()
        home.refused()
        home.sizes((320, 768, 1280) if kind == "chromium" else (768, 1280))
        if kind == "chromium":
            home.without_javascript()
    finally:
        browser.end()
    verdict()


def changed(kind, front, axe, folder=""):
    browser = Chromium() if kind == "chromium" else Firefox()
    try:
        Home(browser, kind, front, None, None, axe, folder).changed()
    finally:
        browser.end()
    verdict()


if __name__ == "__main__":
    {"restart": restart, "changed": changed}.get(sys.argv[1], lambda *rest: main(sys.argv[1], *rest))(*sys.argv[2:])
