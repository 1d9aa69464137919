"""What the database knows of the whole site: the same from whichever process it is asked, the worker's doings included.

Each figure is one query that an index serves or whose table is small, except those over findings and results, which are
counted every few minutes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone
from django_q.models import Failure, OrmQ
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from accounts.models import DeliveryState, Notification, WebhookDelivery
from accounts.services.emails import addresses_of, waiting_emails
from jobs.models import ACTIVE, TERMINAL, Agent, Attempt, Job, JobState
from jobs.times import times
from leaderboard.models import Finding, Submission, SubmissionStatus
from lemsite.backups import recorded
from runs.models import Run

#: counted anew after that time: these tables grow without end
COUNTED_EVERY_S = 300
DAY = timedelta(days=1)
MOST_EMAILS = 500


def database_figures() -> list[Metric]:
    """Raises DatabaseError where there is no database."""
    now = timezone.now()
    return [*_tasks(now), *_jobs(now), *_live(now), *_messages(now), _backup(now), *_results(), *_database()]


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"lemsite_{name}", text, value)


def by_label(name: str, text: str, label: str, counts: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"lemsite_{name}", text, labels=[label])
    for value, count in counts:
        family.add_metric([value], count)
    return family


def age_s(now: datetime, since: datetime | None) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _tasks(now: datetime) -> Iterator[Metric]:
    """A running task is locked into the future."""
    mine = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"])
    due = mine.filter(lock__lte=now).aggregate(count=Count("pk"), since=Min("lock"))
    running = mine.filter(lock__gt=now).count()
    counts = (("due", due["count"]), ("running", running))
    yield by_label("tasks", "Background tasks in the queue", "state", counts)
    yield gauge("tasks_oldest_due_seconds", "Age of the oldest task that is due", age_s(now, due["since"]))
    failed = Failure.objects.filter(stopped__gte=now - DAY).count()
    yield gauge("tasks_failed_in_a_day", "Background tasks that failed in the last 24 hours", failed)


def _jobs(now: datetime) -> Iterator[Metric]:
    open_jobs = Job.objects.exclude(state__in=TERMINAL).order_by()
    counted = dict(open_jobs.values_list("state").annotate(Count("pk")))
    states = [state for state in JobState if state not in TERMINAL]
    text = "GPU jobs that have not ended"
    yield by_label("gpu_jobs", text, "state", ((str(state.value), counted.get(state, 0)) for state in states))
    since = open_jobs.filter(state=JobState.QUEUED).aggregate(since=Min("created_at"))["since"]
    yield gauge("gpu_jobs_oldest_queued_seconds", "Age of the oldest queued GPU job", age_s(now, since))
    attempts = Attempt.objects.filter(state__in=ACTIVE).count()
    yield gauge("attempts_running", "Executions that hosts have in hand", attempts)
    heard = Q(last_seen_at__gte=now - timedelta(seconds=times().lease_s))
    hosts = Agent.objects.filter(retired_at=None).aggregate(
        online=Count("pk", filter=heard),
        away=Count("pk", filter=~heard | Q(last_seen_at=None)),
        set_aside=Count("pk", filter=Q(quarantined_at__isnull=False)),
    )
    yield by_label("gpu_hosts", "GPU hosts; one that is set aside is online or away, too", "state", hosts.items())


def _live(now: datetime) -> Iterator[Metric]:
    open_runs = Run.objects.filter(ended_at=None, started_at__gte=now - DAY)
    yield gauge("live_runs", "Live runs that began in the last 24 hours and have not ended", open_runs.count())


def _messages(now: datetime) -> Iterator[Metric]:
    recent = WebhookDelivery.objects.filter(created_at__gte=now - DAY).order_by()
    counted = dict(recent.values_list("state").annotate(Count("pk")))
    counts = [(str(state.value), counted.get(state, 0)) for state in DeliveryState]
    yield by_label("webhook_deliveries_of_a_day", "Webhook deliveries of the last 24 hours", "state", counts)
    overdue = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, next_attempt_at__lte=now)
    since = overdue.aggregate(since=Min("next_attempt_at"))["since"]
    yield gauge("webhook_oldest_due_seconds", "Age of the oldest webhook attempt that is due", age_s(now, since))
    yield gauge("emails_unsent", "E-mails that could not be sent yet", unsent_emails(now))


def unsent_emails(now: datetime) -> int:
    """Of people who have an address and want them: where there is no mail server, they wait. At most 500."""
    waiting = list(waiting_emails(now).select_related("user__preferences")[:MOST_EMAILS])
    addresses = addresses_of([notification.user for notification in waiting]) if waiting else {}
    return sum(addresses.get(one.user_id, "") != "" and not _is_muted(one) for one in waiting)


def _is_muted(notification: Notification) -> bool:
    preferences = getattr(notification.user, "preferences", None)
    return preferences is not None and notification.kind in preferences.muted_emails


def _backup(now: datetime) -> Metric:
    """No sample where there is no backup: an age of 0 would look well."""
    family = GaugeMetricFamily("lemsite_backup_age_seconds", "Age of the last whole backup that manage.py backup made")
    if (last := recorded.latest()) is not None:
        family.add_metric([], age_s(now, last.made_at))
    return family


def _results() -> list[Metric]:
    counts: Any = cache.get_or_set("metrics-results", _count_results, COUNTED_EVERY_S)
    return [
        by_label("findings", "What the checks found on stored results", "code", counts["findings"].items()),
        by_label("submissions", "Submissions by state", "status", counts["submissions"].items()),
    ]


def _count_results() -> dict[str, dict[str, int]]:
    findings = dict(Finding.objects.order_by().values_list("code").annotate(Count("pk")))
    counted = dict(Submission.objects.order_by().values_list("status").annotate(Count("pk")))
    return {
        "findings": findings,
        "submissions": {str(status.value): counted.get(status, 0) for status in SubmissionStatus},
    }


def _database() -> Iterator[Metric]:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        yield gauge("database_answer_seconds", "How long the database took for nothing", time.perf_counter() - started)
        if connection.vendor == "postgresql":
            yield from _postgresql(cursor)
        else:
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            cursor.execute("PRAGMA page_size")
            yield gauge("database_size_bytes", "Size of the database", pages * cursor.fetchone()[0])


def _postgresql(cursor: Any) -> Iterator[Metric]:
    cursor.execute("SELECT pg_database_size(current_database())")
    yield gauge("database_size_bytes", "Size of the database", cursor.fetchone()[0])
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    yield gauge("database_connections", "Connections of everyone to the database server", cursor.fetchone()[0])
    cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'max_connections'")
    yield gauge("database_connections_limit", "Connections that it takes", cursor.fetchone()[0])
