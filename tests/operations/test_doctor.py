"""Each check is provoked, and silent on a site that is well."""

import json
import os
import resource
import shutil
import tempfile
from collections import namedtuple
from datetime import timedelta
from io import StringIO
from ipaddress import ip_network

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from jobs.models import AuditRun
from leaderboard.models import Dump
from lemsite import doctor
from lemsite.doctor import Ill, Level, all_checks, background, configuration, database, examine, files, services
from lemsite.models import Backup
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory

DOCTOR = {one.name: one for one in all_checks()}
Usage = namedtuple("Usage", "total used free")


def ills(name):
    return list(DOCTOR[name].function())


def only(name) -> Ill:
    (ill,) = ills(name)
    assert ill.what.endswith((".", ")"))
    assert ill.mend.strip()
    assert not ill.why.endswith(".")
    return ill


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    settings.SITE_URL = "https://bench.example.org"
    settings.ALLOWED_HOSTS = ["bench.example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://bench.example.org"]
    settings.TRUSTED_PROXY = ["10.0.0.2"]
    settings.METRICS_TOKEN = "a" * 32
    settings.LEMSITE_SIMULATE = False
    return settings


@pytest.mark.parametrize(
    "name", [name for name, one in DOCTOR.items() if one.function.__module__ == configuration.__name__]
)
def test_settings_that_are_right_have_nothing_wrong(production, monkeypatch, name):
    monkeypatch.setattr(configuration, "run_checks", lambda **options: [])

    assert ills(name) == []


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("environment", {"PRODUCTION": False}, "SITE_URL is https://bench.example.org"),
        ("environment", {"DEBUG": True}, "DEBUG is on"),
        ("addresses", {"ALLOWED_HOSTS": ["other.example.org"]}, "which ALLOWED_HOSTS does not have"),
        ("addresses", {"CSRF_TRUSTED_ORIGINS": ["https://other.example.org"]}, "CSRF_TRUSTED_ORIGINS does not have"),
        ("proxy", {"TRUSTED_PROXY": []}, "TRUSTED_PROXY is not set"),
        ("proxy", {"TRUSTED_PROXY": ["*"]}, "believes everyone"),
        ("processes", {"WEB_PROCESSES": 2, "ON_SQLITE": False, "REDIS_URL": ""}, "without a REDIS_URL"),
        ("processes", {"WEB_PROCESSES": 2, "ON_SQLITE": True, "REDIS_URL": "redis://h/0"}, "on SQLite"),
        ("known_passwords", {"REDIS_URL": "redis://:redis@h/0"}, "REDIS_URL"),
        ("known_passwords", {"STORAGES": {"default": {"OPTIONS": {"secret_key": "minioadmin"}}}}, "STORAGE_URL"),
        ("known_passwords", {"EMAIL_HOST_PASSWORD": "Secret"}, "EMAIL_URL"),
        ("tokens", {"INGEST_TOKEN": "short"}, "INGEST_TOKEN has 5 characters"),
        ("tokens", {"METRICS_TOKEN": "short"}, "METRICS_TOKEN has 5 characters"),
        ("tokens", {"SECRET_KEY_FALLBACKS": ["old"]}, "SECRET_KEY_FALLBACKS is set"),
        ("watching", {"METRICS_ALLOW": [ip_network("0.0.0.0/0")]}, "every address"),
        ("watching", {"METRICS_TOKEN": ""}, "Neither METRICS_TOKEN nor METRICS_ALLOW"),
        ("watching", {"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL is DEBUG"),
        ("test_settings", {"LEMSITE_SIMULATE": True}, "LEMSITE_SIMULATE"),
        ("test_settings", {"LEMSITE_JOB_TIMES": {"lease_s": 1.0}}, "LEMSITE_JOB_TIMES"),
        ("test_settings", {"LEMSITE_HANDLER": "stock"}, "LEMSITE_HANDLER"),
        ("retention", {"KEEP_TASKS_DAYS": 0}, "KEEP_TASKS_DAYS = 0"),
        ("github", {"GITHUB_CLIENT_SECRET": "Iv1.0123456789abcdef"}, "40 hexadecimal digits"),
        ("webhook_hosts", {"WEBHOOK_PRIVATE_HOSTS": ["127.0.0.1:80"]}, "127.0.0.1:80"),
        ("email", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "go to the log"),
    ],
)
def test_settings_that_are_wrong_together(production, name, changes, says):
    for setting, value in changes.items():
        setattr(production, setting, value)

    assert says in only(name).what


