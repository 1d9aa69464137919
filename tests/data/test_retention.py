"""What goes after a while, and what stays whatever its age: one of each, older than every limit, and one newer."""

from __future__ import annotations

import io
import os
import time
import uuid
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from accounts.models import AuditEvent, Notification, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from jobs.models import AgentSession, Attempt, Decline, HostEvent, JobEvent, LogChunk, TelemetryBatch
from jobs.queries.audit import audit
from jobs.services.transitions import note
from leaderboard.models import FacetCounts, ReviewEvent, ShortLink, Submission, UploadBatch
from lemsite import retention, tasks
from lemsite.lib import file_storage, pruning, service_urls
from lemsite.retention import prune
from runs.models import ProgressEvent, Run
from runs.sealing import due_runs, seal
from tests.factories import UserFactory, draft, published_result
from tests.jobs.calling import Host
from tests.jobs.factories import AgentFactory, AttemptFactory, JobFactory, SessionFactory
from tests.runs.records import START, add_events, ended_run, event_body

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=3650)


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "stored").as_uri())
    settings.STORAGES = {**settings.STORAGES, "default": service_urls.storage("STORAGE_URL", folder=tmp_path)}
    return tmp_path / "stored"


def aged(row, **moments):
    """The row as it would be had it been written long ago."""
    type(row)._base_manager.filter(pk=row.pk).update(**(moments or {"created_at": LONG_AGO}))
    return row


def test_notifications_go_and_new_ones_stay():
    user = UserFactory()
    aged(Notification.objects.create(user=user, kind="review", title="old"))
    Notification.objects.create(user=user, kind="review", title="new")

    assert prune().counts["notifications"] == 1

    assert Notification.objects.get().title == "new"


def test_settled_deliveries_go_with_their_log_and_waiting_ones_stay():
    endpoint = WebhookEndpoint.objects.create(user=UserFactory(), url="https://hooks.example.org/")
    for state in ("delivered", "waiting"):
        one = WebhookDelivery.objects.create(
            endpoint=endpoint, event_id=uuid.uuid4(), body="{}", state=state, next_attempt_at=LONG_AGO
        )
        WebhookAttempt.objects.create(delivery=aged(one), duration_ms=1)

    prune()

    assert (WebhookDelivery.objects.get().state, WebhookAttempt.objects.count()) == ("waiting", 1)


