"""Measure what observing costs: ids, counts, durations and access lines, around a page and around a live message.

    python -m benchmarks.observing [--requests 2000] [--rounds 6]

The ASGI application is called in one process, without a server, with and without what observes it, in turns; processor
time is compared, so that other work on the machine does not count. The page is the smallest there is, and live messages
are not stored (a writer that acknowledges at once): what is printed is the worst that it can be. Counting is in the
memory of one process, or in files that several share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from typing import Any

EVENT = {
    "runId": "observed", "gpuId": "a", "model": "m", "useCase": "u", "ts": "2026-11-21T20:00:00Z", "tokenPerSec": 1,
    "latencyMs": 1, "vramUsedMB": 1, "evalProgressIdx": 0, "evalTotal": 1,
}  # fmt: skip
TOKEN = "token-of-the-benchmark"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Acknowledges:
    """A writer that stores nothing."""

    def submit(self, messages: Any, owner_id: int | None = None) -> Future[list[None]]:
        done: Future[list[None]] = Future()
        done.set_result([None] * len(messages))
        return done


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what observing costs.")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asyncio.run(_measure(options.requests, options.rounds))))
        return
    print("| counts in | what | alone, us | observed, us | ratio |\n| --- | --- | --- | --- | --- |")
    for mode in ("memory", "files", "files, access log"):
        for what, (alone, observed) in _in_a_process(mode, options.requests, options.rounds).items():
            print(f"| {mode} | {what} | {alone:.1f} | {observed:.1f} | {observed / alone:.3f} |")


def _in_a_process(mode: str, requests: int, rounds: int) -> dict[str, tuple[float, float]]:
    """prometheus_client chooses where to count when it is imported."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"LEMSITE_HOME": home, "INGEST_TOKEN": TOKEN, "LEMSITE_ENV_FILE": os.devnull, "LOG_FORMAT": "json"}
        variables |= {"ACCESS_LOG": "1" if "log" in mode else "0", "DEBUG": "1"}
        variables |= {FOLDER: home} if "files" in mode else {}
        command = [sys.executable, "-m", "benchmarks.observing", "--one"]
        command += ["--requests", str(requests), "--rounds", str(rounds)]
        done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"Counting in {mode} failed.")
        found: dict[str, tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
        return found


async def _measure(requests: int, rounds: int) -> dict[str, tuple[float, float]]:
    from lemsite.asgi import application
    from runs import ingest

    ingest.writer = Acknowledges()  # type: ignore[assignment]  # it has the one method that is used
    observed: Any = application.application_mapping["http"]
    message = json.dumps(EVENT).encode()
    asked = {"a page": ("GET", "/robots.txt", b""), "a live message": ("POST", "/api/ingest", message)}
    found = {}
    for what, request in asked.items():
        times: dict[str, list[float]] = {"alone": [], "observed": []}
        for _ in range(rounds):
            times["alone"].append(await _time(observed.application, request, requests))
            times["observed"].append(await _time(observed, request, requests))
        found[what] = (min(times["alone"]), min(times["observed"]))
    return found


async def _time(application: Any, request: tuple[str, str, bytes], requests: int) -> float:
    """Processor time of one request, microseconds."""
    started = time.process_time()
    for _ in range(requests):
        await _ask(application, *request)
    return (time.process_time() - started) / requests * 1e6


async def _ask(application: Any, method: str, path: str, body: bytes) -> None:
    from lemsite.observing.noted import KEY, Noted

    headers = [(b"host", b"localhost"), (b"x-ingest-token", TOKEN.encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("203.0.113.9", 50_000), "server": ("localhost", 80), KEY: Noted(),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise SystemExit(f"{path} was answered with {message['status']}")

    await application(scope, receive, send)


if __name__ == "__main__":
    main()
