"""Restart web processes one after the other behind a proxy, under load, and count what anybody notices.

    python -m benchmarks.rolling_restart [--restarts 10] [--drain 3] [--proxy caddy|nginx]

Two web processes on PostgreSQL and Redis, behind deploy/Caddyfile or deploy/nginx.conf as they are. Readers and a
sender of events repeat nothing: whatever fails is counted. A websocket and an event stream come back behind the last
event they have, as a page and a script do. At the end, every acknowledged event must have been seen once by each.
docs/deployment.md has the figures.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect
from websockets.typing import Origin

from benchmarks.load.closed_loop import Requests
from benchmarks.load.deployment import Deployment, deployed
from benchmarks.load.site import ROOT, Site, free_port
from benchmarks.load.words import print_machine

RUN = "rolling-restart"
PAGES = ("/", "/live/", "/api/runs", "/models/", "/api/benchmarks?limit=5")
READER_PAUSE_S, SENDER_PAUSE_S = 0.05, 0.05
COMES_BACK_WITHIN_S = 0.5
CATCH_UP_S = 30.0
#: the proxy asks each second
NOTICED_AFTER_S = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Restart web processes under load and count what anybody notices.")
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--drain", type=int, default=3, help="DRAIN_S of the web processes")
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--proxy", choices=("caddy", "nginx"), default="caddy")
    arguments = parser.parse_args()
    print_machine(["postgresql"])
    with restartable(drain_s=arguments.drain, proxy=arguments.proxy) as (deployment, port):
        watch = Watch(port, deployment.token, readers=arguments.readers)
        watch.begin()
        stops = restart(deployment, arguments.restarts)
        watch.end()
        return report(watch, stops, arguments.proxy)


@contextmanager
def restartable(*, drain_s: int, proxy: str, worker: bool = False) -> Iterator[tuple[Deployment, int]]:
    """Two web processes, and the port of a proxy with the configuration of deploy/ before them."""
    port = free_port()
    site_url = f"http://127.0.0.1:{port}"
    with (
        deployed(web=2, proxy=False, worker=worker, DRAIN_S=str(drain_s), SITE_URL=site_url) as deployment,
        proxied(proxy, port, deployment),
    ):
        deployment.webs[0].post({"kind": "run_start", "payload": {"runId": RUN}})
        yield deployment, port


@contextmanager
def proxied(proxy: str, port: int, deployment: Deployment) -> Iterator[None]:
    ports = [site.port for site in deployment.webs]
    command = (_caddy if proxy == "caddy" else _nginx)(port, ports, deployment.home)
    home = str(deployment.home)
    environment = os.environ | {"HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
    environment |= {"SITE_HOST": "127.0.0.1", "UPSTREAMS": " ".join(f"127.0.0.1:{each}" for each in ports)}
    process = subprocess.Popen(command, env=environment, process_group=0, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        # nginx is several processes.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _caddy(port: int, ports: list[int], folder: Path) -> list[str]:
    caddy = shutil.which("caddy")
    if caddy is None:
        raise RuntimeError("caddy is not installed.")
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    # On the loopback, without a certificate; all else as it is.
    text = text.replace("{$SITE_HOST} {", f"http://127.0.0.1:{port} {{", 1)
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{text}")
    return [caddy, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _nginx(port: int, ports: list[int], folder: Path) -> list[str]:
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        raise RuntimeError("nginx is not installed.")
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    # On the loopback, without a certificate and the redirect to it; all else as it is.
    text = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"    listen .*?\n|    ssl_.*?\n", "", text).replace(
        "server_name", f"listen {port};\n    server_name"
    )
    for number, each in enumerate(ports, start=1):
        text = text.replace(f"127.0.0.1:800{number}", f"127.0.0.1:{each}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    head = f"daemon off; pid {folder}/nginx.pid; error_log stderr; events {{ }}"
    (folder / "nginx.conf").write_text(f"{head} http {{ access_log off; {folders}\n{text}\n}}")
    return [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
                _get(connection, "/api/runs")
        except (OSError, http.client.HTTPException, Refused):
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The proxy did not start on port {port}.")


def restart(deployment: Deployment, restarts: int) -> list[tuple[float, int]]:
    """One process after the other, the next once the proxy has the last one back: (seconds to stop, exit code)."""
    stops = []
    for number in range(restarts):
        site = deployment.webs[number % len(deployment.webs)]
        stops.append(stop(site))
        site.start()
        site.wait_until_up()
        time.sleep(NOTICED_AFTER_S)
    return stops


def stop(site: Site) -> tuple[float, int]:
    if site.process is None:
        raise RuntimeError("The site was not started.")
    began = time.monotonic()
    site.process.terminate()
    code = site.process.wait(60)
    return time.monotonic() - began, code


class Refused(Exception):
    """An answer other than 200."""


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise Refused(f"HTTP {answer.status}")
    return body


@dataclass
class Watch:
    """Everybody who uses the site while it restarts."""

    port: int
    token: str
    readers: int = 1
    over: threading.Event = field(default_factory=threading.Event)
    #: the viewers do not come back any more
    judged: threading.Event = field(default_factory=threading.Event)
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    acknowledged: list[int] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        self.viewers = [SocketViewer(self), StreamViewer(self)]
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(self.readers)]
        self._threads.append(threading.Thread(target=self._send, daemon=True))
        for thread in (*self.viewers, *self._threads):
            thread.start()

    def end(self) -> None:
        """No more requests; the viewers get what is on its way."""
        self.over.set()
        for thread in self._threads:
            thread.join()
        deadline = time.monotonic() + CATCH_UP_S
        while any(viewer.missed(self.acknowledged) for viewer in self.viewers) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.judged.set()

    def _read(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.wait(READER_PAUSE_S):
            path = random.choice(PAGES)
            self._try(path, connection, partial(_get, connection, path))
        connection.close()

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        event = Requests(self.port, self.token, run=RUN, batch=1).event
        headers = {"X-Ingest-Token": self.token, "Content-Type": "application/json"}
        number = 0
        while not self.over.wait(SENDER_PAUSE_S):
            number += 1
            if self._try("/api/ingest", connection, partial(_post, connection, event % number, headers)):
                self.acknowledged.append(number)
        connection.close()

    def _try(self, path: str, connection: http.client.HTTPConnection, ask: Callable[[], object]) -> bool:
        try:
            ask()
        except (OSError, http.client.HTTPException, Refused) as error:
            self.failed[f"{path}: {error!r}"] += 1
            connection.close()
            return False
        self.answered += 1
        return True


def _post(connection: http.client.HTTPConnection, body: str, headers: dict[str, str]) -> None:
    connection.request("POST", "/api/ingest", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise Refused(f"HTTP {answer.status} {text[:80]!r}")


class Viewer(threading.Thread):
    """Watches the run, and comes back behind the last event it has."""

    name_of_it = ""

    def __init__(self, watch: Watch) -> None:
        super().__init__(daemon=True)
        self.watch = watch
        self.last = 0
        self.seqs: list[int] = []
        self.seen: Counter[int] = Counter()
        self.connections = 0
        #: how each connection ended
        self.ends: Counter[str] = Counter()

    def run(self) -> None:
        while not self.watch.judged.wait(random.uniform(0.1, 1) * COMES_BACK_WITHIN_S):
            try:
                self.ends[self.follow()] += 1
            except (OSError, http.client.HTTPException, InvalidHandshake, TimeoutError) as error:
                self.ends[type(error).__name__] += 1

    def follow(self) -> str:
        """Until the connection ends; returns how."""
        raise NotImplementedError

    def take(self, seq: int, event_id: str) -> None:
        self.last = seq
        self.seqs.append(seq)
        self.seen[int(event_id.removeprefix("event-"))] += 1

    def missed(self, acknowledged: list[int]) -> int:
        return len(set(acknowledged) - self.seen.keys())

    @property
    def repeated(self) -> int:
        twice = sum(count > 1 for count in self.seen.values())
        return twice + sum(after <= before for before, after in pairwise(self.seqs))


class SocketViewer(Viewer):
    """As a page."""

    name_of_it = "websocket"

    def follow(self) -> str:
        url = f"ws://127.0.0.1:{self.watch.port}/ws/runs/{RUN}/?after={self.last}"
        with connect(url, origin=Origin(f"http://127.0.0.1:{self.watch.port}"), open_timeout=30) as socket:
            self.connections += 1
            try:
                while True:
                    self._take_frame(json.loads(socket.recv()))
            except ConnectionClosed as closed:
                return str(closed.rcvd.code if closed.rcvd else "cut")

    def _take_frame(self, frame: dict[str, object]) -> None:
        events = frame.get("events")
        if isinstance(events, list):
            # A frame names the seq of its last event; numbers of one run have no gap.
            first = int(str(frame["seq"])) - len(events) + 1
            for place, event in enumerate(events):
                self.take(first + place, event["eventId"])


class StreamViewer(Viewer):
    """As a script."""

    name_of_it = "event stream"

    def follow(self) -> str:
        with closing(http.client.HTTPConnection("127.0.0.1", self.watch.port, timeout=60)) as connection:
            return self._read(connection)

    def _read(self, connection: http.client.HTTPConnection) -> str:
        headers = {"Last-Event-ID": str(self.last)} if self.last else {}
        connection.request("GET", f"/api/runs/{RUN}/stream", headers=headers)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            return f"HTTP {answer.status}"
        self.connections += 1
        event_id = 0
        while line := answer.readline().decode():
            if line.startswith("id: "):
                event_id = int(line[4:])
            elif line.startswith("data: ") and event_id:
                self.take(event_id, line.partition('"eventId":"')[2].partition('"')[0])
        return "ended"


def report(watch: Watch, stops: list[tuple[float, int]], proxy: str) -> int:
    """Print what happened; 1 when anybody noticed."""
    print(f"| restarts behind {proxy} | {len(stops):,} |\n|---|--:|")
    print(f"| longest stop | {max(seconds for seconds, _ in stops):.1f} s |")
    print(f"| exit codes other than 0 | {sum(code != 0 for _, code in stops):,} |")
    print(f"| requests answered | {watch.answered:,} |\n| requests failed | {watch.failed.total():,} |")
    print(f"| events acknowledged | {len(watch.acknowledged):,} |")
    for viewer in watch.viewers:
        ends = ", ".join(f"{end} {count:,}" for end, count in sorted(viewer.ends.items()))
        print(f"| {viewer.name_of_it}: connections | {viewer.connections:,} (ended: {ends or 'none'}) |")
        print(f"| {viewer.name_of_it}: events missed | {viewer.missed(watch.acknowledged):,} |")
        print(f"| {viewer.name_of_it}: events twice or out of order | {viewer.repeated:,} |")
    for failure, count in watch.failed.most_common(10):
        print(f"{count:,} x {failure}", file=sys.stderr)
    noticed = any(viewer.missed(watch.acknowledged) or viewer.repeated for viewer in watch.viewers)
    return int(bool(watch.failed) or noticed or any(code for _, code in stops) or not watch.acknowledged)


if __name__ == "__main__":
    sys.exit(main())
