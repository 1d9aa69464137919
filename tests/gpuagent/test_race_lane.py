"""One lane: ready, go, ticks, scores, and the ways in which it fails; then the program as the agent runs it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gpuagent.executors.progress import Progress
from gpuagent.gpu.fake import FakeSource
from gpuagent.gpu.source import GpuFault
from gpuagent.race import lane as lane_module
from gpuagent.race.client import Answer, Client
from gpuagent.race.config import BadRaceConfig, parse_config
from gpuagent.race.gauges import Gauges
from gpuagent.race.lane import Lane, LaneFailed, boot_s
from gpuagent.race.meter import Meter
from gpuagent.race.record import report
from gpuagent.race.simulated import SimulatedServer
from gpuagent.race.suites import load_suite
from tests.gpuagent.openai_server import MODEL, FakeModelServer, chunk

CONFIG: dict[str, Any] = {
    "kind": "race",
    "lane": "host-a",
    "model": MODEL,
    "use_cases": ["question-answering"],
    "suite_version": "2026.1",
    "max_tokens": 64,
    "concurrency": 4,
    "wait_s": 30,
    "run_s": 60,
    "simulate": False,
}


def config_of(**changes: Any):
    return parse_config(json.dumps({**CONFIG, **changes}))


class Told:
    """What the lane told the agent, by type."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line["data"] for line in self.lines if line["type"] == kind]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("LEM_PROGRESS", str(tmp_path / "progress.jsonl"))
    return Told(tmp_path / "progress.jsonl")


@asynccontextmanager
async def lane_with(server: Any, go_file: Path | None = None, **changes: Any):
    config = config_of(**changes)
    suites = [load_suite(name, config.suite_version) for name in config.use_cases]
    async with server.running() as base_url:
        client = Client(base_url, concurrency=config.concurrency, now=boot_s)
        gauges = Gauges(lambda: FakeSource(["GPU-simulated-0", "GPU-simulated-1"]))
        gauges.start()
        yield Lane(config, suites, client=client, progress=Progress(), gauges=gauges, go_file=go_file)
        gauges.stop()
        await client.close()


