"""The clock is set by an hour: nothing that runs is given to another, and nothing waits for an hour."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from jobs.models import Attempt, AttemptState, Job, JobState
from jobs.services import clock
from jobs.services.leases import sweep
from lemsite import queue_clock
from tests.jobs.queueing import claim, host, queued, running

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_steps", clock._Steps())


def set_clock(monkeypatch: Any, by: timedelta) -> Any:
    """What the process sees: another time, while as much time as before has really passed."""
    clock.db_now()
    then = timezone.now() + by

    def db_now() -> Any:
        clock._steps.look(then)
        return then

    monkeypatch.setattr(clock, "db_now", db_now)
    return then


def test_a_job_that_runs_is_not_given_to_another_when_the_clock_goes_forward(monkeypatch: Any) -> None:
    attempt = running(host())
    set_clock(monkeypatch, HOUR)

    sweep()

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.RUNNING
    assert claim(host()) is None


def test_a_host_that_really_is_gone_is_found_a_lease_later(monkeypatch: Any) -> None:
    attempt = running(host())
    set_clock(monkeypatch, HOUR)
    sweep()
    monkeypatch.setattr(clock._steps, "until", time.monotonic())

    sweep()

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.LOST


def test_a_lease_lasts_no_hour_longer_when_the_clock_goes_back(monkeypatch: Any) -> None:
    attempt = running(host())
    now = set_clock(monkeypatch, -HOUR)

    sweep()

    attempt.refresh_from_db()
    assert attempt.lease_until == now + timedelta(seconds=60)


def test_a_job_ordered_before_the_clock_went_back_waits_no_hour(monkeypatch: Any) -> None:
    job = queued()
    now = set_clock(monkeypatch, -HOUR)

    sweep()

    job.refresh_from_db()
    assert job.available_at == now
    assert OrmQ.objects.get(pk=job.ticket_id).lock == now
    assert job.state == JobState.QUEUED
    assert Job.objects.count() == 1
    assert not Attempt.objects.exists()


def test_the_small_steps_that_keep_a_clock_right_change_nothing(monkeypatch: Any) -> None:
    set_clock(monkeypatch, timedelta(seconds=5))
    clock.db_now()

    assert not clock.was_set()


def task(lock: Any) -> OrmQ:
    return OrmQ.objects.create(key=settings.Q_CLUSTER["name"], payload="x", lock=lock)


def test_tasks_and_schedules_are_due_at_once_after_the_clock_went_back() -> None:
    now = timezone.now()
    late, waiting, running_one = task(now + HOUR), task(now), task(now + timedelta(seconds=360))
    far, near = Schedule.objects.filter(schedule_type=Schedule.MINUTES, minutes=1).order_by("pk")[:2]
    Schedule.objects.filter(pk=far.pk).update(next_run=now + HOUR)
    Schedule.objects.filter(pk=near.pk).update(next_run=now + timedelta(minutes=1))

    queue_clock.put_right(now)

    assert OrmQ.objects.get(pk=late.pk).lock == now
    assert OrmQ.objects.get(pk=waiting.pk).lock == now
    assert OrmQ.objects.get(pk=running_one.pk).lock == now + timedelta(seconds=360)
    assert Schedule.objects.get(pk=far.pk).next_run == now
    assert Schedule.objects.get(pk=near.pk).next_run == now + timedelta(minutes=1)


def test_nothing_is_changed_while_the_clock_is_right() -> None:
    task(timezone.now())

    assert queue_clock.put_right(timezone.now()) == 0
