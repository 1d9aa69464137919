"""What happens without a visitor: the worker, its schedules, what failed, what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Min
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Task

from accounts import tasks as accounts_tasks
from jobs import tasks as jobs_tasks
from jobs.models import Agent
from jobs.queries.looked_at import latest_audit
from leaderboard import tasks as leaderboard_tasks
from leaderboard.models import Dump
from lemsite import tasks as own_tasks
from lemsite.backups import recorded
from lemsite.doctor import Ill, check, warn
from runs import tasks as runs_tasks

#: some schedules run every minute: without a task that ended for so long, there is no worker
WORKER_SILENT = timedelta(minutes=5)
TASK_LATE = timedelta(minutes=2)
AUDIT_LATE = timedelta(hours=26)
DAY = timedelta(days=1)


def wanted_schedules() -> set[str]:
    """The names of all schedules that `migrate` makes."""
    modules = (accounts_tasks, jobs_tasks, leaderboard_tasks, own_tasks, runs_tasks)
    named = {name for module in modules for name in getattr(module, "SCHEDULES", ())}
    return named | {name for module in modules if isinstance(name := getattr(module, "SCHEDULE", None), str)}


@check("schedules")
def schedules() -> Iterator[Ill]:
    missing = sorted(wanted_schedules() - set(Schedule.objects.values_list("name", flat=True)))
    if missing:
        yield Ill(
            f"{len(missing)} schedules are missing: {'; '.join(missing[:3])}.",
            "what they do never happens",
            "Run: manage.py migrate, which makes them again.",
        )


@check("worker")
def worker() -> Iterator[Ill]:
    now = timezone.now()
    mine = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=now - TASK_LATE)
    since = mine.aggregate(since=Min("lock"))["since"]
    last = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    if since is not None:
        yield Ill(
            f"A background task has been due for {int((now - since).total_seconds())} s.",
            "e-mails, webhooks and uploads of many files wait behind it",
            "Start the worker (manage.py serve has one, else manage.py qworker); if it runs, look for its errors.",
        )
    elif last is None or now - last > WORKER_SILENT:
        ago = "ever" if last is None else f"since {last:%Y-%m-%d %H:%M} UTC"
        yield Ill(
            f"No background task has ended {ago}.",
            "without a worker, nothing is sent, sealed or audited",
            "Start the worker: manage.py serve has one, else manage.py qworker.",
        )


@check("failed_tasks")
def failed_tasks() -> Iterator[Ill]:
    failed = Counter(Failure.objects.filter(stopped__gte=timezone.now() - DAY).values_list("func", flat=True))
    if failed:
        function, times = failed.most_common(1)[0]
        yield warn(
            f"{failed.total()} background tasks failed in the last day, {function} {times} times.",
            "what they were to do is not done",
            "Read their errors in the admin, under Failed tasks.",
        )


@check("audit")
def audit() -> Iterator[Ill]:
    latest = latest_audit()
    if latest is not None and latest.broken:
        rules = ", ".join(str(one.get("code", "")) for one in latest.broken)
        yield Ill(
            f"The audit of {latest.ended_at:%Y-%m-%d %H:%M} UTC found broken rules: {rules}.",
            "jobs, logs or files are not what the site promises",
            "Read /status/ and docs/agent-protocol.md; keep the database as it is until you know why.",
        )
    elif latest is not None and timezone.now() - latest.ended_at > AUDIT_LATE:
        yield warn(
            f"The last audit was on {latest.ended_at:%Y-%m-%d %H:%M} UTC.",
            "a loss would not be noticed",
            "Look why the worker does not run: manage.py doctor worker failed_tasks",
        )


@check("backup")
def backup() -> Iterator[Ill]:
    if not settings.PRODUCTION:
        return
    last = recorded.latest()
    if last is None:
        yield warn(
            "No backup has been made by manage.py backup.",
            "with its disk everything would be lost",
            "Run it every night, by cron or a timer: manage.py backup /srv/backups/lemsite --keep 14 --verify",
        )
    elif timezone.now() - last.made_at > recorded.LATE:
        yield warn(
            f"The last whole backup is of {last.made_at:%Y-%m-%d %H:%M} UTC, in {last.folder}.",
            "what came since would be lost with its disk",
            "Run by hand what your timer runs, manage.py backup, and read what it says; then look at the timer's log.",
        )


@check("dataset")
def dataset() -> Iterator[Ill]:
    latest = Dump.objects.first()
    if settings.HF_DATASET and latest is not None and latest.push_error:
        yield warn(
            f"The dump {latest.version} could not be pushed to {settings.HF_DATASET}: {latest.push_error[:120]}",
            "the dataset is out of date",
            "Look at HF_TOKEN (may it write there?) and HF_DATASET.",
        )


@check("simulated_hosts")
def simulated_hosts() -> Iterator[Ill]:
    names = list(Agent.objects.filter(is_simulated=True, retired_at=None).values_list("name", flat=True)[:5])
    if settings.PRODUCTION and names:
        yield warn(
            f"Simulated GPU hosts are enrolled: {', '.join(names)}.",
            "jobs of visitors end as made-up figures, which are never ranked",
            "Retire them on /agents/.",
        )
