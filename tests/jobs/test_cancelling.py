"""Cancelling, holding, releasing and moving jobs."""

from __future__ import annotations

import pytest

from jobs.models import TERMINAL, AttemptState, GpuHold, Job, JobEvent, JobState
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.moderating import hold_job, release_job, set_priority
from tests.jobs.factories import JobFactory
from tests.jobs.queueing import claim, host, offered, queued, running

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.HELD])
def test_a_job_that_waits_is_cancelled_at_once(state):
    job = queued(state=state)

    cancel_job(job=job, by=job.owner, reason="wrong model")

    job.refresh_from_db()
    assert (job.state, job.reason, job.cancel_requested_by) == (JobState.CANCELLED, "wrong model", job.owner)
    assert JobEvent.objects.get().actor == job.owner


def test_an_offer_is_withdrawn():
    attempt = offered(host())

    cancel_job(job=attempt.job, by=None)

    attempt.refresh_from_db()
    assert (attempt.state, attempt.job.state) == (AttemptState.OFFER_EXPIRED, JobState.CANCELLED)
    assert not GpuHold.objects.exists()


def test_a_job_that_runs_goes_on_until_its_host_hears_of_it():
    attempt = running(host())

    cancel_job(job=attempt.job, by=attempt.job.owner)

    attempt.refresh_from_db()
    assert (attempt.state, attempt.job.state) == (AttemptState.RUNNING, JobState.RUNNING)
    assert attempt.job.cancel_requested_at is not None


def test_asking_again_changes_nothing():
    attempt = running(host())
    first = cancel_job(job=attempt.job, by=attempt.job.owner).cancel_requested_at

    assert cancel_job(job=attempt.job, by=None).cancel_requested_at == first
    assert JobEvent.objects.filter(event="cancel_requested").count() == 1


@pytest.mark.parametrize("state", TERMINAL)
def test_what_is_over_cannot_be_cancelled(state):
    job = JobFactory(state=state)

    with pytest.raises(JobRefused, match="It is over") as refused:
        cancel_job(job=job, by=job.owner)

    assert refused.value.code == "already_finished"


def test_a_job_that_is_gone_cannot_be_cancelled():
    with pytest.raises(JobRefused):
        cancel_job(job=Job(pk=4711), by=None)


def test_a_held_job_is_not_offered_until_it_is_released(moderator):
    job = queued()

    hold_job(job=job, by=moderator, reason="Is this model allowed?")
    assert claim(host()) is None
    release_job(job=job, by=moderator)

    assert claim(host()).job == job
    assert list(JobEvent.objects.values_list("event", flat=True)[:2]) == ["held", "released"]


@pytest.mark.parametrize("state", [state for state in JobState if state != JobState.QUEUED])
def test_only_a_job_that_waits_can_be_held(moderator, state):
    with pytest.raises(JobRefused):
        hold_job(job=JobFactory(state=state), by=moderator)


@pytest.mark.parametrize("state", [state for state in JobState if state != JobState.HELD])
def test_only_a_held_job_can_be_released(moderator, state):
    with pytest.raises(JobRefused):
        release_job(job=JobFactory(state=state), by=moderator)


def test_a_new_priority_is_in_the_history(moderator):
    job = queued()

    set_priority(job=job, by=moderator, priority=5, reason="paper deadline")

    assert Job.objects.get().priority == 5
    assert JobEvent.objects.get().reason == "Priority 0 → 5. paper deadline"


@pytest.mark.parametrize("priority", [-101, 101])
def test_a_priority_has_its_limits(moderator, priority):
    with pytest.raises(JobRefused, match="between -100 and 100"):
        set_priority(job=queued(), by=moderator, priority=priority)


def test_what_is_over_has_no_priority(moderator):
    with pytest.raises(JobRefused):
        set_priority(job=JobFactory(state=JobState.FAILED), by=moderator, priority=1)


@pytest.mark.parametrize(
    "act",
    [hold_job, release_job, lambda **who: set_priority(priority=1, **who)],
    ids=["hold", "release", "priority"],
)
def test_owners_do_not_moderate_their_own_jobs(act):
    job = queued()

    with pytest.raises(JobRefused, match="Only moderators"):
        act(job=job, by=job.owner)
