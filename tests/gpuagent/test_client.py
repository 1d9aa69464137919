"""A program logs to a live run while the site answers."""

import logging
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gpuagent.client import Gpu, Run

from .conftest import wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = "meta-llama/Llama-3.1-8B-Instruct"


def test_a_run_sends_its_start_its_ticks_and_its_end(site, spool):
    with Run("Nightly run", gpus=[Gpu("a100-0", "A100", 80, 1.89)], models=[MODEL], note="bf16") as run:
        run.log(tokens_per_s=812.5, latency_ms=431, vram_used_mb=30_000, use_case="qa", eval_index=3, eval_total=12)

    start, tick, end = site.messages
    assert start["kind"] == "run_start"
    assert start["payload"]["promptLabel"] == "Nightly run"
    assert start["payload"]["gpus"] == [{"name": "a100-0", "type": "A100", "vramGB": 80, "costPerHour": 1.89}]
    assert (tick["payload"]["gpuId"], tick["payload"]["model"]) == ("a100-0", MODEL)
    assert (tick["payload"]["tokenPerSec"], tick["payload"]["evalProgressIdx"]) == (812.5, 3)
    assert (end["kind"], end["payload"]["status"]) == ("run_end", "finished")
    assert {each["payload"]["runId"] for each in site.messages} == {run.id}
    assert run.id.startswith("nightly-run-2")


