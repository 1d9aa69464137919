"""When runs are sealed and swept in the background."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from runs import tasks
from runs.models import ProgressEvent, Run, RunStatus
from runs.sealing import due_runs, seal, unswept_runs
from tests.runs.records import add_events, ended_run, event_body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    yield
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "runs", ignore_errors=True)


def sealed(run):
    assert seal(run)
    run.refresh_from_db()
    return run


def due():
    return [run.key for run in due_runs(timezone.now())]


def test_a_run_is_due_once_it_has_ended_and_has_events():
    ended_run(1, key="over")
    ended_run(1, key="open", ended_at=None, status=RunStatus.RUNNING)
    ended_run(0, key="empty")

    assert due() == ["over"]


def test_a_sealed_run_is_due_again_when_its_late_events_have_come_to_rest():
    run = sealed(ended_run(1))
    add_events(run, [event_body(5)])
    assert due() == []

    Run.objects.update(sealed_at=timezone.now() - timedelta(minutes=11))

    assert due() == ["race"]


def test_a_sealed_run_is_swept_after_a_minute():
    sealed(ended_run(1))
    assert not unswept_runs(timezone.now())

    assert [run.key for run in unswept_runs(timezone.now() + timedelta(minutes=2))] == ["race"]


def test_seal_ended_runs_closes_silent_runs_and_seals_and_sweeps():
    run = ended_run(5, ended_at=None, status=RunStatus.RUNNING)

    tasks.seal_ended_runs()
    Run.objects.update(sealed_at=timezone.now() - timedelta(minutes=2))
    tasks.seal_ended_runs()

    run.refresh_from_db()
    assert (run.status, run.ended_at) == (RunStatus.STOPPED, run.last_event_at)
    assert run.sealed_seq
    assert ProgressEvent.objects.count() == 0


def test_one_run_that_cannot_be_sealed_does_not_keep_the_others_from_it(monkeypatch, caplog):
    bad = ended_run(2, key="bad")
    good = ended_run(2, key="good")
    ProgressEvent.objects.filter(run=bad).update(body="no JSON")

    tasks.seal_ended_runs()

    good.refresh_from_db()
    assert good.sealed_seq
    assert "could not be sealed" in caplog.text
    assert default_storage.exists(f"runs/{good.pk}/events-{good.sealed_seq}.parquet")


def test_seal_ended_runs_begins_no_run_once_its_time_is_over():
    ended_run(2)

    tasks.seal_ended_runs(work_for_s=-1.0)

    assert due() == ["race"]


def test_the_command_seals_what_has_ended():
    ended_run(2)

    call_command("seal_runs")

    assert due() == []


def test_seal_run_seals_one_run_and_leaves_those_that_are_open_or_gone():
    over, still_open = ended_run(1, key="over"), ended_run(1, key="open", ended_at=None)

    for pk in (over.pk, still_open.pk, 0):
        tasks.seal_run(pk)

    over.refresh_from_db()
    still_open.refresh_from_db()
    assert over.sealed_seq
    assert not still_open.sealed_seq


def test_the_schedule_waits_for_the_table_of_schedules(monkeypatch):
    from django_q.models import Schedule

    monkeypatch.setattr(Schedule._meta, "db_table", "not_there_yet")

    tasks.ensure_schedules()


def test_the_schedule_is_made_once_by_migrate():
    from django.utils.module_loading import import_string
    from django_q.models import Schedule

    Schedule.objects.all().delete()
    tasks.ensure_schedules()
    tasks.ensure_schedules()

    schedule = Schedule.objects.get()
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)
    assert import_string(schedule.func) is tasks.seal_ended_runs