def test_a_database_with_the_password_of_its_image(production, monkeypatch):
    monkeypatch.setitem(production.DATABASES["default"], "PASSWORD", "Postgres")

    assert "DATABASE_URL" in only("known_passwords").what


def test_a_library_that_a_setting_needs(production, monkeypatch):
    production.SENTRY_DSN = "https://key@sentry.example.org/1"
    monkeypatch.setattr(configuration, "find_spec", lambda name: None if name == "sentry_sdk" else object())

    assert "sentry_sdk is not installed" in only("libraries").what


def test_no_secret_is_told(production):
    production.INGEST_TOKEN = production.METRICS_TOKEN = "canary"
    production.GITHUB_CLIENT_SECRET = "canary-of-github"

    told = str([examine(one) for one in DOCTOR.values() if one.function.__module__ == configuration.__name__])

    assert "canary" not in told


def test_what_django_itself_finds(production, monkeypatch):
    from django.core import checks

    found = [checks.Error("Broken.", id="x.E1"), checks.Warning("Odd.", id="x.W1"), checks.Info("Fine.", id="x.I1")]
    monkeypatch.setattr(configuration, "run_checks", lambda **options: found)

    assert [(ill.level, ill.what) for ill in ills("django")] == [
        (Level.ERROR, "Broken. (x.E1)"),
        (Level.WARNING, "Odd. (x.W1)"),
    ]


def test_a_check_that_breaks_is_a_finding():
    def broken():
        raise DatabaseError("no\nconnection")

    (ill,) = examine(doctor.Check("broken", broken))

    assert ill.what == "It could not be looked at: DatabaseError: no"


def test_two_checks_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two checks clock"):
        doctor.check("clock")(lambda: iter(()))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["database", "migrations", "database_encoding", "time_zone", "clock", "connections"])
def test_a_database_that_is_well(name):
    assert ills(name) == []


def test_a_database_that_is_away(monkeypatch):
    def refuse(self):
        raise DatabaseError("connection refused\nIs the server running?")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)

    (ill,) = ills("database")

    assert ill.what == "The database does not answer: connection refused"


@pytest.mark.django_db
def test_migrations_of_an_older_and_of_a_newer_version():
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(connection)
    last = recorder.migration_qs.filter(app="runs").order_by("-name").first()
    recorder.record_unapplied("runs", last.name)
    recorder.record_applied("runs", "0999_of_the_future")

    missing, ahead = ills("migrations")

    assert f"runs.{last.name}" in missing.what
    assert (missing.level, ahead.level) == (Level.ERROR, Level.WARNING)
    assert "runs.0999_of_the_future" in ahead.what


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("database_encoding", "SQL_ASCII", "SQL_ASCII"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("connections", "10", "the server takes 10"),
    ],
)
def test_a_postgresql_that_is_not_well(monkeypatch, settings, name, answer, says):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(database, "_asked", lambda sql: answer)
    settings.WEB_PROCESSES = 4

    assert says in only(name).what


@pytest.mark.parametrize(("seconds", "level"), [(5, Level.WARNING), (-60, Level.ERROR)])
def test_clocks_that_differ(monkeypatch, seconds, level):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(database, "_asked", lambda sql: timezone.now() + timedelta(seconds=seconds))

    assert only("clock").level == level


