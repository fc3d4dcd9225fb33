"""Drives browsers, with the standard library alone: Chromium through its driver (https://www.w3.org/TR/webdriver2/), Firefox by
the protocol that its driver would speak to it (https://firefox-source-docs.mozilla.org/testing/marionette/)."""

import base64
import json
import os
import socket
import sys
import urllib.error
import urllib.request

DRIVER = "http://127.0.0.1:9515"
MARIONETTE = 2828
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=900,700"]
# Milliseconds for one script.
TIMEOUTS = {"script": 60000}
# What a reference to an element has as its key.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    def run(self, script, *arguments):
        """The value of a script, which may be a promise."""
        body = "const done = arguments[arguments.length - 1];" + \
            "(async (...a) => {" + script + "})(...arguments).then(done, e => done('error: ' + e))"
        return self.execute({"script": body, "args": list(arguments)})

    def picture(self, folder, name):
        if folder:
            with open(os.path.join(folder, name + ".png"), "wb") as file:
                file.write(base64.b64decode(self.screenshot()))


class Chromium(Browser):
    """chromedriver runs already."""

    def __init__(self):
        options = {"args": ARGUMENTS, "binary": "/usr/bin/chromium"}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": TIMEOUTS}}
        self.session = ask("POST", "/session", {"capabilities": capabilities})["sessionId"]

    def ask(self, method, path, body=None):
        return ask(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def execute(self, script):
        return self.ask("POST", "/execute/async", script)

    def screenshot(self):
        return self.ask("GET", "/screenshot")

    def element(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        """As a person does, without a script in the page."""
        self.ask("POST", f"/element/{self.element(selector)}/click", {})

    def type(self, selector, text):
        self.ask("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def press(self, keys):
        """To whatever has the focus."""
        focused = self.ask("GET", "/element/active")[ELEMENT]
        self.ask("POST", f"/element/{focused}/value", {"text": keys})

    # By no script, which would be lost with a page that is left meanwhile.
    def source(self):
        return self.ask("GET", "/source")

    def title(self):
        return self.ask("GET", "/title")

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def javascript(self, isOn):
        self.devtools("Emulation.setScriptExecutionDisabled", value=not isOn)

    def end(self):
        self.ask("DELETE", "")


class Firefox(Browser):
    """It runs already, with --marionette."""

    def __init__(self):
        self.connection = socket.create_connection(("127.0.0.1", MARIONETTE), 90)
        self.number = 0
        self.receive()
        self.ask("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"timeouts": TIMEOUTS}}})

    def receive(self):
        size = b""
        while (byte := self.connection.recv(1)) not in (b":", b""):
            size += byte
        text = b""
        while len(text) < int(size or 0):
            text += self.connection.recv(int(size) - len(text))
        return json.loads(text or "null")

    def ask(self, command, parameters, nothing="no such error"):
        """Its answer; an empty one instead of an error that says `nothing`."""
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.connection.sendall(b"%d:%b" % (len(text), text))
        _, _, error, result = self.receive()
        if error and nothing in error["message"]:
            return ""
        if error:
            sys.exit(f"Firefox answered {command}: {str(error)[:500]}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def open(self, url):
        self.ask("WebDriver:Navigate", {"url": url})

    def execute(self, script):
        return self.ask("WebDriver:ExecuteAsyncScript", script)

    def screenshot(self):
        return self.ask("WebDriver:TakeScreenshot", {"full": False})

    def element(self, selector):
        return self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.ask("WebDriver:ElementClick", {"id": self.element(selector)})

    def type(self, selector, text):
        self.ask("WebDriver:ElementSendKeys", {"id": self.element(selector), "text": text})

    def press(self, keys):
        focused = self.ask("WebDriver:GetActiveElement", {})[ELEMENT]
        self.ask("WebDriver:ElementSendKeys", {"id": focused, "text": keys})

    def source(self):
        # Of a page that has only begun there is none yet.
        return self.ask("WebDriver:GetPageSource", {}, nothing="documentElement is null")

    def title(self):
        return self.ask("WebDriver:GetTitle", {})

    def resize(self, width, height):
        self.ask("WebDriver:SetWindowRect", {"width": width, "height": height})

    def scheme(self, name):
        # A setting of the browser's own, which a page cannot reach.
        self.ask("Marionette:SetContext", {"value": "chrome"})
        script = "Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', arguments[0])"
        self.ask("WebDriver:ExecuteScript", {"script": script, "args": [{"dark": 0, "light": 1}[name]]})
        self.ask("Marionette:SetContext", {"value": "content"})

    def end(self):
        self.ask("WebDriver:DeleteSession", {})


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(DRIVER + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        sys.exit(f"the driver answered {method} {path}: {error.read().decode()[:500]}")
