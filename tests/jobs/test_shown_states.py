"""How a job stands, in words, with what is computed from leases and wishes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import AttemptState, JobState
from jobs.presenting.states import about, shown_state
from tests.jobs.factories import AgentFactory, AttemptFactory, JobFactory, ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


def running(**fields):
    return AttemptFactory(agent=AgentFactory(name="lab"), **fields)


def test_a_running_job_says_for_how_long(now):
    attempt = running(accepted_at=now - timedelta(seconds=125))

    state = shown_state(attempt.job, attempt, now)

    assert (state.code, state.words, state.since) == ("running", "Running", "for 2 min 05 s")


def test_a_phase_of_the_host_is_said(now):
    attempt = running(phase="fetching")

    assert shown_state(attempt.job, attempt, now).words == "Running: fetching the model"


def test_a_host_whose_lease_is_over_is_unreachable_and_the_time_left_is_counted(now):
    attempt = running(lease_until=now - timedelta(seconds=100))

    state = shown_state(attempt.job, attempt, now)

    assert state.code == "unreachable"
    assert "lab was last heard 2 min 40 s ago" in state.reason
    assert "13 min 20 s more" in state.reason
    assert "queued again" in state.reason


def test_past_the_grace_the_attempt_is_as_good_as_lost(now):
    attempt = running(lease_until=now - timedelta(minutes=16))

    assert "within a minute" in shown_state(attempt.job, attempt, now).reason


def test_a_wish_to_cancel_shows_until_the_host_has_heard_of_it(now):
    attempt = running()
    attempt.job.cancel_requested_at = now - timedelta(seconds=4)

    state = shown_state(attempt.job, attempt, now)

    assert state.code == "cancelling"
    assert "Asked 4 s ago" in state.reason


def test_a_cancelled_job_on_a_silent_host_says_both(now):
    attempt = running(lease_until=now - timedelta(seconds=1))
    attempt.job.cancel_requested_at = now

    state = shown_state(attempt.job, attempt, now)

    assert state.words == "Cancelling, host unreachable"
    assert "the job is cancelled" in state.reason


def test_an_ended_process_uploads(now):
    attempt = running(state=AttemptState.UPLOADING)

    assert shown_state(attempt.job, attempt, now).code == "uploading"


def test_an_offer_counts_down(now):
    job = JobFactory(state=JobState.OFFERED)
    attempt = running(
        job=job, state=AttemptState.OFFERED, offered_at=now, offer_until=now + timedelta(seconds=23), accepted_at=None
    )

    assert "answers within 23 s" in shown_state(job, attempt, now).reason


def test_a_job_that_is_kept_back_after_a_failure_says_until_when(now):
    job = JobFactory(available_at=now + timedelta(seconds=90), reason="The host stayed away.")

    assert shown_state(job, None, now).reason == "The host stayed away. Not offered again for 1 min 30 s."


def test_an_ended_job_keeps_its_reason(now):
    job = JobFactory(state=JobState.FAILED, reason="No CUDA device.", ended_at=ago(5))

    state = shown_state(job, None, now)

    assert (state.code, state.words, state.reason, state.since) == ("failed", "Failed", "No CUDA device.", "")


@pytest.mark.parametrize(
    ("seconds", "words"), [(20, "less than a minute"), (720, "about 12 min"), (9000, "about 2.5 h")]
)
def test_estimates_have_few_digits(seconds, words):
    assert about(seconds) == words