def test_a_sqlite_file_without_its_log(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setattr(database, "_asked", lambda sql: "delete")

    assert "journal mode delete" in only("database_encoding").what


def test_a_site_that_does_not_count_in_utc(settings, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    settings.TIME_ZONE = "Europe/Berlin"

    assert "UTC" in only("time_zone").what


def test_no_redis_is_no_fault(settings):
    settings.REDIS_URL = ""

    assert ills("redis") == []


def test_a_redis_that_is_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert "Redis does not answer" in ills("redis")[0].what


@pytest.mark.parametrize(
    ("memory", "found"),
    [
        ({"maxmemory": 100, "maxmemory_policy": "noeviction"}, 1),
        ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, 0),
        ({"maxmemory": 0, "maxmemory_policy": "noeviction"}, 0),
    ],
)
def test_a_redis_that_refuses_when_it_is_full(memory, found):
    assert len(list(services.eviction(memory))) == found


def test_a_storage_that_is_well_is_left_as_it_was():
    def left():
        return default_storage.listdir("doctor")[1] if default_storage.exists("doctor") else []

    before = left()

    assert ills("storage") == []
    assert left() == before


@pytest.mark.parametrize("step", ["save", "open", "delete"])
def test_a_storage_that_refuses(monkeypatch, step):
    def refuse(*args):
        raise PermissionError("no")

    monkeypatch.setattr(default_storage, step, refuse, raising=False)

    word = {"save": "write", "open": "read", "delete": "delete"}[step]
    assert f"The storage does not {word}" in ills("storage")[0].what


def test_a_storage_that_changes_what_it_is_given(monkeypatch):
    from django.core.files.base import ContentFile

    monkeypatch.setattr(default_storage, "open", lambda name: ContentFile(b"other"), raising=False)

    assert "other bytes" in only("storage").what


def test_a_mail_server_that_is_away(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    assert "127.0.0.1:1 does not take messages" in ills("email")[0].what


def test_a_sender_of_nowhere(production):
    production.DEFAULT_FROM_EMAIL = "lemsite@localhost"

    assert "lemsite@localhost" in only("email").what


@pytest.fixture
def collected(settings, tmp_path, monkeypatch):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = tmp_path
    monkeypatch.setattr(files, "_static_sources", lambda: iter([("a.css", 100.0), ("b.css", 100.0)]))

    def write(*names, at=200.0):
        manifest = tmp_path / "staticfiles.json"
        manifest.write_text(json.dumps({"paths": {name: name for name in names}}))
        os.utime(manifest, (at, at))

    return write


def test_static_files_that_are_collected(collected):
    collected("a.css", "b.css")

    assert ills("static_files") == []


def test_static_files_that_are_not_collected(collected):
    assert "not collected" in only("static_files").what


def test_static_files_that_are_new(collected):
    collected("a.css")

    assert "1 static files are not collected, such as b.css" in only("static_files").what


def test_static_files_that_were_changed_since(collected):
    collected("a.css", "b.css", at=50.0)

    assert only("static_files").level == Level.WARNING


def test_folders_that_cannot_be_written(settings, tmp_path, monkeypatch):
    settings.LEMSITE_HOME = tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)

    assert f"LEMSITE_HOME ({tmp_path}) cannot be written" in only("folders").what


def test_no_folder_for_temporary_files(monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)

    assert "temporary files cannot be written" in only("folders").what


@pytest.mark.parametrize("name", ["secret-key", "file.sqlite3"])
def test_secrets_that_everybody_reads(settings, monkeypatch, tmp_path, name):
    settings.LEMSITE_HOME = tmp_path
    settings.ON_SQLITE = True
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(tmp_path / "file.sqlite3"))
    (tmp_path / name).write_text("x")
    (tmp_path / name).chmod(0o644)

    assert f"{name} can be read by every user" in only("secret_files").what
    (tmp_path / name).chmod(0o640)
    assert ills("secret_files") == []


@pytest.mark.parametrize(("free", "level"), [(100 << 20, Level.ERROR), (1 << 30, Level.WARNING), (500 << 30, None)])
def test_a_disk_that_is_full(settings, monkeypatch, tmp_path, free, level):
    settings.LEMSITE_HOME = tmp_path
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, (1 << 40) - free, free))

    assert {ill.level for ill in ills("disk_space")} == ({level} if level else set())


@pytest.mark.parametrize(("limit", "level"), [(1024, Level.ERROR), (10_000, Level.WARNING), (65_536, None), (-1, None)])
def test_few_files_may_be_open(production, monkeypatch, limit, level):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))

    assert [ill.level for ill in ills("open_files")] == ([level] if level else [])


@pytest.mark.django_db
def test_schedules_that_are_missing():
    assert ills("schedules") == []
    Schedule.objects.filter(name="jobs: audit everything").delete()

    assert "jobs: audit everything" in only("schedules").what


def task(*, minutes_ago, success=True, func="jobs.tasks.reconcile"):
    at = timezone.now() - timedelta(minutes=minutes_ago)
    pk = f"{Task.objects.count():032d}"
    return Task.objects.create(id=pk, name="t", func=func, started=at, stopped=at, success=success)


@pytest.mark.django_db
def test_a_worker_that_works():
    task(minutes_ago=1)

    assert ills("worker") == []


@pytest.mark.django_db
def test_a_worker_that_never_was_and_one_that_is_gone():
    assert "has ended ever" in only("worker").what
    task(minutes_ago=30)
    assert "has ended since" in only("worker").what


@pytest.mark.django_db
def test_a_task_that_nobody_takes():
    task(minutes_ago=1)
    OrmQ.objects.create(key="lemsite", payload="", lock=timezone.now() - timedelta(minutes=10))
    OrmQ.objects.create(key="gpu", payload="", lock=timezone.now() - timedelta(hours=10))

    assert "due for 600 s" in only("worker").what


