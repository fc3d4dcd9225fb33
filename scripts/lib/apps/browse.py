#!/usr/bin/env python3
"""A browser that uses webapp as a person would.

    browse chromium|firefox URL SECONDS [FOLDER]     it runs already; SECONDS is the video's length; FOLDER gets a picture
"""

import sys

from telling import check, eventually, verdict
from webdriver import Chromium, Firefox

TITLE = "return document.title"
SOCKET = """
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket', ['first', 'second']);
  socket.binaryType = 'arraybuffer';
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = () => failed('no socket') });
  const got = [];
  let next;
  socket.onmessage = message => { got.push(message.data); next && next() };
  const count = n => new Promise(done => { next = () => got.length >= n && done(); next() });
  for (let n = 0; n < 1000; n++) socket.send('message ' + n);
  await count(1000);
  const inOrder = got.every((text, n) => text == 'message ' + n);
  socket.send(new Uint8Array(1 << 20));
  await count(1001);
  const closed = new Promise(done => socket.onclose = done);
  socket.send('close');
  const {code, reason, wasClean} = await closed;
  return [socket.protocol, socket.extensions, inOrder, got[1000].byteLength, code, reason, wasClean]"""
EVENTS = """
  const events = new EventSource('/events'), got = [];
  await new Promise((done, failed) => {
    events.onmessage = event => got.push([event.data, performance.now()]) < 10 || done();
    events.onerror = () => failed('the events broke off');
  });
  events.close();
  return [got.map(([data]) => data), got[9][1] - got[0][1]]"""
UPLOAD = """
  const request = new XMLHttpRequest(), steps = [];
  request.open('POST', '/upload');
  request.upload.onprogress = event => steps.push([event.loaded, event.total]);
  const done = new Promise((done, failed) => { request.onload = done; request.onerror = () => failed('no upload') });
  request.send(new Uint8Array(a[0]));
  await done;
  return [JSON.parse(request.response).size, steps]"""
LOAD = """
  const video = document.querySelector('video');
  const ready = new Promise((done, failed) => { video.onloadeddata = done; video.onerror = () => failed(video.error.message) });
  video.preload = 'metadata';
  video.src = '/video.webm';
  await ready;
  return [video.duration, video.seekable.length && video.seekable.end(0)]"""
SEEK = """
  const video = document.querySelector('video');
  const sought = new Promise((done, failed) => { video.onseeked = done; video.onerror = () => failed(video.error.message) });
  video.currentTime = a[0];
  await sought;
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').drawImage(video, 0, 0);
  return [video.currentTime, video.readyState]"""


def log_in(browser, url):
    browser.open(url)
    check("it asks for a login", browser.run(TITLE) == "Log in", browser.run("return document.body.innerText"))
    browser.run("""
      document.querySelector('[name=name]').value = 'Anna';
      document.querySelector('[name=password]').value = 'secret';
      setTimeout(() => document.querySelector('button').click())""")
    is_in = eventually(lambda: browser.run(TITLE) == "Home")
    check("the form logs in", is_in, browser.run("return [location.href, document.body.innerText]"))
    check("at the device's own origin", browser.run("return location.href") == url, browser.run("return location.href"))
    check("by a cookie that scripts do not see", "name=" not in browser.run("return document.cookie"))


def talk(browser):
    got = browser.run(SOCKET)
    if not check("a WebSocket opens", isinstance(got, list), got):
        return
    protocol, extensions, in_order, size, code, reason, was_clean = got
    check("with the second subprotocol", protocol == "second", protocol)
    check("and permessage-deflate", "permessage-deflate" in extensions, extensions)
    check("1000 messages come back in order", in_order)
    check("and 1 MiB", size == 1 << 20, size)
    check("closed with 4001", (code, reason, was_clean) == (4001, "not now", True), (code, reason, was_clean))


def stream(browser):
    got = browser.run(EVENTS)
    check("ten events come", isinstance(got, list) and got[0] == [f"event {n}" for n in range(10)], got)
    check("as they are sent", isinstance(got, list) and got[1] > 500, got)
    # A browser tells of progress every 50 ms; tornado takes 100 MiB.
    size = 90_000_000
    got = browser.run(UPLOAD, size)
    if check("an upload of 90 MB", isinstance(got, list) and got[0] == size, got):
        loaded = [step[0] for step in got[1]]
        check(f"with progress, {len(loaded)} steps", len(loaded) > 2 and loaded == sorted(loaded), loaded)


def watch(browser, seconds):
    got = browser.run(LOAD)
    if not check("a video loads", isinstance(got, list), got):
        return
    check(f"of {seconds} seconds, seekable to its end", min(got) > seconds - 1, got)
    for second in seconds - 5, 10:
        got = browser.run(SEEK, second)
        check(f"seeks to {second} s", isinstance(got, list) and abs(got[0] - second) < 0.5 and got[1] >= 2, got)
    ranges = browser.run("return (await (await fetch('/ranges')).json()).ranges")
    check("by ranges", any(r.startswith("bytes=") and not r.startswith("bytes=0-") for r in ranges), ranges)


def look(name, url, seconds, folder):
    browser = {"chromium": Chromium, "firefox": Firefox}[name]()
    try:
        log_in(browser, url)
        talk(browser)
        stream(browser)
        watch(browser, seconds)
        browser.picture(folder, name)
    finally:
        browser.end()
    verdict()


look(sys.argv[1], sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or [""])[0])
