#!/usr/bin/env python3
"""The driver of scripts/soak, inside its lab: traffic, faults, figures, and the bounds at the end.

    soak.py --minutes N --seed N HOST=PID…      PID is in the host's namespaces

Each host's node is m-HOST and serves `page` to all, `files` to all, and `home` to friends.
"""

import argparse
import ctypes
import hashlib
import http.client
import json
import os
import re
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from random import Random

import websocket
from processes import cpu_seconds, memory
from telling import check, eventually, verdict

LAB = Path(os.environ["LAB_DIR"])
MIB = 1 << 20
FRONT = 8332

# Bounds.
LARGEST_BODY = 64 * MIB
RSS_GROWTH = 16  # MiB over what a node had after the warm-up
RSS_MOST = 128  # MiB at rest
SLACK_FILES = 4  # open files over those of the beginning
SLACK_THREADS = 4  # those for blocking work end by themselves, in their time
P99_QUIET = 0.25  # seconds for a small request while no fault is under way and no large body
HEALING = 45  # seconds after a fault until every node answers each other
RESTING = 150  # seconds after the last request until all is as in the beginning: idle streams are closed after 120
TIMEOUT = 60  # seconds for which a client waits; nothing here takes as long
QUIET_BODY = MIB  # a larger one disturbs small requests
TOLD = 20  # failures that are told one by one between two faults

