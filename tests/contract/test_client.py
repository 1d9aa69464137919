"""What the client sends is what the site understands. Only tests in this folder import both."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.load.site import new_site
from gpuagent import messages
from gpuagent.client import Client, Gpu, Run
from gpuagent.client.live_shapes import LiveEvent
from runs.wire import EvalScore, ProgressEvent, RunEnd, RunStart, parse_message
from tests.gpuagent.waiting import wait_for

FIXED = {"runId": "r", "eventId": "e", "gpuId": "g", "model": "m"}
NUMBERS = {name: 1 for name in messages.TICK if name not in {"gpu", "model", "use_case", "ts"}}
SHARES = dict.fromkeys(("composite", *messages.DIMENSIONS), 0.5)


def test_every_field_of_a_tick_is_understood():
    tick = NUMBERS | {"use_case": "qa", "ts": datetime(2026, 5, 1, tzinfo=UTC)}

    event = parse_message(messages.progress(tick, FIXED)).payload

    assert isinstance(event, ProgressEvent)
    assert None not in event.model_dump().values()


def test_a_tick_with_nothing_but_its_speed_is_understood():
    assert parse_message(messages.progress({"tokens_per_s": 1}, FIXED)).kind == "progress"


def test_every_field_of_a_score_is_understood():
    score = SHARES | {"use_case": "qa", "test_case_id": "1", "tokens_per_s": 9.5}

    body = parse_message(messages.score(score, {"runId": "r", "model": "m"})).payload

    assert isinstance(body, EvalScore)
    assert body.tokPerSec == 9.5


def test_start_and_end_are_understood():
    gpu = Gpu("a100-0", "A100", vram_gb=80, cost_per_hour=1.89)

    start = parse_message(messages.run_start("r", label="nightly", gpus=[gpu], models=["m"], note="n")).payload
    end = parse_message(messages.run_end("r", "stopped", "n")).payload

    assert isinstance(start, RunStart)
    assert (start.gpus[0].vramGB, start.gpus[0].costPerHour, start.promptLabel) == (80, 1.89, "nightly")
    assert isinstance(end, RunEnd)
    assert end.status == "stopped"


@pytest.fixture
def site(tmp_path, monkeypatch, fresh_database: Path | None):
    """A real site; its viewers in this process take a short silence for the end of a stream."""
    monkeypatch.setenv("LEM_SPOOL", str(tmp_path))
    monkeypatch.setattr("gpuagent.client.runs.QUIET_S", 1.0)
    if fresh_database:
        monkeypatch.setenv("FRESH_DATABASE", str(fresh_database))
    with new_site("sqlite") as site:
        yield site


def told_by(command: tuple[str, ...], variables: dict[str, str]) -> str:
    """What a program prints; variables are added to its environment."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def watch(url: str, key: str, watched: list[LiveEvent]) -> None:
    with Client(url, "") as client:
        watched.extend(client.runs.watch(key))


@pytest.mark.long
def test_a_run_arrives_at_a_real_site_and_survives_its_restart(site):
    url = f"http://127.0.0.1:{site.port}"
    watched: list[LiveEvent] = []
    with ThreadPoolExecutor() as pool:
        with Run("nightly", gpus=["g"], models=["m"], url=url, token=site.token) as run:
            run.log(tokens_per_s=1)
            wait_for(lambda: run.counts.sent >= 2)
            watching = pool.submit(watch, url, run.id, watched)
            wait_for(lambda: watched)
            site.kill()
            run.log(tokens_per_s=2)
            site.start()
            site.wait_until_up()
            run.log(tokens_per_s=3)
            run.score(use_case="qa", test_case_id="1", **SHARES)  # type: ignore[arg-type]  # keys of a dict have no types

        lem = (sys.executable, "-m", "gpuagent.client", "watch")
        looping = (sys.executable, "docs/examples/stream_loop.py", "3")
        variables = {"LEM_URL": url, "LEM_TOKEN": site.token, "PYTHONPATH": "."}
        commands = ((*lem, run.id), (*lem, f"{url}/runs/{run.id}/", "--json", "--after", "1"), looping)
        plain, lines, looped = pool.map(told_by, commands, [variables] * len(commands))
        watching.result(60)
    told = site.get(f"/api/runs/{run.id}")
    events = site.get(f"/api/runs/{run.id}/events")["events"]

    assert told["run"]["label"] == "nightly"
    assert told["run"]["endedAt"] is not None
    assert [score["composite"] for score in told["scores"]] == [0.5]
    assert sorted(event["tokenPerSec"] for event in events) == [1, 2, 3]
    assert run.counts.sent == run.counts.logged
    assert [event.tokens_per_s for event in watched] == [1, 2, 3]
    assert re.search(r"nightly  finished  0:00:\d\d\nm: composite 0.500 over 1 test cases\n$", plain)
    assert [json.loads(line)["stream_id"] for line in lines.splitlines()] == [2, 3]
    assert "sent=5, rejected=0, spooled=0, dropped=0" in looped