@pytest.mark.django_db
def test_tasks_that_failed():
    task(minutes_ago=1, success=False)
    task(minutes_ago=60 * 30, success=False, func="of.yesterday")

    assert only("failed_tasks").what == "1 background tasks failed in the last day, jobs.tasks.reconcile 1 times."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "broken", "level"),
    [(1, [], None), (1, [{"code": "J1", "rule": "r", "broken": ["job 1"]}], Level.ERROR), (48, [], Level.WARNING)],
)
def test_the_last_audit(hours, broken, level):
    AuditRun.objects.create(ended_at=timezone.now() - timedelta(hours=hours), rules=14, broken=broken)

    assert [ill.level for ill in ills("audit")] == ([level] if level else [])


def backed_up(*, hours_ago):
    made_at = timezone.now() - timedelta(hours=hours_ago)
    Backup.objects.create(made_at=made_at, folder="/srv/backups/x", size_bytes=3 << 20, was_read_back=True)


@pytest.mark.django_db
def test_no_backup(production):
    ill = only("backup")

    assert (ill.level, ill.what) == (Level.WARNING, "No backup has been made by manage.py backup.")
    production.PRODUCTION = False
    assert ills("backup") == []


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "is_late"), [(47, False), (49, True)])
def test_the_last_backup(production, hours, is_late):
    backed_up(hours_ago=hours)

    assert [(ill.level, "/srv/backups/x" in ill.what) for ill in ills("backup")] == [(Level.WARNING, True)] * is_late


@pytest.mark.django_db
def test_a_dump_that_could_not_be_pushed(settings):
    settings.HF_DATASET = "lemsite/results"
    Dump.objects.create(version="2026-11-21", data_version=1, rows=0, size_bytes=0, sha256="", push_error="403 no")

    assert "403 no" in ills("dataset")[0].what


@pytest.mark.django_db
def test_simulated_hosts_in_production(production):
    AgentFactory(name="make-believe", is_simulated=True)

    assert "make-believe" in only("simulated_hosts").what


@pytest.mark.django_db
def test_superusers():
    assert "no superuser" in only("superusers").what
    UserFactory.create_batch(6, is_superuser=True, is_staff=True)
    assert "6 people" in only("superusers").what


@pytest.mark.django_db
@pytest.mark.parametrize(("is_required", "level"), [(True, Level.WARNING), (False, Level.ERROR)])
def test_staff_without_a_second_factor(production, is_required, level):
    production.ADMIN_REQUIRE_2FA = is_required
    UserFactory(username="without", is_staff=True)
    safe = UserFactory(username="with", is_staff=True)
    Authenticator.objects.create(user=safe, type=Authenticator.Type.TOTP, data={})

    ill = only("second_factor")

    assert (ill.level, ill.what) == (level, "Staff without a second factor: without.")


@pytest.mark.django_db
def test_a_password_that_everybody_tries_first(production):
    for name, password in (("boss", "boss"), ("other", "long-and-not-to-be-guessed")):
        person = UserFactory(username=name, is_staff=True)
        person.set_password(password)
        person.save()

    assert only("weak_passwords").what.startswith("The password of boss")


def run(*arguments):
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_what_why_and_how_to_mend(production):
    production.TRUSTED_PROXY = []

    code, text = run("proxy", "addresses")

    assert code == 1
    assert "ERROR proxy: TRUSTED_PROXY is not set." in text
    assert "  Why: behind a proxy" in text
    assert "  Mend: Set TRUSTED_PROXY" in text
    assert text.endswith("2 checks: 1 errors, 0 warnings.\n")


def test_warnings_alone_do_not_fail_it(production):
    production.LEMSITE_HANDLER = "stock"

    assert run("test_settings")[0] == 0


def test_the_command_speaks_to_programs(production):
    production.TRUSTED_PROXY = []

    code, text = run("--json", "proxy")

    told = json.loads(text)
    assert (code, told["checks"], told["errors"]) == (1, 1, 1)
    assert set(told["findings"][0]) == {"check", "what", "why", "mend", "level"}


def test_a_check_that_is_not_there():
    with pytest.raises(CommandError, match="no check 'coffee'"):
        call_command("doctor", "coffee")


def test_every_check_is_listed_in_the_documentation():
    from pathlib import Path

    text = (Path(doctor.__file__).parents[2] / "docs" / "operations.md").read_text()
    listed = run("--list")[1].split()

    assert listed == list(DOCTOR)
    assert [name for name in listed if f"| `{name}` |" not in text] == []


def test_wanted_schedules_are_those_of_every_app():
    assert {name.partition(":")[0] for name in background.wanted_schedules()} == {
        "accounts",
        "jobs",
        "leaderboard",
        "lemsite",
        "runs",
    }
