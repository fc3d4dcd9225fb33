"""A browser without a screen: cookies, forms, and Origin and Referer as browsers send them."""

import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy


class Form(HTMLParser):
    """The first form of a page that has a field of this name: what it would send."""

    def __init__(self, page, field):
        super().__init__()
        self.fields, self.found, self.wanted = None, None, field
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.fields = {}
        elif tag == "input" and self.fields is not None and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value") or ""
            if attributes["name"] == self.wanted:
                self.found = self.fields

    def handle_endtag(self, tag):
        if tag == "form":
            self.fields = None


class Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, origin):
        self.origin = origin
        # Names without a dot are given one, by which the standard library finds them again.
        self.jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=0))
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), Unredirected)
        self.page = origin + "/"

    def open(self, path, form=None, origin=None):
        """Status, fields and text of what comes."""
        url = urllib.parse.urljoin(self.page, path)
        fields = {"Referer": self.page}
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
            fields["Origin"] = origin or self.origin
        try:
            answer = self.opener.open(urllib.request.Request(url, data, fields), timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.page = url
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")

    def submit(self, path, field, **values):
        """Opens the page, fills in its form that has this field, and sends it: status, Location and text."""
        _, _, page = self.open(path)
        form = Form(page, field).found
        if form is None:
            raise SystemExit(f"no form with {field} at {path}: {page[:300]}")
        status, headers, text = self.open("", {**form, **values})
        return (status, headers.get("Location"), text)
