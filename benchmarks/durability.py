"""Kill the server with SIGKILL again and again under load, and count what is lost and what comes twice.

    python benchmarks/durability.py [--kills 50] [--database sqlite|postgresql]

Senders repeat each request until it is acknowledged, as gpuagent.client does. A viewer follows the run's event stream
and comes back with Last-Event-ID whenever it is cut off. At the end, every acknowledged event must be in the database
once, and the viewer must have seen every one exactly once. SIGKILL takes the process, not the machine: what the
operating system has been handed survives it. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.load.closed_loop import Requests  # noqa: E402
from benchmarks.load.site import ENGINES, Site, new_site  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

RUN = "durability"
#: events in the requests of each sender
BATCHES = (1, 1, 10, 100)
RETRY_S = 0.02
CATCH_UP_S = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the server under load and look for lost and repeated events.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", choices=ENGINES, default="sqlite")
    parser.add_argument("--up", type=float, default=1.0, help="the longest time in seconds between start and kill")
    arguments = parser.parse_args()
    print_machine([arguments.database])
    with new_site(arguments.database) as site:
        site.post({"kind": "run_start", "payload": {"runId": RUN}})
        return run(site, arguments.kills, arguments.up)


def run(site: Site, kills: int, up_s: float) -> int:
    """1 when an event is lost or comes twice."""
    stop = threading.Event()
    senders = [Sender(site, place, batch, stop) for place, batch in enumerate(BATCHES)]
    viewer = StreamViewer(site)
    for thread in (*senders, viewer):
        thread.start()
    for _ in range(kills):
        time.sleep(random.uniform(0.1, up_s))
        site.kill()
        site.start()
        site.wait_until_up()
    time.sleep(up_s)
    stop.set()
    for sender in senders:
        sender.join()
    fault = judge(site, kills, senders, viewer)
    # The viewer would come back for ever.
    site.kill()
    return fault


class Sender(threading.Thread):
    """Sends batches, each until it is acknowledged, over a connection that it opens again when it breaks."""

    def __init__(self, site: Site, place: int, batch: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._site, self._stop_event, self._batch = site, stop, batch
        self._requests = Requests(site.port, site.token, run=RUN, batch=batch)
        self._next = place * 1_000_000_000
        self.acknowledged: list[int] = []
        self.repeated = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)

    def run(self) -> None:
        while not self._stop_event.is_set():
            numbers = range(self._next, self._next + self._batch)
            self._next += self._batch
            events = [self._requests.event % number for number in numbers]
            body = events[0] if self._batch == 1 else f"[{','.join(events)}]"
            while not self._sent(body):
                self.repeated += 1
                time.sleep(RETRY_S)
            self.acknowledged += numbers

    def _sent(self, body: str) -> bool:
        headers = {"X-Ingest-Token": self._site.token, "Content-Type": "application/json"}
        connection = self._connection
        try:
            connection.request("POST", "/api/ingest", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        if answer.status != 200 or b'"rejected":[{' in text:
            raise RuntimeError(f"HTTP {answer.status}: {text[:200].decode()}")
        return True


class StreamViewer(threading.Thread):
    """Follows the run; takes an event only when it has come whole."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._last_id = ""
        self.seen: Counter[str] = Counter()
        self.ids: list[int] = []
        self.connections = 0

    def run(self) -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._site.port, timeout=30)
            try:
                headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
                connection.request("GET", f"/api/runs/{RUN}/stream", headers=headers)
                answer = connection.getresponse()
                self.connections += 1
                for event_id, data in _events(answer):
                    self._last_id = event_id
                    self.ids.append(int(event_id))
                    self.seen[data.partition('"eventId":"')[2].partition('"')[0]] += 1
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(RETRY_S)


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    """(id, data) of each event that ends with its blank line."""
    event_id = data = ""
    while line := answer.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            event_id = value
        elif name == "data":
            data = value
        elif not name:
            if event_id and data:
                yield event_id, data
            event_id = data = ""


def judge(site: Site, kills: int, senders: list[Sender], viewer: StreamViewer) -> int:
    """Compare what was acknowledged, what is stored and what was seen; print it."""
    acknowledged = {f"event-{number:010d}" for sender in senders for number in sender.acknowledged}
    stored = Counter(row[0] for row in site.rows("SELECT event_id FROM runs_progressevent"))
    deadline = time.monotonic() + CATCH_UP_S
    while len(viewer.seen) < len(stored) and time.monotonic() < deadline:
        time.sleep(0.1)
    counted = site.rows("SELECT event_count FROM runs_run")[0][0]
    faults = {
        "acknowledged and lost": len(acknowledged - stored.keys()),
        "stored twice": sum(count > 1 for count in stored.values()),
        "stored and never seen": len(stored.keys() - viewer.seen.keys()),
        "seen twice": sum(count > 1 for count in viewer.seen.values()),
        "seen and not stored": len(viewer.seen.keys() - stored.keys()),
        "seen out of order": sum(after <= before for before, after in pairwise(viewer.ids)),
        "miscounted in the run's row": abs(counted - len(stored)),
    }
    print(f"| kills | {kills:,} |\n|---|--:|")
    print(f"| events acknowledged | {len(acknowledged):,} |")
    print(f"| requests sent again | {sum(sender.repeated for sender in senders):,} |")
    print(f"| connections of the viewer | {viewer.connections:,} |")
    print(f"| events stored | {stored.total():,} |\n| events seen | {viewer.seen.total():,} |")
    for what, number in faults.items():
        print(f"| {what} | {number:,} |")
    return int(any(faults.values()) or not acknowledged)


if __name__ == "__main__":
    sys.exit(main())
