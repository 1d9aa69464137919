"""Measure how soon the viewers of one live run see its events, how many they see, and what a viewer costs.

    python benchmarks/fanout.py [--viewers 100 1000 5000] [--transport websocket sse] [--processes 1 2] [--rate 30]

Each line is measured on a site and a database of its own: SQLite with one web process; PostgreSQL and Redis
(DATABASE_URL and REDIS_URL, or this machine's) with more. The publisher is a process, the viewers are another, both on
the same cores. Times are from the acknowledgement of an event to its arrival at a viewer, over all viewers and events,
and include the site's 100 ms window in which events share a frame. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import redis

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.load.site import Site, allow_many_sockets, new_site  # noqa: E402
from benchmarks.load.viewers import Viewers  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

DEFAULT_REDIS = "redis://127.0.0.1:6379/15"
#: for what is still on its way when the last event is acknowledged
GRACE_S = 2.0
WARM_UP_VIEWERS = 20


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the fan-out of live events to viewers.")
    parser.add_argument("--viewers", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--transport", nargs="+", choices=("websocket", "sse"), default=["websocket", "sse"])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="web processes")
    parser.add_argument("--rate", type=float, default=30.0, help="events per second")
    parser.add_argument("--seconds", type=float, default=10.0, help="of publishing per line")
    arguments = parser.parse_args()
    allow_many_sockets()
    print_machine([engine_of(count) for count in arguments.processes])
    print("Viewers: one Python process, epoll; publisher: another; on the same cores.\n")
    print(
        "| transport | processes | viewers | delivered | p50 ms | p99 ms | max ms | server CPU | viewers' CPU |", end=""
    )
    print(" kB per viewer | notes |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
    lines = [(t, p, v) for t in arguments.transport for p in arguments.processes for v in arguments.viewers]
    for transport, processes, viewers in lines:
        with site_of(processes) as site:
            measure(site, transport, viewers, arguments)
    return 0


def engine_of(processes: int) -> str:
    return "sqlite" if processes == 1 else "postgresql"


@contextmanager
def site_of(processes: int) -> Iterator[Site]:
    with ExitStack() as stack:
        options = {"WEB_PROCESSES": str(processes)}
        if processes > 1:
            options["REDIS_URL"] = stack.enter_context(redis_database())
        yield stack.enter_context(new_site(engine_of(processes), **options))


@contextmanager
def redis_database() -> Iterator[str]:
    """An empty one is emptied again; one that is in use only gets a few keys that expire."""
    url = os.environ.get("REDIS_URL") or DEFAULT_REDIS
    with redis.Redis.from_url(url) as server:
        was_empty = server.dbsize() == 0
        yield url
        if was_empty:
            server.flushdb()


def measure(site: Site, transport: str, count: int, arguments: argparse.Namespace) -> None:
    """Print one line of the table."""
    run = f"fanout-{secrets.token_hex(4)}"
    site.post({"kind": "run_start", "payload": {"runId": run}})
    warm_up(site, run, transport)
    memory_kb = site.memory_kb()
    viewers = Viewers(site.port, run, transport)
    try:
        viewers.connect(count)
        viewers.read(1.0)
        cpu_s, own_cpu_s, began = site.cpu_s(), _own_cpu_s(), time.monotonic()
        acknowledged = publish(site, run, viewers, arguments)
        cpu_s, own_cpu_s = site.cpu_s() - cpu_s, _own_cpu_s() - own_cpu_s
        seconds = time.monotonic() - began
        memory_kb = site.memory_kb() - memory_kb
    finally:
        viewers.close()
    times = times_ms(viewers, acknowledged)
    p50, p99, most = np.percentile(times, [50, 99, 100]) if len(times) else (np.nan,) * 3
    delivered, notes = verdict(viewers, len(acknowledged))
    print(
        f"| {transport} | {site.options['WEB_PROCESSES']} | {count:,} | {delivered:.2%} "
        f"| {p50:.0f} | {p99:.0f} | {most:.0f} "
        f"| {cpu_s / seconds:.2f} | {own_cpu_s / seconds:.2f} | {memory_kb / count:.0f} | {notes} |",
        flush=True,
    )


def warm_up(site: Site, run: str, transport: str) -> None:
    """What the first viewers make a process load once is not what a viewer costs."""
    viewers = Viewers(site.port, run, transport)
    viewers.connect(WARM_UP_VIEWERS)
    viewers.read(1.0)
    viewers.close()


def publish(site: Site, run: str, viewers: Viewers, arguments: argparse.Namespace) -> list[float]:
    """Publish while the viewers read; returns when each event was acknowledged."""
    options = [str(site.port), site.token, run, str(arguments.rate), str(arguments.seconds)]
    command = [sys.executable, "-m", "benchmarks.load.publisher", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as publisher:
        while publisher.poll() is None:
            viewers.read(0.25)
        viewers.read(GRACE_S)
        output, _ = publisher.communicate()
    if publisher.returncode:
        raise RuntimeError("The publisher failed.")
    return [float(moment) for moment in json.loads(output)]


def times_ms(viewers: Viewers, acknowledged: list[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """From acknowledgement to arrival, of every event at every viewer; what comes before it counts as zero."""
    found = [
        np.frombuffer(piece.arrived, dtype="d") - acknowledged[number]
        for piece in viewers.pieces.values()
        for number in piece.numbers
        if piece.arrived
    ]
    return np.maximum(np.concatenate(found), 0.0) * 1000 if found else np.empty(0)


def verdict(viewers: Viewers, sent: int) -> tuple[float, str]:
    """The share of events that arrived, and what went wrong."""
    total = sent * (sent - 1) // 2
    delivered = sum(min(viewer.events, sent) for viewer in viewers.all) / (sent * len(viewers.all))
    odd = sum(viewer.events >= sent and (viewer.events, viewer.total) != (sent, total) for viewer in viewers.all)
    faults = {"with repeats": odd, "cut off": viewers.lost, "sent back to fetch the state": viewers.resyncs}
    return delivered, ", ".join(f"{number} {what}" for what, number in faults.items() if number) or "each exactly once"


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
