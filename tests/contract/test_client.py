"""What the client sends is what the site understands. Only tests in this folder import both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.load.site import new_site
from gpuagent import messages
from gpuagent.client import Gpu, Run
from runs.wire import EvalScore, ProgressEvent, RunEnd, RunStart, parse_message

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
def spool(tmp_path, monkeypatch):
    monkeypatch.setenv("LEM_SPOOL", str(tmp_path))


def test_a_run_arrives_at_a_real_site_and_survives_its_restart(spool):
    with new_site("sqlite") as site:
        with Run("nightly", gpus=["g"], models=["m"], url=f"http://127.0.0.1:{site.port}", token=site.token) as run:
            run.log(tokens_per_s=1)
            site.kill()
            run.log(tokens_per_s=2)
            site.start()
            site.wait_until_up()
            run.log(tokens_per_s=3)
            run.score(use_case="qa", test_case_id="1", **SHARES)  # type: ignore[arg-type]  # keys of a dict have no types

        told = site.get(f"/api/runs/{run.id}")
        events = site.get(f"/api/runs/{run.id}/events")["events"]

    assert told["run"]["label"] == "nightly"
    assert told["run"]["endedAt"] is not None
    assert [score["composite"] for score in told["scores"]] == [0.5]
    assert sorted(event["tokenPerSec"] for event in events) == [1, 2, 3]
    assert run.counts.sent == run.counts.logged
