"""What runs in the background for the site as a whole; safe to run twice, and in several processes at once."""

from __future__ import annotations

import logging

from django.db import connections
from django_q.models import Schedule
from django_q.tasks import async_task

from lemsite import retention

logger = logging.getLogger(__name__)

SCHEDULE = "lemsite: let go what is not kept for ever"


def prune() -> dict[str, int]:
    """Once a day. What there is no time for goes with a task of its own; the counts are the task's outcome."""
    done = retention.prune(work_for_s=retention.WORK_FOR_S)
    counts = {name: count for name, count in done.counts.items() if count}
    logger.info("Let go what is not kept for ever: %s", counts or "nothing")
    if done.is_unfinished:
        async_task("lemsite.tasks.prune")
    return counts


def ensure_schedules(using: str = "default") -> None:
    """After each migrate. Two schedules, should two processes migrate at once, do no more than one."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    if not Schedule.objects.using(using).filter(name=SCHEDULE).exists():
        Schedule.objects.using(using).create(
            name=SCHEDULE, func="lemsite.tasks.prune", schedule_type=Schedule.MINUTES, minutes=24 * 60
        )
