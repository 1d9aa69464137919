"""Audit four pages in Chromium as Lighthouse would: how soon they paint, whether they shift, how soon they answer.

    python -m benchmarks.vitals [--runs 3] [--pages / /live/] [--details]

A site of its own with the published figures and a simulated race that goes on, static files collected, one process on
SQLite. Each page is loaded with an empty cache, at 1440 and at 390 pixels, and at 390 once more as a slow phone: a
quarter of the processor, 150 ms and 1.6 Mbit/s. Figures of a load are medians over the runs; shifts and interactions
are the worst. INP is that of real clicks and keys (benchmarks/vitals/pages.py). Scores as in Lighthouse 10
(benchmarks/vitals/scores.py). Ends with 1 where an aim is missed at full speed.
docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from benchmarks.load.site import Site, collect_static_files, new_site
from benchmarks.load.words import print_machine
from benchmarks.vitals.audit import WINDOWS, Audit, audit
from benchmarks.vitals.pages import audited

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
AIMS = {"LCP": 1500.0, "CLS": 0.02, "INP": 200.0, "score": 95.0}
RACE_STARTS_WITHIN_S = 90.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Audit pages in Chromium.")
    parser.add_argument("--runs", type=int, default=3, help="loads of each page at each width")
    parser.add_argument("--pages", nargs="+", help="only those whose path begins so")
    parser.add_argument("--windows", nargs="+", help="only those whose name is one of these")
    parser.add_argument("--details", action="store_true", help="what painted last, what shifted, what took longest")
    arguments = parser.parse_args()
    collect_static_files()
    print_machine(["sqlite"])
    print("| page | width | FCP ms | LCP ms | CLS | TBT ms | INP ms | kB | requests | axe | performance | ", end="")
    print("accessibility | missed |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
    missed = 0
    with new_site("sqlite", LEMSITE_SIMULATE="1") as site, browser() as chromium:
        for each in audited(prepare(site)):
            if arguments.pages and not any(_is_of(each.path, page) for page in arguments.pages):
                continue
            for window in WINDOWS:
                if arguments.windows and window.name not in arguments.windows:
                    continue
                found = audit(chromium, f"http://127.0.0.1:{site.port}", each, window, runs=arguments.runs)
                show(found, details=arguments.details)
                missed += len(misses(found)) * (not window.is_slow)
    return int(missed > 0)


def _is_of(path: str, page: str) -> bool:
    return path == page or (page != "/" and path.startswith(page))


def prepare(site: Site) -> str:
    """What `make run` loads, and a race that has begun; returns the path of a result."""
    site.manage("load_catalogue")
    site.manage("load_published")
    deadline = time.monotonic() + RACE_STARTS_WITHIN_S
    while not site.get("/api/runs") and time.monotonic() < deadline:
        time.sleep(0.5)
    return f"/results/{site.get('/api/benchmarks?limit=1')['results'][0]['id']}/"


@contextmanager
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        raise SystemExit("There is no chromium: install it, or name one in CHROMIUM.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


def misses(found: Audit) -> list[str]:
    pairs = {"LCP": found.metrics["lcp_ms"], "CLS": found.metrics["cls"], "INP": found.inp_ms}
    missed = [name for name, value in pairs.items() if value >= AIMS[name]]
    scores = {"performance": found.performance, "accessibility": found.accessibility}
    missed += [name for name, value in scores.items() if round(value) < AIMS["score"]]
    return missed + ["axe"] * bool(found.violations)


def show(found: Audit, *, details: bool) -> None:
    path = "/results/…/" if found.path.startswith("/results/") else found.path
    metrics = found.metrics
    print(
        f"| `{path}` | {found.window.name} | {metrics['fcp_ms']:,.0f} | {metrics['lcp_ms']:,.0f} "
        f"| {metrics['cls']:.3f} | {metrics['tbt_ms']:,.0f} | {found.inp_ms or 16:,.0f} "
        f"| {found.kb:,.0f} | {found.requests} | {len(found.violations)} | {found.performance:.0f} "
        f"| {found.accessibility:.0f} | {', '.join(misses(found)) or 'none'} |",
        flush=True,
    )
    if details:
        print(
            f"  largest: {found.lcp_element}; {found.acts} acts, slowest: {found.inp_of}; load {os.getloadavg()[0]:.1f}"
        )
        for shift in found.shifts:
            print(f"  shift {shift}")
        for violation in found.violations:
            print(f"  axe {violation}")


if __name__ == "__main__":
    sys.exit(main())
