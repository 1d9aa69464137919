"""A mixed day at rising load, until the slowest hundredth is too slow or too much goes wrong.

    python -m benchmarks.load                                     # the three deployments below
    python -m benchmarks.load --engine postgresql --processes 2   # one of them
    python -m benchmarks.load --engine sqlite --steps 10 20 40 --for-s 30 --rows 100000 --seed 7

Open loop: requests are due at random moments at a given rate, whatever becomes of the earlier ones, and their times
count from then. Nine in ten are readers' (benchmarks/load/day.py has the shares); viewers hold sockets open meanwhile.
A step is too much when the p99 of a kind is beyond its limit, or more than 0.1 % of the answers are wrong; 429 and 304
are counted apart and are no errors. Without --processes: one process on SQLite, one on PostgreSQL, two on PostgreSQL
with Redis behind a proxy. Generator, database and site share the machine; what each of them took is printed.
docs/performance.md has the figures, docs/scaling.md what follows from them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import urllib.request
from itertools import takewhile
from typing import Any

from benchmarks.load.agents import open_session
from benchmarks.load.cost import COST_BASIS, usd_per_1000_readers
from benchmarks.load.day import KINDS
from benchmarks.load.deployment import Deployment, deployed
from benchmarks.load.site import ENGINES, ROOT, allow_many_sockets, collect_static_files
from benchmarks.load.steps import Step, take_step
from benchmarks.load.words import print_machine

SETUPS = (("sqlite", 1), ("postgresql", 1), ("postgresql", 2))
STEPS = (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 160.0, 240.0)
PEOPLE, HOSTS = 60, 16
#: of each kind alone, one after the other, to see what one costs
ALONE = 30
#: a step this much later than the one before it meets the same caches
WARM_UP_S = 6.0


def main() -> int:
    parser = argparse.ArgumentParser(description="A mixed day at rising load.")
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--processes", type=int, help="web processes; more than one get Redis and a proxy")
    parser.add_argument("--steps", type=float, nargs="+", default=STEPS, help="requests a second")
    parser.add_argument("--for-s", type=float, default=20.0, help="seconds of each step")
    parser.add_argument("--rows", type=int, default=20_000, help="synthetic results in the database")
    parser.add_argument("--viewers", type=float, default=2.0, help="sockets held open for each request a second")
    parser.add_argument("--alone", type=int, default=ALONE, help="requests of each kind alone; 0 to leave it out")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--all-steps", action="store_true", help="go on beyond a step that was too much")
    parser.add_argument("--as-is", action="store_true", help="without collecting the static files first")
    arguments = parser.parse_args()
    setups = [
        (engine, processes)
        for engine, processes in SETUPS
        if arguments.engine in (None, engine) and arguments.processes in (None, processes)
    ] or [(arguments.engine or "postgresql", arguments.processes)]
    allow_many_sockets()
    if not arguments.as_is:
        collect_static_files()
    print_machine(sorted({engine for engine, _ in setups}))
    firsts = [measure(engine, processes, arguments) for engine, processes in setups]
    # At the least load, wrong answers mean that something is wrong, not that it is too much.
    return int(any(first.errors for first in firsts))


def measure(engine: str, processes: int, arguments: argparse.Namespace) -> Step:
    """Print the tables of one deployment; returns its first step."""
    grown = processes > 1
    print(f"## {processes} web process{'es' * grown}, {engine}{', Redis, behind a proxy' * grown}\n", flush=True)
    with deployed(web=processes, engine=engine, redis=grown, proxy=grown) as deployment:
        made = prepare(deployment, arguments.rows)
        take_step(deployment, made, rate=5, seconds=min(WARM_UP_S, arguments.for_s), seed=arguments.seed - 1)
        if arguments.alone:
            print_alone(deployment, made, arguments)
        steps: list[Step] = []
        for number, rate in enumerate(arguments.steps):
            step = take_step(
                deployment,
                made,
                rate=rate,
                seconds=arguments.for_s,
                seed=arguments.seed + number,
                viewers=round(rate * arguments.viewers),
            )
            print_step(step)
            steps.append(step)
            if step.faults and not arguments.all_steps:
                break
        if engine == "postgresql":
            print_stored(deployment)
    print_knee(steps)
    return steps[0]


def prepare(deployment: Deployment, rows: int) -> dict[str, Any]:
    """Rows, hosts with a session, a live run, and the static files of a page."""
    options = ("--rows", str(rows), "--people", str(PEOPLE), "--hosts", str(HOSTS))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load.day_rows", *options],
        cwd=ROOT,
        env=deployment.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    made: dict[str, Any] = json.loads(done.stdout)
    connection = http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=60)
    made["hosts"] = [open_session(connection, code) for code in made.pop("codes")]
    connection.close()
    made |= {"run": "mixed-day", "ingest_token": deployment.token, "first_event": 0}
    deployment.webs[0].post({"kind": "run_start", "payload": {"runId": made["run"]}})
    with urllib.request.urlopen(deployment.url + "/", timeout=60) as answer:
        made["static"] = sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.read().decode())))
    return made


def print_alone(deployment: Deployment, made: dict[str, Any], arguments: argparse.Namespace) -> None:
    print(f"Each kind alone, {arguments.alone} requests at 10 a second:\n")
    print(
        "| kind | p50 ms | p99 ms | web ms of processor each | database | proxy | kB |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    for kind in KINDS:
        step = take_step(
            deployment, made, rate=10, seconds=arguments.alone / 10, seed=arguments.seed, kinds={kind: 1.0}
        )
        each_ms = {part: used / max(step.requests, 1) * 1000 for part, used in step.cpu_s.items()}
        [line] = step.lines
        print(
            f"| {kind} | {line.p50_ms:.0f} | {line.p99_ms:.0f} | {each_ms['web']:.1f} | {each_ms['database']:.1f} "
            f"| {each_ms['proxy']:.1f} | {line.kb:.1f} |",
            flush=True,
        )
    print()


def print_step(step: Step) -> None:
    print(f"### {step.rate:g} a second, {step.viewers} viewers: {step.requests:,} requests, {step.errors} errors\n")
    print("| kind | requests | p50 ms | p95 ms | p99 ms | limit ms | 304 | 429 | errors |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for line in step.lines:
        print(
            f"| {line.kind} | {line.count:,} | {line.p50_ms:,.0f} | {line.p95_ms:,.0f} | {line.p99_ms:,.0f} "
            f"| {KINDS[line.kind].limit_ms:,.0f} | {line.unchanged} | {line.limited} | {line.errors} |"
        )
    cores = ", ".join(f"{part} {used / step.seconds:.2f}" for part, used in step.cpu_s.items())
    print(f"\n{step.cpu_ms_per_request:.1f} ms of processor a request. Cores: {cores}; generator and viewers", end=" ")
    print(f"{step.own_cpu_s / step.seconds:.2f} (late by {step.late_p99_ms:.0f} ms at p99). ", end="")
    print(f"Viewers got {step.delivered:.1%} of the events. Load of the machine {step.load_average:.1f}.")
    for reason, count in step.reasons.most_common(5):
        print(f"{count} x {reason}")
    print(f"**{'; '.join(step.faults) or 'Held'}**\n", flush=True)


def print_stored(deployment: Deployment) -> None:
    query = "SELECT count(*), pg_total_relation_size('runs_progressevent') FROM runs_progressevent"
    [(events, size)] = deployment.webs[0].rows(query)
    print(f"Live events as rows: {size / max(events, 1):.0f} bytes each, indexes included ({events:,} of them).")


def print_knee(steps: list[Step]) -> None:
    """The last step that held before one that did not; what a request costs is told either way."""
    held = list(takewhile(lambda step: not step.faults, steps))
    if held:
        print(f"\nThe knee: **{held[-1].rate:g} requests a second** held.")
    else:
        print("\nNot even the first step held.")
    cheapest = min(step.cpu_ms_per_request for step in held or steps)
    cpu_s, usd = usd_per_1000_readers(cheapest)
    print(f"{cheapest:.1f} ms of processor a request at best; 1,000 readers: {cpu_s:,.0f} s of processor, ${usd:.4f}.")
    print(f"{COST_BASIS}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