def test_sessions_that_are_over_go_and_those_of_people_who_are_here_stay():
    user, now = UserFactory(), timezone.now()
    for name, moment in (("over", LONG_AGO), ("here", now + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=moment)
        UserSession.objects.create(user=user, session_key=name, ip="127.0.0.1")
    UserSession.objects.update(last_seen_at=LONG_AGO)

    prune()

    assert [Session.objects.get().pk, UserSession.objects.get().session_key] == ["here", "here"]


def test_outcomes_of_tasks_go_and_failures_with_them():
    for name, moment, success in (("a", LONG_AGO, False), ("b", LONG_AGO, True), ("c", timezone.now(), False)):
        Task.objects.create(
            id=name, name=name, func="runs.tasks.seal_run", started=moment, stopped=moment, success=success
        )

    prune()

    assert Task.objects.get().name == "c"


def test_batches_that_were_read_go_and_their_drafts_stay(owner, small_catalogue):
    submission = draft(owner)
    for state, moment in (("done", LONG_AGO), ("waiting", None), ("done", timezone.now())):
        UploadBatch.objects.create(
            owner=owner, provenance="upload", state=state, finished_at=moment, submission=submission
        )

    prune()

    assert sorted(UploadBatch.objects.values_list("state", flat=True)) == ["done", "waiting"]
    assert Submission.objects.filter(pk=submission.pk).exists()


def test_counts_that_nobody_asks_for_go():
    for name in ("old", "new"):
        FacetCounts.objects.create(signature=name, version=1, counts={})
    FacetCounts.objects.filter(pk="old").update(counted_at=LONG_AGO)

    prune()

    assert FacetCounts.objects.get().pk == "new"


def recorded(state="succeeded", ended_at=LONG_AGO):
    """An attempt with a log and samples, of a job that ended then."""
    host = Host()
    attempt = AttemptFactory(agent=host.agent)
    host.log(attempt, 0, b"loading model\n")
    TelemetryBatch.objects.create(attempt=attempt, first_seq=1, count=2, columns={})
    Attempt.objects.filter(pk=attempt.pk).update(state="done", next_telemetry=3, ended_at=ended_at)
    type(attempt.job).objects.filter(pk=attempt.job_id).update(state=state, ended_at=ended_at)
    note(job=attempt.job, event="imported", attempt=attempt)
    return attempt


def test_logs_and_samples_of_old_jobs_go_and_the_audit_still_holds(client):
    old, new = recorded(), recorded(ended_at=timezone.now())
    before = {rule.code: rule.holds for rule in audit()}

    assert prune().counts["logs and samples of old jobs"] == 1

    assert LogChunk.objects.get().attempt == TelemetryBatch.objects.get().attempt == new
    assert {rule.code: rule.holds for rule in audit()} == before
    assert before["I6"]
    assert before["I7"]
    old.refresh_from_db()
    assert old.log_bytes == 14
    assert JobEvent.objects.count() == 2


def test_the_page_of_an_old_job_says_that_its_log_is_gone(client):
    attempt = recorded()
    prune()

    page = client.get(f"/jobs/{attempt.job_id}/").content.decode()
    part = client.get(f"/jobs/{attempt.job_id}/attempts/{attempt.number}/log.txt?after=0")

    assert "The log and the samples were deleted on" in page
    assert (part.content, part["X-Log-Over"]) == (b"", "1")


def test_sessions_and_refusals_of_hosts_go():
    agent = AgentFactory()
    SessionFactory(agent=agent, ended_at=LONG_AGO)
    living = SessionFactory(agent=agent)
    job, over = JobFactory(), JobFactory(state="succeeded", ended_at=LONG_AGO)
    for each in (job, over):
        aged(Decline.objects.create(job=each, agent=agent, code="busy"))

    prune()

    assert AgentSession.objects.get() == living
    assert Decline.objects.get().job == job


def test_simulated_runs_go_with_their_files_and_measured_ones_stay(files_of_its_own):
    simulated = ended_run(5, key="simulated", is_simulated=True)
    measured = ended_run(5, key="measured")
    for run in (simulated, measured):
        seal(run)

    prune()

    assert Run.objects.get() == measured
    assert [path.name for path in (files_of_its_own / "runs").iterdir() if any(path.iterdir())] == [str(measured.pk)]


def test_rows_that_were_sealed_while_no_worker_ran_go_at_last():
    run = ended_run(20)
    seal(run)
    Run.objects.update(sealed_at=LONG_AGO)
    open_run = ended_run(3, key="open", ended_at=None, status="running")

    assert prune().counts["sealed runs with rows left"] == 1

    assert set(ProgressEvent.objects.values_list("run", flat=True)) == {open_run.pk}


def stored(name, *, age=timedelta(days=2)):
    default_storage.save(name, ContentFile(b"x"))
    moment = time.time() - age.total_seconds()
    os.utime(default_storage.path(name), (moment, moment))
    return name


def test_files_of_nobody_go_once_they_are_old(owner, small_catalogue):
    submission = draft(owner)
    kept = submission.raw_files.get().storage_name
    os.utime(default_storage.path(kept), (0, 0))
    gone = [
        stored(f"raw/00/{'0' * 64}"),
        stored(f"artifacts/00/{'0' * 64}"),
        stored(f"batches/{uuid.uuid4()}/0"),
        stored("runs/999999/events-7.parquet"),
        stored("runs/odd/events-7.parquet"),
        stored(f"{file_storage.UNFINISHED}/{'0' * 32}"),
    ]
    fresh = stored(f"raw/11/{'1' * 64}", age=timedelta(hours=1))
    piece = stored(f"artifacts/pieces/{uuid.uuid4()}/{0:015d}")

    counts = prune().counts

    assert not any(map(default_storage.exists, gone))
    assert all(map(default_storage.exists, (kept, fresh, piece)))
    assert counts["files of nobody in raw/"] == 1
    assert counts["files of nobody in runs/"] == 2


def test_what_must_stay_stays_whatever_its_age(owner, moderator, small_catalogue):
    result = published_result()
    waiting = draft(owner)
    Submission.objects.update(created_at=LONG_AGO)
    ShortLink.objects.create(code="abcdefghij", url="/results/")
    ShortLink.objects.update(created_at=LONG_AGO)
    AuditEvent.objects.bulk_create([AuditEvent(actor=owner, action="banned", created_at=LONG_AGO)])
    HostEvent.objects.bulk_create([HostEvent(agent=AgentFactory(), step="enrolled", created_at=LONG_AGO)])
    run = ended_run(5)
    seal(run)
    OrmQ.objects.create(key="gpu", payload="x", lock=LONG_AGO)
    logs = [model.objects.count() for model in (AuditEvent, HostEvent, ReviewEvent, OrmQ, ShortLink)]

    prune()

    assert Submission.objects.filter(pk__in=[result.submission_id, waiting.pk]).count() == 2
    assert [model.objects.count() for model in (AuditEvent, HostEvent, ReviewEvent, OrmQ, ShortLink)] == logs
    assert run.started_at == START
    assert default_storage.listdir(f"runs/{run.pk}")[1]


KEPT = ("JOB_RECORDS", "AGENT_SESSIONS", "SIMULATED_RUNS", "BATCHES", "NOTIFICATIONS", "WEBHOOK_DELIVERIES", "TASKS")


def test_nothing_goes_where_zero_days_mean_for_ever(settings):
    for name in KEPT:
        setattr(settings, f"KEEP_{name}_DAYS", 0)
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))
    recorded()

    counts = prune().counts

    assert (Notification.objects.count(), LogChunk.objects.count()) == (1, 1)
    assert set(counts.values()) == {0}


