"""The state machine of jobs and attempts: all pairs, history, tickets and what follows from an end."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Task

from accounts.models import Notification
from jobs.models import TERMINAL, TRANSITIONS, Attempt, AttemptState, GpuHold, Job, JobEvent, JobState
from jobs.services import tickets
from jobs.services.transitions import ATTEMPT_TRANSITIONS, IllegalTransition, move_attempt, note, transition
from tests.jobs.factories import AttemptFactory, GpuFactory, JobFactory
from tests.jobs.queueing import queued

pytestmark = pytest.mark.django_db

PAIRS = list(itertools.product(JobState, JobState))
ATTEMPT_PAIRS = list(itertools.product(AttemptState, AttemptState))
LEGAL = [(before, to) for before, to in PAIRS if to in TRANSITIONS[before]]
ILLEGAL = [pair for pair in PAIRS if pair not in LEGAL]


@pytest.mark.parametrize(("before", "to"), LEGAL)
def test_a_legal_transition_writes_the_state_and_one_line_of_history(before, to):
    job = JobFactory(state=before)

    transition(job=job, to=to, event="tested", code="why", reason="Because.")

    job.refresh_from_db()
    assert (job.state, job.reason_code, job.reason) == (to, "why", "Because.")
    assert list(JobEvent.objects.values_list("job", "from_state", "to_state", "event", "reason")) == [
        (job.pk, before, to, "tested", "Because.")
    ]


@pytest.mark.parametrize(("before", "to"), ILLEGAL)
def test_an_illegal_transition_is_refused_and_changes_nothing(before, to):
    job = JobFactory(state=before)

    with pytest.raises(IllegalTransition):
        transition(job=job, to=to, event="tested")

    job.refresh_from_db()
    assert job.state == before
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize(("before", "to"), ATTEMPT_PAIRS)
def test_an_attempt_goes_where_its_table_says_and_nowhere_else(before, to):
    attempt = AttemptFactory(state=before)

    if to in ATTEMPT_TRANSITIONS[before]:
        move_attempt(attempt=attempt, to=to)
        assert Attempt.objects.get().state == to
    else:
        with pytest.raises(IllegalTransition):
            move_attempt(attempt=attempt, to=to)
        assert Attempt.objects.get().state == before


@pytest.mark.parametrize("state", TERMINAL)
def test_no_state_follows_the_end(state):
    assert TRANSITIONS[state] == frozenset()


def test_a_job_that_changed_meanwhile_is_not_written_over():
    job = queued()
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)

    with pytest.raises(IllegalTransition):
        transition(job=job, to=JobState.OFFERED, event="offered")

    assert Job.objects.get().state == JobState.CANCELLED


def test_columns_change_with_the_state():
    job = queued()

    transition(job=job, to=JobState.OFFERED, event="offered", priority=7)

    assert Job.objects.get().priority == 7


@pytest.mark.parametrize("state", [JobState.HELD, *TERMINAL])
def test_a_job_that_nobody_may_claim_has_no_ticket(state):
    job = queued()

    transition(job=job, to=state, event="tested")

    assert not OrmQ.objects.filter(key="gpu").exists()
    assert Job.objects.get().ticket_id is None


def test_a_released_job_gets_a_ticket_again():
    job = JobFactory(state=JobState.HELD)

    transition(job=job, to=JobState.QUEUED, event="released")

    assert OrmQ.objects.get(key="gpu").pk == Job.objects.get().ticket_id


@pytest.mark.parametrize("states", [[JobState.OFFERED], [JobState.RUNNING]])
def test_the_ticket_of_a_job_that_a_host_has_is_kept_out_of_reach(states):
    job = queued()

    transition(job=job, to=states[-1], event="tested")

    assert OrmQ.objects.get(pk=job.ticket_id).lock > timezone.now()


def test_a_job_that_goes_back_keeps_its_ticket_and_can_be_claimed_at_once():
    job = queued()
    before = job.ticket_id
    transition(job=job, to=JobState.OFFERED, event="offered")

    transition(job=job, to=JobState.QUEUED, event="offer_expired")

    assert job.ticket_id == before
    assert OrmQ.objects.get().lock <= timezone.now()


def test_a_ticket_that_was_lost_is_made_again_when_the_job_goes_back():
    job = queued()
    transition(job=job, to=JobState.OFFERED, event="offered")
    OrmQ.objects.all().delete()

    transition(job=job, to=JobState.QUEUED, event="offer_expired")

    assert OrmQ.objects.get().pk == Job.objects.get().ticket_id


def test_a_ticket_of_a_job_for_later_is_locked_until_then():
    then = timezone.now() + timedelta(hours=1)

    job = queued(available_at=then)

    assert OrmQ.objects.get(pk=job.ticket_id).lock == then


def test_an_ended_job_leaves_a_row_among_the_tasks_that_were_done():
    job = queued(state=JobState.RUNNING, attempts_used=2)

    transition(job=job, to=JobState.FAILED, event="finished")

    task = Task.objects.get()
    assert (task.func, task.args, task.success, task.attempt_count) == (tickets.FUNCTION, (job.pk,), False, 2)


def test_the_owner_is_told_of_the_end():
    job = queued(title="Model 8B")

    transition(job=job, to=JobState.CANCELLED, event="cancelled", reason="No longer wanted.")

    told = Notification.objects.get()
    assert (told.user, told.title, told.text) == (
        job.owner,
        f"Job {job.pk} was cancelled: Model 8B",
        "No longer wanted.",
    )


def test_the_end_of_a_job_without_an_owner_tells_nobody():
    job = queued(owner=None)

    transition(job=job, to=JobState.CANCELLED, event="cancelled")

    assert not Notification.objects.exists()


def test_a_result_is_imported_after_the_commit(django_capture_on_commit_callbacks):
    job = JobFactory(state=JobState.RUNNING, owner=None)

    with django_capture_on_commit_callbacks(execute=True):
        transition(job=job, to=JobState.SUCCEEDED, event="finished")

    (ticket,) = OrmQ.objects.all()
    assert (ticket.func(), ticket.args()) == ("jobs.tasks.import_result", (job.pk,))


def test_a_failed_job_has_no_result_to_import(django_capture_on_commit_callbacks):
    job = JobFactory(state=JobState.RUNNING, owner=None)

    with django_capture_on_commit_callbacks(execute=True):
        transition(job=job, to=JobState.FAILED, event="finished")

    assert not OrmQ.objects.exists()


@pytest.mark.parametrize(
    ("to", "held"), [(AttemptState.RUNNING, 1), (AttemptState.DECLINED, 0), (AttemptState.OFFER_EXPIRED, 0)]
)
def test_gpus_are_free_as_soon_as_no_process_can_live(to, held):
    gpu = GpuFactory()
    attempt = AttemptFactory(agent=gpu.agent, state=AttemptState.OFFERED)
    GpuHold.objects.create(gpu=gpu, attempt=attempt)

    move_attempt(attempt=attempt, to=to)

    assert GpuHold.objects.count() == held


def test_a_note_leaves_the_state_as_it_is():
    job = queued()

    note(job=job, event="priority", actor=job.owner, reason="Sooner.")

    event = JobEvent.objects.get()
    assert (event.from_state, event.to_state, event.actor) == (JobState.QUEUED, JobState.QUEUED, job.owner)
