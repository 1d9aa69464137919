"""How many jobs a second hosts can claim over HTTP, and whether any is ever claimed twice.

    python -m benchmarks.claims [--database sqlite|postgresql] [--seconds 6]

Hosts ask as fast as they are answered, each over one connection, before a long queue. One whose GPUs are all taken
goes on as another, as no host has hundreds. Afterwards the database is asked: as many attempts as offers were
received, and no job with two. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.load.agents import GPUS, ask, open_session  # noqa: E402
from benchmarks.load.site import ENGINES, Site, new_site  # noqa: E402
from benchmarks.load.words import percentile, print_machine  # noqa: E402

HOSTS = (1, 8, 32)
#: more than any site here gives out in a second
JOBS_PER_S = 600


def main() -> int:
    parser = argparse.ArgumentParser(description="Claims per second through HTTP.")
    parser.add_argument("--database", choices=ENGINES, action="append")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each number of hosts")
    parser.add_argument("--hosts", type=int, action="append", help="hosts at once; 1, 8 and 32 unless given")
    arguments = parser.parse_args()
    engines = arguments.database or list(ENGINES)
    print_machine(engines)
    print("| database | hosts | claims/s | p50 ms | p99 ms | claimed twice |\n|---|--:|--:|--:|--:|--:|")
    faults = [
        measure(engine, hosts, arguments.seconds) for engine in engines for hosts in arguments.hosts or list(HOSTS)
    ]
    return int(any(faults))


def measure(engine: str, hosts: int, seconds: float) -> int:
    """Prints a row; returns how many claims contradict the database."""
    with new_site(engine) as site:
        jobs = int(JOBS_PER_S * seconds)
        made = fill(site, hosts=hosts * (jobs // (len(GPUS) * hosts) + 1), jobs=jobs)
        threads = [Claimer(site, made["codes"][place::hosts], seconds) for place in range(hosts)]
        for thread in threads:
            thread.connect()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        offers = [offer for thread in threads for offer in thread.offers]
        times = sorted(one for thread in threads for one in thread.times_ms)
        stored = site.rows("SELECT job_id FROM jobs_attempt")
        twice = len(offers) - len(set(offers)) + abs(len(stored) - len(offers))
        rate = len(offers) / seconds
        print(
            f"| {engine} | {hosts} | {rate:,.0f} | {percentile(times, 0.5):.1f} | {percentile(times, 0.99):.1f} "
            f"| {twice} |",
            flush=True,
        )
        return twice


def fill(site: Site, *, hosts: int = 0, jobs: int = 0, people: int = 0) -> dict[str, list[str]]:
    """Make rows in the site's database; returns the secrets that came of it."""
    options = ("--hosts", str(hosts), "--jobs", str(jobs), "--people", str(people))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.job_rows", *options],
        cwd=ROOT,
        env=site.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    made: dict[str, list[str]] = json.loads(done.stdout)
    return made


@dataclass
class Claimer(threading.Thread):
    """One connection that claims and never starts anything."""

    site: Site
    codes: list[str]
    seconds: float
    offers: list[int] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        self._hosts: list[dict[str, str]] = []

    def connect(self) -> None:
        self._hosts = [open_session(self._connection, code) for code in self.codes]
        # The site ends a connection that is idle while the others begin their sessions; the next call opens it again.
        self._connection.close()

    def run(self) -> None:
        end = time.monotonic() + self.seconds
        while self._hosts and time.monotonic() < end:
            began = time.perf_counter()
            status, offer = ask(
                self._connection, "claim", {"claim_id": uuid.uuid4().hex, "gpus": GPUS}, self._hosts[-1]
            )
            if status == 200:
                self.offers.append(offer["job"])
                self.times_ms.append((time.perf_counter() - began) * 1000)
            else:
                self._hosts.pop()


if __name__ == "__main__":
    sys.exit(main())