def test_a_dry_run_counts_and_leaves_everything():
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))
    orphan = stored(f"raw/00/{'0' * 64}")
    out = io.StringIO()

    call_command("prune", "--dry-run", stdout=out)

    lines = {line.strip() for line in out.getvalue().splitlines()}
    assert {"1  notifications", "1  files of nobody in raw/", "Nothing was changed."} <= lines
    assert Notification.objects.exists()
    assert default_storage.exists(orphan)


def test_the_second_time_there_is_nothing_to_do():
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))
    recorded()

    first, second = prune().counts, prune().counts

    assert sum(first.values()) == 2
    assert set(second.values()) == {0}


def test_rows_go_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    user = UserFactory()
    Notification.objects.bulk_create(Notification(user=user, kind="review", title=str(number)) for number in range(5))
    Notification.objects.update(created_at=LONG_AGO)

    assert prune().counts["notifications"] == 5
    assert not Notification.objects.exists()


def test_what_there_is_no_time_for_goes_with_another_task(monkeypatch):
    monkeypatch.setattr(retention, "WORK_FOR_S", 0.0)
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))

    assert tasks.prune() == {}

    assert Notification.objects.exists()
    assert [task.func() for task in OrmQ.objects.all()] == ["lemsite.tasks.prune"]


def test_the_outcome_of_the_task_counts_what_went():
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))

    assert tasks.prune() == {"notifications": 1}
    assert not OrmQ.objects.exists()


def test_a_rule_that_fails_stops_no_other(monkeypatch, caplog):
    def broken(now):
        raise ValueError("cannot count")

    monkeypatch.setattr(retention, "RULES", (pruning.Rule("broken", broken), *retention.RULES))
    aged(Notification.objects.create(user=UserFactory(), kind="review", title="old"))

    assert prune().counts["notifications"] == 1
    assert "Retention of broken failed" in caplog.text


def test_it_is_done_once_a_day():
    Schedule.objects.filter(name=tasks.SCHEDULE).delete()

    tasks.ensure_schedules()
    tasks.ensure_schedules()

    schedule = Schedule.objects.get(name=tasks.SCHEDULE)
    assert (schedule.func, schedule.minutes) == ("lemsite.tasks.prune", 1440)


def test_before_the_first_migration_there_is_no_schedule(monkeypatch):
    Schedule.objects.all().delete()
    with monkeypatch.context() as patch:
        patch.setattr(Schedule._meta, "db_table", "not_there_yet")
        tasks.ensure_schedules()

    assert not Schedule.objects.exists()


def test_a_sealed_run_whose_sender_never_stops_is_sealed_again_after_a_day():
    run = ended_run(5)
    seal(run)
    add_events(run, [event_body(number) for number in range(5, 9)])
    now = timezone.now()
    Run.objects.update(last_event_at=now, sealed_at=now - timedelta(hours=23))
    early = list(due_runs(now))
    Run.objects.update(sealed_at=now - timedelta(hours=25))

    assert (early, list(due_runs(now))) == ([], [run])
