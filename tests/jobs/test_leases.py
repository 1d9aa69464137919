"""Leases: unreachable, lost, taken up again, told to stop."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Notification
from jobs.limits import ATTEMPTS_PER_JOB
from jobs.models import Attempt, AttemptState, GpuHold, Job, JobEvent, JobKind, JobState
from jobs.services import claiming
from jobs.services.cancelling import cancel_job
from jobs.services.directives import directive_for
from jobs.services.heartbeats import Beat, beat
from jobs.services.leases import sweep
from tests.jobs.factories import AttemptFactory, JobFactory
from tests.jobs.queueing import claim, finish, host, later, offered, queued, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    return host()


def beat_of(attempt, phase="running"):
    (answer,) = beat(agent=attempt.agent, beats=[Beat(attempt.pk, phase)], vitals={})
    attempt.refresh_from_db()
    return answer.do


@pytest.fixture
def lost(one, monkeypatch):
    """An attempt whose host was silent for 16 minutes and more, so that its job waits again."""
    attempt = running(one)
    later(monkeypatch, minutes=17)
    sweep()
    attempt.refresh_from_db()
    return attempt


def test_a_heartbeat_extends_the_lease_and_keeps_the_ticket_out_of_reach(one, monkeypatch):
    attempt = running(one)
    now = later(monkeypatch, seconds=50)

    assert beat_of(attempt) == "continue"

    assert attempt.lease_until == now + timedelta(seconds=60)
    assert OrmQ.objects.get(pk=attempt.job.ticket_id).lock == now + timedelta(seconds=60 + 900)


@pytest.mark.parametrize("minutes", [2, 10, 15.9])
def test_a_host_that_is_silent_for_less_than_the_grace_loses_nothing(one, monkeypatch, minutes):
    attempt = running(one)
    later(monkeypatch, minutes=minutes)

    assert sweep() == 0
    assert beat_of(attempt) == "continue"
    assert JobEvent.objects.filter(event__in=["lost", "readopted"]).count() == 0


def test_a_lost_attempt_frees_its_gpus_and_its_job_waits_again(lost):
    assert (lost.state, lost.job.state) == (AttemptState.LOST, JobState.QUEUED)
    assert not GpuHold.objects.exists()
    assert OrmQ.objects.get(pk=lost.job.ticket_id).lock < timezone.now() + timedelta(minutes=18)


def test_the_owner_is_told_that_the_host_was_lost(lost):
    assert Notification.objects.get().title.startswith(f"Job {lost.job_id} lost its host")


def test_the_last_attempt_that_is_lost_fails_the_job(one, monkeypatch):
    attempt = running(one, queued(attempts_used=ATTEMPTS_PER_JOB - 1))
    later(monkeypatch, minutes=17)

    sweep()

    attempt.job.refresh_from_db()
    assert (attempt.job.state, attempt.job.reason_code) == (JobState.FAILED, "lost")


def test_a_job_that_kills_every_host_fails_after_three(one, monkeypatch):
    queued()
    for number in range(1, ATTEMPTS_PER_JOB + 1):
        claiming.accept(attempt=offered(one, Job.objects.get()))
        later(monkeypatch, minutes=17 * number)
        sweep()

    assert Job.objects.get().state == JobState.FAILED
    assert list(Attempt.objects.values_list("number", "state")) == [(1, "lost"), (2, "lost"), (3, "lost")]


def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(one, monkeypatch):
    attempt = running(one)
    cancel_job(job=attempt.job, by=attempt.job.owner)
    later(monkeypatch, minutes=17)

    sweep()

    attempt.job.refresh_from_db()
    assert attempt.job.state == JobState.CANCELLED


def test_a_host_that_returns_before_another_began_goes_on(lost, one):
    assert beat_of(lost) == "continue"

    assert (lost.state, lost.job.state) == (AttemptState.RUNNING, JobState.RUNNING)
    assert GpuHold.objects.get().gpu == one.gpus[0]
    assert JobEvent.objects.latest("pk").event == "readopted"
    assert Attempt.objects.count() == 1


def test_a_host_that_speaks_before_it_was_given_up_is_never_lost(one, monkeypatch):
    attempt = running(one, queued(attempts_used=ATTEMPTS_PER_JOB - 1))
    later(monkeypatch, hours=1)

    assert beat_of(attempt) == "continue"
    assert attempt.state == AttemptState.RUNNING


def test_a_host_that_returns_when_another_has_begun_is_to_abandon(lost):
    claim(host())

    assert beat_of(lost) == "abandon"
    assert lost.state == AttemptState.LOST


def test_a_host_that_returns_when_the_job_is_over_is_to_abandon(lost):
    cancel_job(job=lost.job, by=lost.job.owner)

    assert beat_of(lost) == "abandon"


def test_a_host_that_returns_when_its_gpu_has_another_job_is_to_abandon(lost, one):
    other = AttemptFactory(agent=one.agent, lease_until=timezone.now() + timedelta(hours=1))
    GpuHold.objects.create(gpu=one.gpus[0], attempt=other)

    assert beat_of(lost) == "abandon"
    assert lost.job.state == JobState.QUEUED


def test_an_attempt_that_was_lost_while_it_uploaded_goes_on_without_a_gpu(one, monkeypatch):
    attempt = running(one)
    beat_of(attempt, "uploading")
    later(monkeypatch, minutes=17)
    sweep()

    assert beat_of(attempt, "uploading") == "continue"
    assert attempt.state == AttemptState.UPLOADING
    assert not GpuHold.objects.exists()


def test_a_host_without_its_job_does_not_extend_the_lease_of_others(one):
    other = AttemptFactory()

    (answer,) = beat(agent=one.agent, beats=[Beat(other.pk, "running")], vitals={})

    before = other.lease_until
    other.refresh_from_db()
    assert (answer.do, other.lease_until) == ("upload", before)


DIRECTIVES = {
    AttemptState.OFFERED: "continue",
    AttemptState.RUNNING: "continue",
    AttemptState.UPLOADING: "continue",
    AttemptState.DECLINED: "forget",
    AttemptState.OFFER_EXPIRED: "forget",
    AttemptState.DONE: "forget",
    AttemptState.LOST: "abandon",
}


@pytest.mark.parametrize(("state", "told"), DIRECTIVES.items())
def test_each_state_of_an_attempt_has_its_directive(state, told):
    assert directive_for(AttemptFactory(state=state)) == told


@pytest.mark.parametrize(("state", "told"), [(AttemptState.RUNNING, "cancel"), (AttemptState.UPLOADING, "continue")])
def test_only_what_still_runs_is_told_to_cancel(state, told):
    job = JobFactory(state=JobState.RUNNING, cancel_requested_at=timezone.now())

    assert directive_for(AttemptFactory(job=job, state=state)) == told


@pytest.mark.parametrize(("executor", "minutes", "told"), [("process", 16, "kill"), ("container", 16, "continue")])
def test_a_host_is_told_to_kill_what_runs_past_its_limit(executor, minutes, told, monkeypatch):
    # In a container, fetching the model may take an hour before.
    attempt = AttemptFactory(job__wall_s=600, executor=executor, accepted_at=timezone.now())
    later(monkeypatch, minutes=minutes)

    assert directive_for(attempt) == told


def test_a_job_does_not_wait_for_a_host_that_never_stops(one, monkeypatch):
    attempt = running(one, queued(wall_s=600))
    Attempt.objects.update(executor="process")
    later(monkeypatch, minutes=31)
    Attempt.objects.update(lease_until=timezone.now() + timedelta(minutes=32))

    assert sweep() == 1

    attempt.job.refresh_from_db()
    assert (attempt.job.state, attempt.job.reason_code) == (JobState.TIMED_OUT, "wall_limit")


def test_a_late_report_of_a_host_that_did_not_stop_is_kept_and_not_counted(one, monkeypatch):
    attempt = running(one, queued(wall_s=600))
    Attempt.objects.update(executor="process", lease_until=timezone.now() + timedelta(minutes=32))
    later(monkeypatch, minutes=31)
    sweep()

    assert finish(attempt).verdict == "late"


def test_the_lane_of_a_race_that_waits_is_told_nothing_of_a_start(one):
    attempt = AttemptFactory(agent=one.agent, job__kind=JobKind.RACE)

    (answer,) = beat(agent=one.agent, beats=[Beat(attempt.pk, "ready")], vitals={})

    assert (answer.do, answer.go_in_s) == ("continue", None)


def test_an_unknown_attempt_does_not_disturb_the_others(one):
    attempt = running(one)

    answers = beat(agent=one.agent, beats=[Beat(uuid4()), Beat(attempt.pk, "running")], vitals={})

    assert [answer.do for answer in answers] == ["upload", "continue"]
