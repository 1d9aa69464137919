"""The daily audit: kept for the status page, told to moderators."""

import shutil

import pytest
from django.conf import settings
from django_q.models import OrmQ, Schedule

from accounts.models import Notification
from jobs import tasks
from jobs.models import AuditRun
from jobs.services import auditing
from tests.jobs.queueing import queued

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    """What other tests left in the storage is of no attempt here."""
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "artifacts", ignore_errors=True)


@pytest.fixture
def torn():
    """A job that waits without its place in the queue."""
    job = queued()
    OrmQ.objects.all().delete()
    return job


def test_it_runs_once_a_day():
    Schedule.objects.filter(name__startswith="jobs: audit").delete()

    tasks.ensure_schedules()

    schedule = Schedule.objects.get(func="jobs.tasks.audit")
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1440)


@pytest.mark.usefixtures("moderator")
def test_what_holds_is_kept_and_told_to_nobody():
    tasks.audit()

    run = AuditRun.objects.get()
    assert (run.broken, run.rules > 10) == ([], True)
    assert not Notification.objects.exists()


def test_moderators_hear_of_what_does_not_hold(moderator, torn):
    tasks.audit()

    told = Notification.objects.get()
    assert (told.user, told.url) == (moderator, "/status/")
    assert told.title.endswith("I1")
    assert f"job {torn.pk} is queued with no ticket" in told.text


def test_the_status_page_says_when_all_held(client):
    auditing.run_audit()

    page = client.get("/status/").content.decode()

    assert "rules held" in page
    assert f"{AuditRun.objects.get().ended_at:%Y-%m-%d %H:%M:%S}" in page


@pytest.mark.usefixtures("torn")
def test_the_status_page_says_what_did_not_hold(client):
    auditing.run_audit()

    assert f"1 of {AuditRun.objects.get().rules} rules did not hold" in client.get("/status/").content.decode()


def test_before_the_first_one_the_status_page_says_so(client):
    assert "still to come" in client.get("/status/").content.decode()


def test_old_outcomes_go(monkeypatch):
    monkeypatch.setattr(auditing, "RUNS_KEPT", 2)

    runs = [auditing.run_audit() for _ in range(4)]

    assert set(AuditRun.objects.all()) == set(runs[2:])