# What the app gives at /large?bytes=N: the first N of these bytes.
BLOB = memoryview(bytes(i % 251 for i in range(251 * 1024)) * (LARGEST_BODY // (251 * 1024) + 1))


class Failure(Exception):
    """A request ended otherwise than it should."""


# How a client of the standard library, and that of websocket.py, tell that something is wrong.
WRONG = (Failure, OSError, ValueError, http.client.HTTPException, SystemExit)


@dataclass(eq=False)
class Host:
    name: str
    namespace: int
    began: dict = field(default_factory=dict)
    cpu: tuple = (0, 0.0)

    @property
    def machine(self):
        return "m-" + self.name

    @property
    def pid(self):
        return int((LAB / self.name / "pid").read_text())

    def enter(self):
        """This thread makes its sockets on that host from now on."""
        with open(f"/proc/{self.namespace}/ns/net", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:  # CLONE_NEWNET
                raise OSError(ctypes.get_errno(), "setns")

    def hearth(self, *command):
        """What a hearth command printed."""
        environment = os.environ | {"HEARTH_SOCKET": str(LAB / self.name / "hearth.sock")}
        done = subprocess.run([os.environ["HEARTH"], *command], env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode != 0:
            raise Failure(f"hearth {' '.join(command)} on {self.name}: status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def figures(self):
        pid = self.pid
        return {
            "RSS": memory(pid, "VmRSS"), "files": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task")), "streams": json.loads(self.hearth("status", "--json"))["streams"],
        }  # fmt: skip

    def errors(self):
        """Lines of the node's logs at error level or above."""
        text = "".join(log.read_text() for log in (LAB / self.name).glob("hearth*.log"))
        return [line for line in text.splitlines() if re.search(" (error|critical) ", line)]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


class Faults:
    """Which hosts have a fault under way, and had one when."""

    def __init__(self):
        self.windows = []
        self.lock = threading.Lock()

    @contextmanager
    def under_way(self, what, *hosts):
        window = [time.monotonic(), float("inf"), what, {host.name for host in hosts}]
        with self.lock:
            self.windows.append(window)
        try:
            yield
        finally:
            window[1] = time.monotonic()

    def explain(self, began, *hosts):
        """The fault under way at one of these hosts at some time since then; None where there was none."""
        names = {host.name for host in hosts}
        with self.lock:
            return next((what for _, end, what, at in reversed(self.windows) if end >= began and at & names), None)

    @property
    def is_quiet(self):
        with self.lock:
            return not self.windows or self.windows[-1][1] < time.monotonic()


class Traffic:
    """What clients on all hosts do, each in a thread of its own, and how it went."""

    def __init__(self, hosts, seed, faults):
        self.hosts, self.seed, self.faults = hosts, seed, faults
        self.lock = threading.Lock()
        self.goes = threading.Event()
        self.ends = threading.Event()
        # Set while no large body is begun.
        self.calm = threading.Event()
        self.busy = 0
        self.large = 0
        self.friends = set()
        self.done, self.explained, self.unexplained, self.told = 0, 0, 0, 0
        self.latencies, self.all_latencies = [], []
        self.threads = [
            threading.Thread(target=self.client, args=(host, kind, number), daemon=True)
            for host in hosts for number, kind in enumerate([self.small, self.small, self.body, self.socket, self.part])
        ]  # fmt: skip
        for thread in self.threads:
            thread.start()

    def client(self, host, kind, number):
        random = Random(f"{self.seed}/{host.name}/{number}")
        host.enter()
        others = [other for other in self.hosts if other is not host]
        while not self.ends.is_set():
            self.goes.wait()
            with self.lock:
                self.busy += 1
            if self.goes.is_set():
                self.once(host, random.choice(others), kind, random)
            with self.lock:
                self.busy -= 1
            time.sleep(random.expovariate({"small": 20, "body": 1, "socket": 2, "part": 4}[kind.__name__]))

    def once(self, host, other, kind, random):
        began, error = time.monotonic(), None
        try:
            kind(host, other, random)
        except WRONG as caught:
            error = caught
        explained = error and self.faults.explain(began, host, other)
        with self.lock:
            self.done += error is None
            self.explained += bool(explained)
            self.unexplained += error is not None and not explained
            self.told += error is not None and not explained
        if error and not explained and self.told <= TOLD:
            took = time.monotonic() - began
            tell(f"FAILED  {kind.__name__} of {host.name} at {other.name}, {took:.2f} s: {type(error).__name__} {error}")

    def stop(self):
        """Returns when nothing is under way any more."""
        self.goes.clear()
        return eventually(lambda: self.busy == 0, TIMEOUT)

    # ---- one thing that a client does ----

    def small(self, host, other, random):
        device = random.choice(["page", "page", "page", "home"])
        is_quiet, began = self.is_quiet, time.monotonic()
        are_friends = frozenset((host, other)) in self.friends
        if random.random() < 0.3:
            body = json.dumps({"target": random.randint(10, 50) / 2}).encode()
            status, answer = ask(device, other, "PUT", "/api/state", body)
        else:
            status, answer = ask(device, other, "GET", random.choice(["/", "/api/state"]))
        if status != (403 if device == "home" and not are_friends else 200):
            raise Failure(f"{device}: status {status}, friends: {are_friends}, {answer[:200]}")
        if is_quiet and self.is_quiet:
            self.latencies.append(time.monotonic() - began)

    def body(self, host, other, random):
        size = int(2 ** random.uniform(10, 20 if self.calm.is_set() else 26))
        with self.disturbance(size):
            if random.random() < 0.5:
                self.upload(other, size, random.random() < 0.5)
            else:
                self.download(other, size, random)

    def upload(self, other, size, in_chunks):
        data = BLOB[:size]
        parts = (data[at : at + 65536] for at in range(0, size, 65536)) if in_chunks else data
        status, answer = ask("page", other, "POST", "/upload", parts)
        if status != 200 or json.loads(answer) != {"bytes": size, "sha256": hashlib.sha256(data).hexdigest()}:
            raise Failure(f"upload of {size} bytes: status {status}, {answer[:200]}")

    def download(self, other, size, random):
        last = random.randint(0, size) if random.random() < 0.3 else size
        with connection() as client:
            client.request("GET", f"/large?bytes={size}", headers={"Host": authority("page", other)})
            response = client.getresponse()
            if response.status != 200:
                raise Failure(f"download: status {response.status}, {response.read(300)}")
            digest, got = hashlib.sha256(), 0
            while got < last and (part := response.read1(65536)):
                digest.update(part)
                got += len(part)
        # Aborted where more was to come.
        if got < last or digest.digest() != hashlib.sha256(BLOB[:got]).digest():
            raise Failure(f"download: {got} of {size} bytes, or others")

    def part(self, host, other, random):
        wanted = (LAB / other.name / "files" / "file").read_bytes()
        first = random.randrange(len(wanted))
        last = min(first + int(2 ** random.uniform(0, 20)), len(wanted)) - 1
        status, got = ask("files", other, "GET", "/file", fields={"Range": f"bytes={first}-{last}"})
        if status != 206 or got != wanted[first : last + 1]:
            raise Failure(f"range {first}-{last}: status {status}, {len(got)} bytes: {got[:200]}")

    def socket(self, host, other, random):
        client = websocket.Client(f"http://{authority('page', other)}/live")
        try:
            for _ in range(random.randint(1, 10)):
                client.state()
            client.send(websocket.TEXT, b'{"target": 20}')
            client.state()
            if random.random() < 0.5:
                client.send(websocket.CLOSE, (1000).to_bytes(2, "big"))
                while (frame := client.receive())[0] == websocket.TEXT:
                    pass
                if frame[0] != websocket.CLOSE:
                    raise Failure(f"closed otherwise: {frame}")
        finally:
            client.reader.close()
            client.connection.close()

    @property
    def is_quiet(self):
        return self.faults.is_quiet and self.large == 0

    @contextmanager
    def disturbance(self, size):
        large = size > QUIET_BODY
        with self.lock:
            self.large += large
        try:
            yield
        finally:
            with self.lock:
                self.large -= large


def authority(device, host):
    return f"{device}--{host.machine}.localhost:{FRONT}"


@contextmanager
def connection(port=FRONT):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        yield client
    finally:
        client.close()


def ask(device, host, method, path, body=None, fields=None):
    """Status and body of the answer of that device."""
    with connection() as client:
        client.request(method, path, body, {"Host": authority(device, host)} | (fields or {}))
        response = client.getresponse()
        return response.status, response.read()


class Events:
    """One after the other: a fault that heals by itself or is healed, or a change that its owner makes."""

    def __init__(self, hosts, seed, faults, traffic):
        self.hosts, self.faults, self.traffic = hosts, faults, traffic
        self.random = Random(f"{seed}/events")
        self.orders, self.results = open(LAB / "orders", "w"), open(LAB / "results")
        self.counts, self.slowest, self.broken = {}, (0, ""), 0

    def order(self, command):
        """Has the lab run one of its commands."""
        print(command, file=self.orders, flush=True)
        if (status := self.results.readline().strip()) != "0":
            raise Failure(f"{command}: status {status}")

    def once(self):
        event = self.random.choice([
            self.cut, self.mute, self.lose, self.freeze, self.restart, self.kill, self.cable, self.app, self.avahi, self.friends,
            self.friends, self.services, self.forward,
        ])  # fmt: skip
        host, other = self.random.sample(self.hosts, 2)
        self.counts[event.__name__] = self.counts.get(event.__name__, 0) + 1
        try:
            event(host, other)
        except (*WRONG, subprocess.TimeoutExpired) as error:
            self.broken += 1
            tell(f"FAILED  {event.__name__} at {host.name}: {type(error).__name__} {error}")

    @contextmanager
    def fault(self, what, *hosts):
        """Until every node answers each other again."""
        with self.faults.under_way(what, *hosts):
            yield
            self.heal(what, time.monotonic())

    def heal(self, what, began):
        if not eventually(lambda: not unanswered(self.hosts), HEALING):
            raise Failure(f"not healed {HEALING} s later: {unanswered(self.hosts)}")
        self.slowest = max(self.slowest, (time.monotonic() - began, what))

    def pause(self, least, most):
        time.sleep(self.random.uniform(least, most))

    # ---- faults ----

    def cut(self, host, other):
        with self.fault("streams cut", host):
            self.order(f"streams_cut {host.name}")

    def mute(self, host, other):
        with self.fault("host silent", host):
            self.order(f"net_mute {host.name}")
            self.pause(1, 6)
            self.order(f"net_heal {host.name}")

    def lose(self, host, other):
        with self.fault("packets lost", host):
            self.order(f"net_loss {host.name} {self.random.randint(2, 20)}")
            self.pause(3, 8)
            self.order(f"net_heal {host.name}")

    def cable(self, host, other):
        with self.fault("cable out", host):
            self.order(f"link_cut {host.name}")
            self.pause(0.5, 4)
            self.order(f"link_heal {host.name}")

    def freeze(self, host, other):
        with self.fault("node stopped", host):
            self.order(f"kill -STOP {host.pid}")
            self.pause(0.5, 5)
            self.order(f"kill -CONT {host.pid}")

    def restart(self, host, other):
        with self.fault("node restarted", host):
            self.order(f"node_again {host.name} -TERM")

    def kill(self, host, other):
        with self.fault("node killed", host):
            self.order(f"node_again {host.name} -KILL")

    def app(self, host, other):
        with self.fault("app restarted", host):
            self.order(f"app_again {host.name}")

    def avahi(self, host, other):
        signal = self.random.choice(["-TERM", "-KILL"])
        with self.fault(f"avahi-daemon {signal}", host):
            self.order(f"avahi_again {host.name} {signal}")

    # ---- changes ----

    def friends(self, host, other):
        pair = frozenset((host, other))
        # Both ways of ending a friendship cut the streams between the two.
        with self.fault("friends changed", host, other):
            if pair in self.traffic.friends:
                for one, its in (host, other), (other, host):
                    one.hearth("friends", "remove", its.machine)
                self.traffic.friends.remove(pair)
            else:
                line = host.hearth("invite", "--name", other.machine).strip()
                other.hearth("join", line, "--name", host.machine)
                self.traffic.friends.add(pair)
            wanted = 200 if pair in self.traffic.friends else 403
            for one, its in (host, other), (other, host):
                answers(one, "home", its, wanted)

    def services(self, host, other):
        host.hearth("serve", "extra", "http://127.0.0.1:8321", "--access", "public")
        answers(other, "extra", host, 200)
        host.hearth("unserve", "extra")
        answers(other, "extra", host, 502)

    def forward(self, host, other):
        host.hearth("forward", f"page@{other.machine}", "7000")

        def look():
            with connection(7000) as client:
                client.request("GET", "/api/state")
                return client.getresponse().status

        if (status := at(host, look)) != 200:
            raise Failure(f"forwarded: status {status}")
        host.hearth("forward", "--remove", "7000")
        try:
            at(host, look)
        except ConnectionRefusedError:
            return
        raise Failure("a forward that was removed is still there")


def at(host, look):
    """What look() gives on that host, or raises."""
    result = []

    def run():
        host.enter()
        try:
            result.append(look())
        except WRONG as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def answers(host, device, other, wanted):
    """Until that device's answer on this host has this status."""
    def look():
        return at(host, lambda: ask(device, other, "GET", "/api/state")[0])

    if not eventually(lambda: look() == wanted, HEALING):
        raise Failure(f"{device} of {other.name} at {host.name}: status {look()}, not {wanted}")


def unanswered(hosts):
    """Which node does not answer which other."""
    missing = []
    for host, other in permutations(hosts, 2):
        try:
            status = at(host, lambda: ask("page", other, "GET", "/api/state")[0])
        except WRONG as error:
            status = error
        if status != 200:
            missing.append(f"{other.name} at {host.name}: {status}")
    return missing


def tell(text):
    # In one write, since many threads tell.
    print(f"{time.strftime('%H:%M:%S')} {text}\n", end="", flush=True)


def minute(number, hosts, traffic):
    """Tells what was since the last one; returns the time of now."""
    latencies, traffic.latencies = traffic.latencies, []
    traffic.all_latencies += latencies
    nodes = []
    for host in hosts:
        figures = host.figures()
        (pid, before), now = host.cpu, (host.pid, cpu_seconds(host.pid))
        host.cpu = now
        seconds = now[1] - (before if pid == now[0] else 0)
        nodes.append(f"{host.name} {figures['RSS']:.0f} MiB {figures['files']} files {figures['threads']} threads"
                     f" {figures['streams']} streams {seconds:.1f} s CPU")  # fmt: skip
    p50, p99 = (percentile(latencies, share) * 1000 for share in (0.5, 0.99))
    tell(f"{number:3}  {traffic.done} done, {traffic.explained} failed by faults, {traffic.unexplained} by nothing;"
         f" {len(latencies)} in quiet: p50 {p50:.1f} ms, p99 {p99:.1f} ms;  {';  '.join(nodes)}")  # fmt: skip


def over(hosts):
    """What is more than in the beginning and its slack."""
    found = []
    for host in hosts:
        for key, value in host.figures().items():
            most = host.began[key] + {"RSS": RSS_GROWTH, "files": SLACK_FILES, "threads": SLACK_THREADS, "streams": 0}[key]
            if value > most or (key == "RSS" and value > RSS_MOST):
                found.append(f"{host.name}: {value:.0f} {key}, at most {min(most, RSS_MOST) if key == 'RSS' else most:.0f}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("hosts", nargs="+")
    options = parser.parse_args()
    hosts = [Host(name, int(pid)) for name, _, pid in (each.partition("=") for each in options.hosts)]
    print(f"seed {options.seed}, {options.minutes} minutes, {os.environ['HEARTH']}", flush=True)

    faults = Faults()
    traffic = Traffic(hosts, options.seed, faults)
    events = Events(hosts, options.seed, faults, traffic)
    with faults.under_way("start", *hosts):
        check("every node answers each other", eventually(lambda: not unanswered(hosts), HEALING), unanswered(hosts))
    seconds = options.minutes * 60
    traffic.goes.set()
    time.sleep(min(60, seconds / 6))
    check("the warm-up ends", traffic.stop())
    # Memory goes back when a node has been quiet for 10 to 20 s.
    time.sleep(22)
    check("every node answers each other", not unanswered(hosts))
    for host in hosts:
        host.began = host.figures()
        host.cpu = (host.pid, cpu_seconds(host.pid))
    minute(0, hosts, traffic)

    traffic.goes.set()
    began = time.monotonic()
    number = 0
    while (passed := time.monotonic() - began) < seconds:
        # Half of the moments between two faults belong to small requests.
        if events.random.random() < 0.5:
            traffic.calm.set()
        events.pause(2, 5)
        traffic.calm.clear()
        events.once()
        traffic.told = 0
        if passed >= 60 * (number + 1):
            number += 1
            minute(number, hosts, traffic)
    is_at_rest = traffic.stop()
    traffic.ends.set()
    minute(number + 1, hosts, traffic)

    check("all traffic ends", is_at_rest, traffic.busy)
    counts = ", ".join(f"{name} {count}" for name, count in sorted(events.counts.items()))
    check(f"{sum(events.counts.values())} faults and changes go as they should: {counts}", events.broken == 0, events.broken)
    check(f"all heals by itself, within {events.slowest[0]:.1f} s (after: {events.slowest[1]})", events.slowest[0] < HEALING)
    check(f"{traffic.done} requests are done, {traffic.explained} failed by a fault, none by nothing", traffic.unexplained == 0,
          traffic.unexplained)  # fmt: skip
    p50, p99 = (percentile(traffic.all_latencies, share) for share in (0.5, 0.99))
    check(f"small requests in quiet moments: {len(traffic.all_latencies)}, p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms,"
          f" at most {P99_QUIET * 1000:.0f}", p99 <= P99_QUIET)  # fmt: skip
    check("every node answers each other", not unanswered(hosts), unanswered(hosts))
    rested = time.monotonic()
    check("memory, files, threads and streams are those of the beginning", eventually(lambda: not over(hosts), RESTING), over(hosts))
    tell(f"{time.monotonic() - rested:.0f} s after the last request")
    for host in hosts:
        now = host.figures()
        tell("  ".join([host.name] + [f"{key} {host.began[key]:.0f} → {now[key]:.0f}" for key in now]))
    errors = [line for host in hosts for line in host.errors()]
    check("no log has an error", not errors, errors[:5])
    verdict()


if __name__ == "__main__":
    main()
