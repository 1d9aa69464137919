"""A race from its lanes being ready to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Attempt, JobState, RaceState
from jobs.services import claiming, clock, leases, race_settling
from jobs.services.cancelling import cancel_job
from jobs.services.racing import START_IN, go_in_s, lane_ready
from jobs.tasks import ensure_schedules
from runs.models import Run, RunStatus
from runs.services import end_silent_runs
from tests.factories import HardwareFactory
from tests.jobs.factories import AttemptFactory
from tests.jobs.queueing import claim, finish, later
from tests.jobs.racing import begun, lanes, ordered, racing_host, settle, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def hosts() -> list[Any]:
    return [racing_host(), racing_host()]


def test_a_lane_that_is_ready_waits_for_the_others(hosts):
    race = ordered(hosts)
    first, _ = begun(race, hosts)

    lane_ready(first)

    race.refresh_from_db()
    assert (race.state, race.go_at, go_in_s(first)) == (RaceState.WAITING, None, None)


def test_once_all_are_ready_each_is_told_the_same_moment(hosts):
    _, attempts = started(hosts)

    told = [told_s for attempt in attempts if (told_s := go_in_s(attempt)) is not None]

    assert len(told) == 2
    assert abs(told[0] - told[1]) < 1
    assert 0 < told[0] <= START_IN.total_seconds()


def test_a_heartbeat_that_says_ready_is_enough(hosts):
    race = ordered(hosts)
    first, second = begun(race, hosts)
    lane_ready(first)
    second.phase = "ready"

    assert go_in_s(second) is not None


def test_saying_ready_again_does_not_move_the_start(hosts):
    race, attempts = started(hosts)

    lane_ready(attempts[0])

    assert type(race).objects.get().go_at == race.go_at


def test_a_scheduled_race_starts_at_its_moment(hosts):
    moment = timezone.now() + timedelta(minutes=3)

    race, _ = started(hosts, starts_at=moment)

    assert race.go_at == moment


def test_a_benchmark_is_no_race(db):
    attempt = AttemptFactory(phase="ready")

    lane_ready(attempt)

    assert go_in_s(attempt) is None


def test_the_live_run_has_a_lane_for_each_host(hosts):
    hardware = HardwareFactory(usd_per_gpu_hour=3.5)
    gpu = hosts[0].gpus[0]
    gpu.hardware = hardware
    gpu.save()

    race, _ = started(hosts)

    run = Run.objects.get()
    first, second = run.lanes.all()
    assert (run.started_at, run.models_named) == (race.go_at, ["Qwen/Qwen2.5-7B-Instruct"])
    assert (first.name, first.type, first.vram_gb) == (hosts[0].agent.name, "NVIDIA H100 80GB HBM3", 85.5)
    assert (first.cost_per_hour_usd, second.cost_per_hour_usd) == (3.5, None)


def test_a_run_that_was_closed_while_it_waited_is_open_again(hosts):
    race = ordered(hosts)
    Run.objects.update(ended_at=timezone.now(), status=RunStatus.STOPPED)

    for attempt in begun(race, hosts):
        lane_ready(attempt)

    assert Run.objects.filter(ended_at=None, status=RunStatus.RUNNING).exists()


def test_a_lane_that_fails_before_the_start_cancels_the_others_with_its_reason(hosts):
    race = ordered(hosts)
    first, _ = begun(race, hosts)
    finish(first, "failed", code="no_model_server", detail="The model server cannot be reached.")

    settle(race)

    waiting = lanes(race)[1]
    reason = waiting.events.filter(event="cancel_requested").get().reason
    assert waiting.cancel_requested_at is not None
    assert hosts[0].agent.name in reason
    assert "did not start" in reason


def test_a_lane_that_nobody_took_yet_is_cancelled_at_once(hosts):
    race = ordered(hosts)
    cancel_job(job=lanes(race)[0], by=race.owner)

    settle(race)

    assert {job.state for job in lanes(race)} == {JobState.CANCELLED}
    assert race.state == RaceState.ENDED


def test_a_race_that_did_not_start_stops_its_run_and_says_why(hosts):
    race = ordered(hosts)
    cancel_job(job=lanes(race)[0], by=race.owner, reason="Changed my mind.")

    settle(race)

    run = Run.objects.get()
    assert (run.status, race.go_at) == (RunStatus.STOPPED, None)
    assert "did not start" in run.note
    assert "Changed my mind." in run.note


def test_a_lane_that_fails_after_the_start_leaves_the_others(hosts):
    race, (first, second) = started(hosts)
    finish(first, "failed", code="server_failed")

    settle(race)

    assert race.state == RaceState.STARTED
    assert second.job.events.filter(event="cancel_requested").count() == 0


def test_the_race_ends_with_its_last_lane(hosts):
    race, (first, second) = started(hosts)
    finish(first)
    settle(race)
    assert race.state == RaceState.STARTED

    finish(second)
    settle(race)

    assert (race.state, Run.objects.get().status) == (RaceState.ENDED, RunStatus.FINISHED)


def test_a_race_that_lost_one_lane_is_finished_and_its_run_says_so(hosts):
    race, (first, second) = started(hosts)
    finish(first, "failed", code="server_failed")
    finish(second)

    settle(race)

    run = Run.objects.get()
    assert run.status == RunStatus.FINISHED
    assert "Not every lane came through" in run.note


def test_a_race_that_lost_every_lane_has_failed(hosts):
    race, attempts = started(hosts)
    for attempt in attempts:
        finish(attempt, "failed", code="server_failed")

    settle(race)

    assert Run.objects.get().status == RunStatus.FAILED


def test_the_end_of_a_lane_settles_the_race_after_the_commit(hosts, django_capture_on_commit_callbacks, monkeypatch):
    race = ordered(hosts)
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr("jobs.services.racing.async_task", lambda *arguments: called.append(arguments))

    with django_capture_on_commit_callbacks(execute=True):
        cancel_job(job=lanes(race)[0], by=race.owner)

    assert ("jobs.services.race_settling.settle_race", race.pk) in called


def test_settling_a_race_that_is_over_changes_nothing(hosts):
    race = ordered(hosts)
    cancel_job(job=lanes(race)[0], by=race.owner)
    settle(race)
    ended_at = race.ended_at

    settle(race)

    assert race.ended_at == ended_at
    race_settling.settle_race(race.pk + 1)


def test_a_lane_that_begins_after_the_start_is_not_in_the_race(hosts, monkeypatch):
    race, (first, _) = started(hosts)
    later(monkeypatch, minutes=30)
    leases.sweep()
    again = claim(hosts[0])
    assert again is not None
    again = claiming.accept(attempt=again)
    again.phase = "ready"

    told = go_in_s(again)
    settle(race)

    assert told is None
    first.job.refresh_from_db()
    assert first.job.cancel_requested_at is not None


def test_hosts_that_do_not_come_together_within_a_day_are_let_go(hosts, monkeypatch):
    race = ordered(hosts)
    begun(race, hosts[:1])
    later(monkeypatch, hours=25)

    race_settling.settle_races()

    running, waiting = lanes(race)
    assert running.cancel_requested_at is not None
    assert (waiting.state, "within a day" in waiting.reason) == (JobState.CANCELLED, True)


def test_a_lane_that_is_silent_for_ever_does_not_keep_the_race(hosts, monkeypatch):
    race, (first, _) = started(hosts)
    finish(first)
    later(monkeypatch, hours=2)

    race_settling.settle_races()

    assert lanes(race)[1].cancel_requested_at is not None


def test_the_run_of_a_race_that_waits_is_not_taken_for_silent(hosts, monkeypatch):
    ordered(hosts)
    now = later(monkeypatch, minutes=30)
    race_settling.settle_races()

    assert end_silent_runs(before=now - timedelta(minutes=10)) == 0
    assert Run.objects.get().ended_at is None


def test_an_attempt_that_is_not_running_is_never_ready(hosts):
    race = ordered(hosts)
    offered = claim(hosts[0])
    assert offered is not None

    lane_ready(offered)

    assert Attempt.objects.get(pk=offered.pk).phase == ""
    assert race.jobs.count() == 2


def test_the_task_of_settling_is_there(db):
    from importlib import import_module

    from jobs.services.racing import SETTLE

    module, _, name = SETTLE.rpartition(".")
    assert callable(getattr(import_module(module), name))
    ensure_schedules()


def test_the_clock_is_the_databases(hosts, monkeypatch):
    race, attempts = started(hosts)
    assert race.go_at is not None
    then = race.go_at - timedelta(seconds=2)

    monkeypatch.setattr(clock, "db_now", lambda: then)

    assert go_in_s(attempts[0]) == pytest.approx(2.0)
