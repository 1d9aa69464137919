"""Measure how many live events a second one web process stores, acknowledged after their commit.

    python benchmarks/ingest.py [--database sqlite|postgresql|both] [--seconds 5]

Each line is measured on a site and a database of its own, made for it and removed. The load generator (one epoll loop
with requests from ready-made text, benchmarks/load/closed_loop.py) runs on the same cores. Every event has an eventId
of its own; afterwards the rows in the database must be exactly those acknowledged. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.load.closed_loop import Load, Requests, run_load  # noqa: E402
from benchmarks.load.site import ENGINES, Site, new_site  # noqa: E402
from benchmarks.load.words import percentile, print_machine  # noqa: E402

#: connections, events in one request
SCENARIOS = ((16, 1), (128, 1), (16, 100), (4, 1000))
QUICK_SCENARIOS = ((4, 1), (4, 100))
WARM_UP_SHARE = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure durable live events per second.")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--quick", action="store_true", help="only 4 connections, single events and batches of 100")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load per line, after a warm-up")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    scenarios = QUICK_SCENARIOS if arguments.quick else SCENARIOS
    print_machine(engines)
    print("Load generator: one Python process, epoll, requests from ready-made text; on the same cores.\n")
    print("| database | connections | batch | events/s | requests/s | p50 ms | p99 ms | server CPU | load CPU | rows |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")
    return max([measure(engine, *scenario, arguments.seconds) for engine in engines for scenario in scenarios])


def measure(engine: str, connections: int, batch: int, seconds: float) -> int:
    """Print one line of the table; 1 when a row is missing or too many."""
    with new_site(engine) as site:
        requests = Requests(site.port, site.token, run="benchmark", batch=batch)
        warm, number = run_load(site.port, requests, connections=connections, seconds=seconds * WARM_UP_SHARE)
        cpu_s, own_cpu_s = site.cpu_s(), _own_cpu_s()
        load, number = run_load(site.port, requests, connections=connections, seconds=seconds, first=number)
        cpu_s, own_cpu_s = site.cpu_s() - cpu_s, _own_cpu_s() - own_cpu_s
        fault = _fault(site, number, warm, load)
    times = sorted(load.times_ms)
    rate = len(times) / load.seconds
    print(
        f"| {engine} | {connections} | {batch:,} | {rate * batch:,.0f} | {rate:,.0f} | {percentile(times, 0.5):.1f} "
        f"| {percentile(times, 0.99):.1f} | {cpu_s / load.seconds:.2f} | {own_cpu_s / load.seconds:.2f} "
        f"| {fault or 'all there'} |",
        flush=True,
    )
    return int(bool(fault))


def _fault(site: Site, sent: int, *loads: Load) -> str:
    for load in loads:
        if load.refused:
            return f"refused: {load.refused}"
    stored, distinct = site.rows("SELECT count(*), count(DISTINCT event_id) FROM runs_progressevent")[0]
    return "" if stored == distinct == sent else f"{sent} acknowledged, {stored} stored, {distinct} distinct"


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
