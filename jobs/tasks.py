"""What runs in the background for jobs; every function is safe to run twice, and in several processes at once."""

from __future__ import annotations

from typing import NoReturn

from django.db import connections
from django_q.models import Schedule

from jobs.services import auditing, race_settling, reconciling, results

#: name -> (function, minutes between two runs)
SCHEDULES = {
    "jobs: reconcile the queue": ("jobs.tasks.reconcile", 1),
    "jobs: audit everything": ("jobs.tasks.audit", 24 * 60),
}


def gpu_ticket(job_id: int) -> NoReturn:
    """Stands in the tickets of the queue `gpu`, which GPU hosts claim over HTTP."""
    raise AssertionError(f"The ticket of job {job_id} was executed: no qcluster may serve the queue gpu.")


def reconcile() -> None:
    """Once a minute: make the queue agree with the jobs, and races with their lanes."""
    reconciling.reconcile()
    race_settling.settle_races()


def audit() -> None:
    """Once a day: whether all holds that the site promises of jobs, with every log and file read."""
    auditing.run_audit()


def import_result(job_id: int) -> None:
    """Make a submission of what a succeeded job brought."""
    results.import_result(job_id)


def ensure_schedules(using: str = "default") -> None:
    """After each migrate. Two schedules, should two processes migrate at once, do no more than one."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, (function, minutes) in SCHEDULES.items():
        if not Schedule.objects.using(using).filter(name=name).exists():
            Schedule.objects.using(using).create(
                name=name, func=function, schedule_type=Schedule.MINUTES, minutes=minutes
            )
