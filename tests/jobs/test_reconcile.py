"""The queue agrees with the jobs again, whatever was lost; and nobody but hosts serves it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from jobs import tasks
from jobs.models import Artifact, Attempt, AttemptState, Job, JobEvent, JobState
from jobs.services.reconciling import reconcile
from jobs.services.tickets import QUEUE
from tests.jobs.factories import AttemptFactory, JobFactory
from tests.jobs.queueing import claim, host, offered, queued, running

pytestmark = pytest.mark.django_db


def test_when_nothing_was_lost_nothing_is_done():
    running(host())
    offered(host())
    queued()
    JobFactory(state=JobState.HELD)

    done = reconcile()

    assert (done.settled, done.tickets_issued, done.tickets_dropped, done.imports_repeated) == (0, 0, 0, 0)


def test_a_job_that_waits_gets_its_lost_ticket_back():
    job = queued()
    OrmQ.objects.all().delete()

    assert reconcile().tickets_issued == 1
    assert claim(host()).job == job
    assert JobEvent.objects.earliest("pk").event == "ticket_renewed"


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.CANCELLED, JobState.HELD])
def test_a_ticket_that_no_waiting_job_has_is_dropped(state):
    job = queued()
    Job.objects.filter(pk=job.pk).update(state=state)

    assert reconcile().tickets_dropped == 1
    assert not OrmQ.objects.exists()


def test_tasks_of_other_queues_are_left_alone():
    async_task("jobs.tasks.reconcile")

    reconcile()

    assert OrmQ.objects.count() == 1


def test_an_import_that_was_lost_is_asked_for_again():
    job = JobFactory(state=JobState.SUCCEEDED, ended_at=timezone.now() - timedelta(minutes=6))

    assert reconcile().imports_repeated == 1
    assert OrmQ.objects.get().args() == (job.pk,)


@pytest.mark.parametrize(
    ("minutes_ago", "fields"),
    [
        (6, {"import_problem": "No result was in it."}),
        (0, {}),
        (2 * 24 * 60, {}),
        (6, {"state": JobState.FAILED}),
        (6, {"kind": "race"}),
    ],
    ids=["said why", "just ended", "long ago", "failed", "a race"],
)
def test_no_other_import_is_asked_for_again(minutes_ago, fields):
    ended_at = timezone.now() - timedelta(minutes=minutes_ago)
    JobFactory(**({"state": JobState.SUCCEEDED, "ended_at": ended_at} | fields))

    assert reconcile().imports_repeated == 0


def test_files_of_which_not_all_came_in_a_week_are_dropped():
    attempt = AttemptFactory(state=AttemptState.DONE, job__state=JobState.FAILED)
    old = Artifact.objects.create(attempt=attempt, name="a", size_bytes=1, sha256="a" * 64)
    Artifact.objects.create(attempt=attempt, name="b", size_bytes=1, sha256="b" * 64)
    Artifact.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))

    assert reconcile().uploads_dropped == 1
    assert Artifact.objects.get().name == "b"


def test_offers_and_leases_that_are_over_are_settled():
    attempt = offered(host())
    Attempt.objects.filter(pk=attempt.pk).update(offer_until=timezone.now() - timedelta(seconds=1))

    assert reconcile().settled == 1


def test_waiting_jobs_survive_a_new_secret_key(monkeypatch):
    from django_q.conf import Conf

    jobs = [queued() for _ in range(5)]
    monkeypatch.setattr(Conf, "SECRET_KEY", "another-key-after-a-rotation")
    out = StringIO()

    call_command("reconcile", "--requeue", stdout=out)

    assert "5 waiting jobs have new tickets." in out.getvalue()
    assert sorted(ticket.args()[0] for ticket in OrmQ.objects.all()) == [job.pk for job in jobs]
    assert sorted(claim(host()).job_id for _ in jobs) == [job.pk for job in jobs]


def test_a_claim_does_not_need_the_key_with_which_the_ticket_was_signed(monkeypatch):
    from django_q.conf import Conf

    job = queued()
    monkeypatch.setattr(Conf, "SECRET_KEY", "another-key-after-a-rotation")

    assert claim(host()).job == job


def test_requeueing_touches_only_jobs_that_wait():
    attempt = running(host())
    before = attempt.job.ticket_id

    call_command("reconcile", "--requeue", stdout=StringIO())

    attempt.job.refresh_from_db()
    assert attempt.job.ticket_id == before


def test_no_cluster_serves_the_queue_of_the_hosts():
    assert settings.Q_CLUSTER["name"] != QUEUE
    # Named only so that django-q2 can put tickets into it.
    assert list(settings.Q_CLUSTER["ALT_CLUSTERS"]) == [QUEUE]


def test_a_ticket_that_is_executed_after_all_fails_loudly():
    with pytest.raises(AssertionError, match="job 4711"):
        tasks.gpu_ticket(4711)


def test_the_queue_is_reconciled_every_minute():
    Schedule.objects.all().delete()

    tasks.ensure_schedules()
    tasks.ensure_schedules()

    schedule = Schedule.objects.get(func="jobs.tasks.reconcile")
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)


def test_no_schedule_is_made_before_its_table_is_there(monkeypatch):
    Schedule.objects.all().delete()
    with monkeypatch.context() as patch:
        patch.setattr(Schedule._meta, "db_table", "not_there_yet")
        tasks.ensure_schedules()

    assert not Schedule.objects.exists()


def test_the_task_reconciles():
    job = queued()
    OrmQ.objects.all().delete()

    tasks.reconcile()

    job.refresh_from_db()
    assert OrmQ.objects.get().pk == job.ticket_id