async def until_ready(told: Told) -> None:
    for _ in range(2000):
        if told.of("ready"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the lane was never ready")


def fast_server() -> SimulatedServer:
    return SimulatedServer(model=MODEL, lane="host-a", suites=[load_suite("question-answering", "2026.1")], speed=20)


async def test_every_case_is_asked_once_and_scored(told):
    async with lane_with(fast_server()) as lane:
        await lane.run()

    names = [score["testCaseId"] for score in told.of("score")]
    assert sorted(names) == [f"question-answering-{number:02d}" for number in range(1, 13)]


async def test_it_is_ready_before_it_goes_and_asks_nothing_in_between(told, tmp_path):
    server, go = FakeModelServer(), tmp_path / "go"
    async with lane_with(server, go) as lane:
        running = asyncio.create_task(lane.run())
        await until_ready(told)
        asked_before = len(server.questions)
        await asyncio.sleep(0.2)
        asked_at_go = len(server.questions)
        go.write_text(f"{boot_s():.6f}")
        await running

    assert asked_before == asked_at_go == 1  # the warm-up
    assert [line["type"] for line in told.lines[:2]] == ["ready", "go"]


async def test_it_starts_at_the_moment_that_it_was_told(told, tmp_path):
    go, moment = tmp_path / "go", boot_s() + 0.5
    go.write_text(f"{moment:.6f}")
    async with lane_with(fast_server(), go) as lane:
        await lane.run()

    assert lane.went_at == pytest.approx(moment, abs=1e-4)
    assert 0 <= told.of("go")[0]["late_s"] < 0.5


async def test_a_moment_that_is_corrected_while_it_waits_counts(told, tmp_path):
    go = tmp_path / "go"
    go.write_text(f"{boot_s() + 25:.6f}")
    async with lane_with(fast_server(), go) as lane:
        running = asyncio.create_task(lane.run())
        await until_ready(told)
        go.write_text(f"{boot_s():.6f}")
        await asyncio.wait_for(running, 15)


async def test_a_moment_half_written_is_read_again(told, tmp_path):
    go = tmp_path / "go"
    go.write_text("")
    async with lane_with(fast_server(), go) as lane:
        running = asyncio.create_task(lane.run())
        await asyncio.sleep(0.3)
        go.write_text(f"{boot_s():.6f}")
        await asyncio.wait_for(running, 15)

    assert told.of("score")


async def test_ticks_come_at_least_twice_a_second_and_tell_all_tokens(told):
    async with lane_with(
        SimulatedServer(model=MODEL, lane="host-a", suites=[load_suite("summarisation", "2026.1")], speed=4),
        use_cases=["summarisation"],
    ) as lane:
        await lane.run()

    ticks = told.of("tick")
    # The last one comes with the last answer, whenever that is.
    gaps = [later["t_s"] - earlier["t_s"] for earlier, later in pairwise(ticks[:-1])]
    tokens = sum(outcome.answer.tokens for outcome in lane.outcomes if outcome.answer)
    assert sum(gaps) / len(gaps) <= 0.5
    assert sum(tick["outputTokens"] for tick in ticks) == tokens


async def test_a_tick_has_the_figures_of_all_gpus(told):
    async with lane_with(fast_server()) as lane:
        await lane.run()

    last = told.of("tick")[-1]
    assert 100 < last["powerW"] < 150  # two boards that idle at 62 W
    assert last["vramUsedMB"] == pytest.approx(2 * 4 * 1.048576, abs=0.01)
    assert (last["useCase"], last["evalProgressIdx"], last["evalTotal"]) == ("question-answering", 12, 12)


async def test_the_report_has_every_case_and_how_tokens_were_counted(told):
    async with lane_with(fast_server()) as lane:
        await lane.run()

    found = report(config_of(), lane.outcomes)
    assert (found["answered"], len(found["cases"]), found["tokens_counted_by"]) == (12, 12, ["usage"])
    assert found["mean_ttft_s"] > 0


async def test_a_model_that_is_not_served_is_said_so(told):
    async with lane_with(FakeModelServer(), model="org/other") as lane:
        with pytest.raises(LaneFailed, match="does not serve org/other") as failed:
            await lane.run()

    assert failed.value.code == "model_not_served"
    assert not told.of("ready")


async def test_a_server_that_fails_at_the_warm_up_is_said_so(told):
    server = FakeModelServer()
    server.status = 503
    async with lane_with(server) as lane:
        with pytest.raises(LaneFailed, match="HTTP 503") as failed:
            await lane.run()

    assert failed.value.code == "no_model_server"


async def test_a_server_that_dies_during_the_race_ends_it(told):
    server = FakeModelServer()
    server.status, server.first_statuses = 500, [200]
    async with lane_with(server) as lane:
        with pytest.raises(LaneFailed, match="in a row failed") as failed:
            await lane.run()

    assert failed.value.code == "server_failed"


async def test_a_case_without_an_answer_has_no_score_and_the_others_go_on(told):
    server = FakeModelServer()
    server.first_statuses = [200, 500]
    async with lane_with(server, concurrency=1) as lane:
        await lane.run()

    assert len(told.of("score")) == 11
    assert told.of("unanswered")[0]["testCaseId"] == "question-answering-01"


async def test_a_lane_whose_others_never_come_gives_up(told, tmp_path):
    async with lane_with(FakeModelServer(), tmp_path / "never", wait_s=1) as lane:
        with pytest.raises(LaneFailed) as failed:
            await lane.run()

    assert failed.value.code == "no_start"


async def test_a_lane_that_takes_too_long_ends_with_what_it_has(told, monkeypatch):
    server = FakeModelServer()
    server.stream = [chunk("a"), 5.0, chunk("b")]
    monkeypatch.setattr(lane_module.Lane, "_warm_up", lambda self: asyncio.sleep(0))
    async with lane_with(server, run_s=1) as lane:
        with pytest.raises(LaneFailed) as failed:
            await lane.run()

    assert failed.value.code == "out_of_time"
    assert told.of("tick")


# the meter and the gauges


def test_the_meter_counts_the_last_second_by_what_a_piece_is_worth():
    clock = [100.0]
    meter = Meter(lambda: clock[0])
    meter.start(100.0)
    for moment in (100.2, 100.6, 101.5, 101.8):
        clock[0] = moment
        meter.count()
    meter.finish(Answer(100.0, [100.2, 100.6, 101.5, 101.8], list("abcd"), 4, 101.9, usage_tokens=12))
    clock[0] = 102.0

    told = meter.read()

    assert told["tokenPerSec"] == pytest.approx(6.0)  # two pieces of three tokens each
    assert told["outputTokens"] == 12
    assert (told["ttftMs"], told["latencyMs"]) == (pytest.approx(200), pytest.approx(1900))
    assert meter.read()["outputTokens"] == 0


def test_gauges_without_a_driver_know_nothing():
    def no_driver():
        raise GpuFault("no_driver", "There is no driver.")

    gauges = Gauges(no_driver)
    gauges.start()
    gauges.stop()

    assert set(gauges.read().values()) == {None}


def test_a_reading_that_is_old_is_none():
    clock = [0.0]
    gauges = Gauges(lambda: FakeSource(["GPU-simulated-0"]), now=lambda: clock[0])
    gauges.start()
    until = time.monotonic() + 10
    while gauges.read()["powerW"] is None and time.monotonic() < until:
        time.sleep(0.01)
    gauges.stop()
    assert gauges.read()["powerW"] is not None

    clock[0] = 60.0

    assert gauges.read()["powerW"] is None


# the configuration

BAD = {
    "an address": {"base_url": "http://10.0.0.1"},
    "another kind": {"kind": "llem"},
    "a path as model": {"model": "/etc/passwd"},
    "a way up": {"model": "org/..x"},
    "an unknown suite": {"use_cases": ["chess"]},
    "a suite twice": {"use_cases": ["extraction", "extraction"]},
    "no suite": {"use_cases": []},
    "too many requests": {"concurrency": 1000},
    "a number as text": {"max_tokens": "64"},
    "a flag as text": {"simulate": "no"},
    "endless": {"run_s": 10**9},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_what_no_lane_does_is_refused(changes):
    with pytest.raises(BadRaceConfig):
        config_of(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "[" * 5000,
        "!!python/object/apply:os.system ['id']",
        "x: " + "y" * 20_000,
        "\x00",
        "kind: race",
    ],
    ids=["alias", "deep", "tag", "long", "zero", "little"],
)
def test_text_that_is_not_a_lane_is_refused(text):
    with pytest.raises(BadRaceConfig):
        parse_config(text)


# the program


def program(tmp_path: Path, text: str, **env: str) -> subprocess.Popen[str]:
    (tmp_path / "config.yaml").write_text(text)
    return subprocess.Popen(
        [sys.executable, "-m", "gpuagent.race", str(tmp_path / "config.yaml"), str(tmp_path / "out")],
        env={"PATH": os.environ["PATH"], "LEM_PROGRESS": str(tmp_path / "progress.jsonl"), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_configuration_that_is_refused_ends_with_its_reason(tmp_path):
    process = program(tmp_path, json.dumps({**CONFIG, "base_url": "http://10.0.0.1"}))

    assert process.communicate(timeout=60)[0].startswith("base_url")
    assert process.returncode == 2


def test_without_a_server_in_the_policy_it_says_so_last(tmp_path):
    process = program(tmp_path, json.dumps(CONFIG))

    said = process.communicate(timeout=60)[0].splitlines()
    assert said[-1] == "The operator of this host has named no model server in its policy."
    assert process.returncode == 3
    assert Told(tmp_path / "progress.jsonl").of("failed")[0]["code"] == "no_model_server"


def test_an_interrupt_stops_a_simulated_lane_and_keeps_what_it_has(tmp_path):
    process = program(tmp_path, json.dumps({**CONFIG, "simulate": True}))
    told, until = Told(tmp_path / "progress.jsonl"), time.monotonic() + 60
    while not told.of("tick") and time.monotonic() < until:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)

    assert "stopped" in process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert json.loads((tmp_path / "out" / "race.json").read_text())["format"] == "gpuagent-race"
