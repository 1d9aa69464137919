"""Reports of attempts that have ended: which count, what they make of the job, and what they say of the host."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Notification
from jobs.limits import ATTEMPTS_PER_JOB, FAILURES_TO_QUARANTINE
from jobs.models import (
    Agent,
    Artifact,
    Attempt,
    AttemptState,
    Gpu,
    GpuHold,
    Job,
    JobEvent,
    JobState,
    LogChunk,
    Outcome,
    Verdict,
)
from jobs.services.cancelling import cancel_job
from jobs.services.errors import AgentRefused
from jobs.services.leases import sweep
from tests.jobs.factories import AttemptFactory, write_log
from tests.jobs.queueing import claim, finish, host, later, queued, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    return host()


@pytest.fixture
def attempt(one):
    return running(one)


ENDS = [
    (Outcome.SUCCEEDED, JobState.SUCCEEDED),
    (Outcome.FAILED, JobState.FAILED),
    (Outcome.TIMED_OUT, JobState.TIMED_OUT),
    (Outcome.INFRA_FAILED, JobState.QUEUED),
    (Outcome.CANCELLED, JobState.QUEUED),
    (Outcome.ABANDONED, JobState.QUEUED),
]


@pytest.mark.parametrize(("outcome", "state"), ENDS)
def test_each_outcome_takes_the_job_somewhere(attempt, outcome, state):
    answer = finish(attempt, outcome)

    assert (answer.verdict, answer.job_state) == ("accepted", state)
    assert Job.objects.get().state == state
    assert Attempt.objects.get().state == AttemptState.DONE
    assert not GpuHold.objects.exists()


def test_only_a_report_that_ends_the_job_has_the_verdict_that_it_counts(attempt):
    finish(attempt, "infra_failed")

    assert Attempt.objects.get().verdict == ""


def test_a_host_failure_at_the_last_attempt_fails_the_job(one):
    attempt = running(one, queued(attempts_used=ATTEMPTS_PER_JOB - 1))

    finish(attempt, "infra_failed", code="disk_full")

    job = Job.objects.get()
    assert (job.state, job.reason_code) == (JobState.FAILED, "disk_full")
    assert job.reason == "The host's disk was full. It was the last of 3 attempts."
    assert Attempt.objects.get().verdict == Verdict.ACCEPTED


def test_a_succeeded_job_has_no_ticket_any_more(attempt):
    finish(attempt)

    assert not OrmQ.objects.filter(key="gpu").exists()


def test_the_reason_is_what_the_host_says_without_control_characters(attempt):
    finish(attempt, "failed", code="no_cuda", detail="No CUDA device\x1b[0m was found.")

    assert Job.objects.get().reason == "No CUDA device\N{REPLACEMENT CHARACTER}[0m was found."


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"exit_code": 2}, "Its program ended with exit code 2."),
        ({"signal": "SIGKILL", "exit_code": None}, "Its program was ended by signal SIGKILL."),
        ({}, "The host says: failed."),
    ],
    ids=["exit code", "signal", "nothing"],
)
def test_there_is_always_a_reason(attempt, told, reason):
    finish(attempt, "failed", **told)

    assert Job.objects.get().reason == reason


def test_the_same_report_again_gets_the_same_answer(attempt):
    assert finish(attempt, "failed") == finish(attempt, "failed")
    assert JobEvent.objects.filter(event="finished").count() == 1


def test_another_report_is_refused_and_moderators_are_told_once(attempt, moderator):
    finish(attempt)

    for _ in range(2):
        with pytest.raises(AgentRefused) as refused:
            finish(attempt, "failed")

    assert (refused.value.status, refused.value.code) == (409, "finish_conflict")
    assert Job.objects.get().state == JobState.SUCCEEDED
    assert Notification.objects.filter(user=moderator).count() == 1
    assert JobEvent.objects.filter(event="finish_conflict").count() == 1


def test_the_same_words_under_another_finish_id_are_another_report(attempt):
    finish(attempt)

    with pytest.raises(AgentRefused):
        finish(attempt, finish_id="finish-two")


@pytest.mark.parametrize("state", [AttemptState.OFFERED, AttemptState.DECLINED, AttemptState.OFFER_EXPIRED])
def test_what_was_never_accepted_cannot_be_finished(state):
    attempt = AttemptFactory(state=state)

    with pytest.raises(AgentRefused) as refused:
        finish(attempt)

    assert refused.value.status == 410


def test_a_cancelled_job_is_cancelled_when_its_host_says_so(attempt):
    cancel_job(job=attempt.job, by=attempt.job.owner)

    finish(attempt, "cancelled")

    assert (Job.objects.get().state, Job.objects.get().cancel_came_late) == (JobState.CANCELLED, False)


def test_a_host_failure_of_a_job_that_was_to_be_cancelled_ends_it(attempt):
    cancel_job(job=attempt.job, by=attempt.job.owner)

    finish(attempt, "infra_failed")

    assert Job.objects.get().state == JobState.CANCELLED
    assert Attempt.objects.get().verdict == Verdict.ACCEPTED


def test_what_succeeded_before_the_host_heard_of_the_cancellation_has_succeeded(attempt):
    cancel_job(job=attempt.job, by=attempt.job.owner)

    finish(attempt, "succeeded")

    job = Job.objects.get()
    assert (job.state, job.cancel_came_late, job.reason_code) == (JobState.SUCCEEDED, True, "cancel_too_late")


@pytest.fixture
def lost(attempt, monkeypatch):
    later(monkeypatch, minutes=17)
    sweep()
    return attempt


def test_a_lost_attempt_that_had_finished_counts_when_nobody_else_has_begun(lost):
    answer = finish(lost)

    assert (answer.verdict, answer.job_state) == ("accepted", "succeeded")
    assert JobEvent.objects.latest("pk").event == "late_adopted"
    assert not OrmQ.objects.filter(key="gpu").exists()


def test_a_lost_attempt_that_failed_for_its_host_leaves_the_job_waiting(lost):
    answer = finish(lost, "infra_failed")

    assert (answer.verdict, answer.job_state) == ("late", "queued")


def test_a_report_after_another_host_began_is_kept_and_not_counted(lost):
    second = claim(host())

    answer = finish(lost)

    lost.refresh_from_db()
    assert (answer.verdict, lost.verdict, lost.finish["outcome"]) == ("late", "late", "succeeded")
    assert Job.objects.get().state == JobState.OFFERED
    assert Attempt.objects.get(pk=second.pk).state == AttemptState.OFFERED


def test_a_report_after_the_job_was_over_is_kept_and_not_counted(lost):
    cancel_job(job=lost.job, by=lost.job.owner)

    assert finish(lost).verdict == "late"
    assert Job.objects.get().state == JobState.CANCELLED


def complete(attempt, content=b"one\ntwo\n"):
    write_log(attempt, content)
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_a_log_that_has_all_arrived_is_no_hindrance(attempt):
    assert finish(attempt, log=complete(attempt)).verdict == "accepted"


def test_a_log_that_differs_is_sent_again_from_the_start(attempt):
    log = complete(attempt) | {"sha256": hashlib.sha256(b"other").hexdigest()}

    with pytest.raises(AgentRefused) as refused:
        finish(attempt, log=log)

    assert refused.value.extra == {"log_from": 0}
    assert not LogChunk.objects.exists()
    assert Attempt.objects.get().log_bytes == 0
    assert JobEvent.objects.latest("pk").event == "log_sent_again"


def test_a_file_that_has_not_all_arrived_is_named(attempt):
    Artifact.objects.create(attempt=attempt, name="out/a.json", size_bytes=9, sha256="a" * 64)

    with pytest.raises(AgentRefused) as refused:
        finish(attempt, artifacts=[{"name": "out/a.json", "size": 9, "sha256": "a" * 64}])

    assert (refused.value.status, refused.value.extra) == (422, {"artifacts": ["out/a.json"]})


def test_a_file_of_other_content_is_not_the_one_that_is_meant(attempt):
    now = timezone.now()
    Artifact.objects.create(attempt=attempt, name="out/a.json", size_bytes=9, sha256="a" * 64, completed_at=now)

    with pytest.raises(AgentRefused):
        finish(attempt, artifacts=[{"name": "out/a.json", "size": 9, "sha256": "b" * 64}])


def test_nothing_missing_means_that_the_report_is_taken(attempt):
    now = timezone.now()
    Artifact.objects.create(attempt=attempt, name="out/a.json", size_bytes=9, sha256="a" * 64, completed_at=now)
    Attempt.objects.update(next_event=42, next_telemetry=1181)

    answer = finish(
        attempt,
        artifacts=[{"name": "out/a.json", "size": 9, "sha256": "a" * 64}],
        events={"last_seq": 41},
        telemetry={"last_seq": 1180},
    )

    assert answer.verdict == "accepted"


def fails(one, times, code="process_died"):
    for number in range(times):
        finish(running(one), "infra_failed", code=code, finish_id=f"finish-{number}")
        Job.objects.filter(state=JobState.QUEUED).update(available_at=timezone.now() + timedelta(hours=1))


def test_a_host_that_fails_whatever_it_is_given_is_set_aside_and_its_owner_told(one):
    fails(one, FAILURES_TO_QUARANTINE)

    agent = Agent.objects.get()
    assert agent.quarantined_at is not None
    assert agent.quarantine_reason.startswith("It failed 3 attempts in a row")
    assert Notification.objects.filter(user=agent.owner, title__contains="takes no jobs").exists()


def test_a_host_that_failed_less_often_goes_on(one):
    fails(one, FAILURES_TO_QUARANTINE - 1)

    assert Agent.objects.get().quarantined_at is None


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_an_attempt_that_the_host_brought_to_its_end_begins_the_count_anew(one, outcome):
    fails(one, FAILURES_TO_QUARANTINE - 1)
    finish(running(one), outcome)

    assert Agent.objects.get().failures_in_a_row == 0


def test_restarts_do_not_make_a_host_sick(one):
    fails(one, FAILURES_TO_QUARANTINE, code="host_rebooted")

    assert Agent.objects.get().quarantined_at is None


@pytest.mark.parametrize("code", ["gpu_lost", "nvml_hung"])
def test_a_gpu_that_no_longer_answers_gets_no_more_jobs(one, code):
    finish(running(one), "infra_failed", code=code)
    queued()

    assert Gpu.objects.get().quarantined_at is not None
    assert claim(one) is None