def test_everything_a_sensor_tells_arrives_under_the_contracts_names(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(
            tokens_per_s=1, power_w=250.5, energy_j=62.6, gpu_util_pct=97, temperature_c=61, output_tokens=200,
            ttft_ms=120, ts=datetime(2026, 5, 1, 12, tzinfo=UTC),
        )  # fmt: skip

    payload = site.payloads()[0]
    assert payload["ts"] == "2026-05-01T12:00:00.000Z"
    assert {name: payload[name] for name in ("powerW", "energyJ", "gpuUtilPct", "temperatureC")} == {
        "powerW": 250.5, "energyJ": 62.6, "gpuUtilPct": 97.0, "temperatureC": 61.0,
    }  # fmt: skip
    assert (payload["outputTokens"], payload["ttftMs"]) == (200, 120.0)


def test_a_value_that_the_sensor_did_not_give_is_left_out(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1, power_w=None)

    assert "powerW" not in site.payloads()[0]


def test_a_score_is_sent_with_its_dimensions(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.score(
            use_case="qa", test_case_id="qa-01", composite=0.8, tokens_per_s=700,
            correctness=1.0, completeness=0.5, format_quality=0.75, conciseness=0.25,
        )  # fmt: skip

    assert site.payloads("score") == [
        {
            "runId": run.id, "model": "m", "useCase": "qa", "testCaseId": "qa-01", "composite": 0.8, "tokPerSec": 700.0,
            "dimensions": {"correctness": 1.0, "completeness": 0.5, "formatQuality": 0.75, "conciseness": 0.25},
        }
    ]  # fmt: skip


def test_the_token_goes_along(site, spool):
    with Run("x", gpus=["g"], token="another"):
        pass

    assert set(site.tokens) == {"another"}


def test_ticks_travel_in_batches_of_at_most_500(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        for number in range(1200):
            run.log(tokens_per_s=number)

    assert [tick["tokenPerSec"] for tick in site.payloads()] == list(range(1200))
    assert max(site.batches) == 500
    assert len(site.batches) <= 5


def test_a_tick_is_on_its_way_within_a_moment(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)

        wait_for(lambda: len(site.payloads()) == 1)


def log_often(run: Run) -> None:
    for _ in range(200):
        run.log(tokens_per_s=1)


def test_every_event_has_an_id_of_its_own_also_from_many_threads(site, spool):
    with Run("x", gpus=["g"], models=["m"]) as run:
        threads = [threading.Thread(target=log_often, args=(run,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len({tick["eventId"] for tick in site.payloads()}) == 1600


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_ends_the_run_and_goes_on(site, spool, error):
    with pytest.raises(error), Run("x", gpus=["g"]):
        raise error

    end = site.payloads("run_end")[0]
    assert end["status"] == {ValueError: "failed", KeyboardInterrupt: "stopped"}[error]
    assert end["note"] == error.__name__


@pytest.mark.parametrize(
    "bad",
    [
        {"tokens_per_s": float("nan")},
        {"tokens_per_s": "fast"},
        {"tokens_per_s": 1, "speed": 1},
        {"model": "m"},
        {"tokens_per_s": 1, "eval_index": float("inf")},
        {"tokens_per_s": 1, "ts": datetime(2026, 5, 1)},  # noqa: DTZ001
    ],
)
def test_a_tick_that_cannot_be_sent_is_told_once_and_never_raises(site, spool, caplog, bad):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(**bad)
        run.log(**bad)
        run.log(tokens_per_s=2)

    assert [tick["tokenPerSec"] for tick in site.payloads()] == [2.0]
    assert run.counts.rejected == 2
    assert caplog.text.count("left out") == 1


def test_a_value_whose_conversion_fails_oddly_does_not_raise(site, spool):
    class Odd:
        def __float__(self) -> float:
            raise RuntimeError("lost its device")

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=Odd())  # type: ignore[arg-type]

    assert run.counts.rejected == 1


def test_a_score_outside_0_to_1_is_left_out(site, spool, caplog):
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.score(use_case="qa", test_case_id="1", composite=1.5)
        run.score(use_case="qa", test_case_id="1", composite=0.5)

    assert run.counts.rejected == 2
    assert "composite cannot be sent: is not between 0 and 1" in caplog.text


@pytest.mark.parametrize("variable", ["LEM_URL", "LEM_TOKEN"])
def test_without_a_site_the_program_goes_on(spool, monkeypatch, caplog, variable):
    monkeypatch.delenv(variable)

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)

    assert f"{variable} not set" in caplog.text
    assert run.counts.dropped == run.counts.logged == 3


def test_what_is_logged_after_the_end_is_counted_as_lost(site, spool, caplog):
    run = Run("x", gpus=["g"], models=["m"])
    run.end()

    run.log(tokens_per_s=1)
    run.end()

    assert run.counts.dropped == 1
    assert "has ended" in caplog.text
    assert len(site.payloads("run_end")) == 1


def test_logging_does_not_wait_for_a_slow_site(site, spool):
    site.delay_s = 0.5

    with Run("x", gpus=["g"], models=["m"]) as run:
        began = time.perf_counter()
        for _ in range(2000):
            run.log(tokens_per_s=1)
        took_s = time.perf_counter() - began

    # 2,000 calls take some 30 ms; the site needs 2.5 s for them.
    assert took_s < 0.5
    assert len(site.payloads()) == 2000


def test_requests_do_not_fill_the_log_of_the_program(site, spool, caplog):
    caplog.set_level(logging.INFO)

    with Run("x", gpus=["g"]):
        pass

    assert caplog.records == []


def test_a_program_that_just_ends_sends_everything_and_is_marked_stopped(site, spool):
    code = "from gpuagent.client import Run; run = Run('x', gpus=['g'], models=['m']); run.log(tokens_per_s=7)"

    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)

    assert [tick["tokenPerSec"] for tick in site.payloads()] == [7.0]
    assert site.payloads("run_end")[0]["status"] == "stopped"


def test_a_forked_child_leaves_its_parents_run_alone(site, spool):
    code = (
        "import os, warnings; warnings.simplefilter('ignore')\n"
        "from gpuagent.client import Run\n"
        "with Run('x', gpus=['g'], models=['m']) as run:\n"
        "    if os.fork() == 0:\n"
        "        run.log(tokens_per_s=1)\n"
        "        run.end('failed')\n"
        "        raise SystemExit(run.counts.dropped != 1)\n"
        "    assert os.wait()[1] == 0\n"
        "    run.log(tokens_per_s=2)\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, env=os.environ)

    assert [tick["tokenPerSec"] for tick in site.payloads()] == [2.0]
    assert [end["status"] for end in site.payloads("run_end")] == ["finished"]
