"""What the admin's status page shows: how the site runs now, in a few queries."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from django.utils.timesince import timesince
from django_q.models import Failure, OrmQ, Schedule, Task

from accounts.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from jobs.models import Agent, Artifact, AuditRun
from jobs.queries.hosts import is_connected
from jobs.queries.looked_at import latest_audit
from leaderboard.models import Dump, RawFile
from lemsite import __version__
from lemsite.backups import recorded
from lemsite.doctor import Ill, all_checks, examine
from lemsite.models import Backup
from lemsite.observing.database_figures import unsent_emails
from lemsite.observing.probes import MigrationsMissing, require_migrations

DAY = timedelta(days=1)
MOST = 20
COUNTED_EVERY_S = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One fact; `is_well` is False where somebody should look."""

    name: str
    value: str
    is_well: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    function: str
    at: datetime
    error: str
    pk: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule, when its last task ended and how, and when the next one is due."""

    name: str
    last_at: datetime | None
    was_well: bool
    next_at: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    state: str
    seen_at: datetime | None
    is_well: bool


def findings() -> list[tuple[str, Ill]]:
    """What doctor finds without asking other services."""
    return [(one.name, ill) for one in all_checks() if not one.is_slow for ill in examine(one)]


def versions() -> list[Line]:
    lines = [
        Line("lemsite", __version__),
        Line("Python, Django", f"{platform.python_version()}, {django.get_version()}"),
        Line("Database", _database_version()),
        Line("Redis", "used" if settings.REDIS_URL else "not used"),
        Line("Storage", "S3" if "S3" in settings.STORAGES["default"]["BACKEND"] else "folder"),
        Line("Web processes of this server", str(settings.WEB_PROCESSES)),
    ]
    try:
        require_migrations()
    except MigrationsMissing as missing:
        return [*lines, Line("Migrations", f"not applied: {missing}", is_well=False)]
    return [*lines, Line("Migrations", "all applied")]


def work(now: datetime) -> list[Line]:
    """The queue, and what leaves the site."""
    mine = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"])
    due = mine.aggregate(
        due=Count("pk", filter=Q(lock__lte=now)),
        since=Min("lock", filter=Q(lock__lte=now)),
        running=Count("pk", filter=Q(lock__gt=now)),
    )
    last = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    oldest = f", the oldest for {timesince(due['since'], now)}" if due["since"] else ""
    return [
        Line("Tasks due", f"{due['due']}{oldest}", due["since"] is None or now - due["since"] < timedelta(minutes=2)),
        Line("Tasks running", str(due["running"])),
        Line("Last task ended", _ago(last, now), last is not None and now - last < timedelta(minutes=5)),
        *_messages(now),
    ]


def _messages(now: datetime) -> list[Line]:
    recent = WebhookDelivery.objects.filter(created_at__gte=now - DAY)
    deliveries = recent.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(state=DeliveryState.FAILED)))
    failing = WebhookEndpoint.objects.filter(disabled_at=None, failing_since__isnull=False).count()
    unsent = unsent_emails(now)
    given_up = f"{deliveries['failed']} given up of {deliveries['all']}"
    return [
        Line("Webhook deliveries of a day", given_up, not deliveries["failed"]),
        Line("Webhook endpoints that fail now", str(failing), not failing),
        Line("E-mails not sent yet", str(unsent), not unsent),
    ]


def kept(now: datetime) -> list[Line]:
    """Files, dumps, audits, backups."""
    sizes: Any = cache.get_or_set("status-storage", _stored, COUNTED_EVERY_S)
    dump, audit = Dump.objects.first(), latest_audit()
    return [
        *[Line(name, f"{size / (1 << 20):,.0f} MiB") for name, size in sizes.items()],
        Line("Newest dump", f"{dump.version}, {dump.rows:,} rows" if dump else "none yet"),
        *([Line("Its push", dump.push_error[:200], is_well=False)] if dump and dump.push_error else []),
        _audited(audit, now),
        _backed_up(recorded.latest(), now),
    ]


def _audited(audit: AuditRun | None, now: datetime) -> Line:
    if audit is None:
        return Line("Last audit of jobs", "none yet")
    broken = ", ".join(str(one.get("code", "")) for one in audit.broken)
    outcome = f"broken: {broken}" if broken else f"all {audit.rules} rules hold"
    return Line("Last audit of jobs", f"{_ago(audit.ended_at, now)}: {outcome}", not broken)


def _backed_up(backup: Backup | None, now: datetime) -> Line:
    """A site in development needs none."""
    if backup is None:
        return Line("Last backup", "none yet", not settings.PRODUCTION)
    is_well = not settings.PRODUCTION or now - backup.made_at <= recorded.LATE
    size = f"{backup.size_bytes / (1 << 20):,.0f} MiB"
    read_back = ", read back" if backup.was_read_back else ""
    return Line("Last backup", f"{_ago(backup.made_at, now)}: {size}{read_back}, in {backup.folder}", is_well)


def failures(now: datetime) -> list[Failed]:
    rows = Failure.objects.filter(stopped__gte=now - DAY).order_by("-stopped")[:MOST]
    return [Failed(row.func, row.stopped, _first_line(row.result), row.pk) for row in rows]


def schedules(now: datetime) -> list[Planned]:
    rows = list(Schedule.objects.order_by("name"))
    tasks = Task.objects.filter(pk__in=[row.task for row in rows if row.task])
    ended = {pk: (stopped, success) for pk, stopped, success in tasks.values_list("pk", "stopped", "success")}
    late = now - timedelta(minutes=5)
    return [
        Planned(
            name=row.name or row.func,
            last_at=ended.get(row.task, (None, True))[0],
            was_well=ended.get(row.task, (None, True))[1],
            next_at=row.next_run,
            is_late=row.next_run is not None and row.next_run < late,
        )
        for row in rows
    ]


def gpu_hosts(now: datetime) -> list[Host]:
    agents = Agent.objects.filter(retired_at=None).order_by("name")[:MOST]
    return [Host(agent.name, _state(agent, now), agent.last_seen_at, _is_working(agent, now)) for agent in agents]


def _is_working(agent: Agent, now: datetime) -> bool:
    return agent.quarantined_at is None and is_connected(agent, now)


def _state(agent: Agent, now: datetime) -> str:
    if agent.quarantined_at is not None:
        return f"set aside: {agent.quarantine_reason}"
    word = "connected" if is_connected(agent, now) else "not heard"
    return f"{word}, draining" if agent.is_draining else word


def _stored() -> dict[str, int]:
    return {
        "Files of submissions": RawFile.objects.aggregate(size=Sum("size_bytes"))["size"] or 0,
        "Files of jobs": Artifact.objects.aggregate(size=Sum("size_bytes"))["size"] or 0,
        "Dumps": Dump.objects.aggregate(size=Sum("size_bytes"))["size"] or 0,
    }


def _database_version() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{timesince(at, now)} ago" if at else "never"


def _first_line(result: object) -> str:
    lines: Sequence[str] = str(result or "").strip().splitlines()
    return lines[0][:200] if lines else "no message"


def context() -> dict[str, object]:
    now = timezone.now()
    return {
        "now": now,
        "findings": findings(),
        "groups": [("Versions", versions()), ("Work", work(now)), ("Kept", kept(now))],
        "failures": failures(now),
        "schedules": schedules(now),
        "hosts": gpu_hosts(now),
    }
