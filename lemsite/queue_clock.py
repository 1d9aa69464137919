"""Puts the background queue right after the clock went back: what was to run soon would wait for as long as it went."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django_q.models import OrmQ, Schedule

logger = logging.getLogger(__name__)

SLACK = timedelta(minutes=1)


def put_right(now: datetime) -> int:
    """Make due what lies further ahead than anything is ever put off; returns how much that was.

    A task that runs at this moment may be begun a second time by it: every task is safe to run twice.
    """
    locked_for = timedelta(seconds=settings.Q_CLUSTER["retry"]) + SLACK
    tasks = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__gt=now + locked_for).update(lock=now)
    late = [
        schedule.pk
        for schedule in Schedule.objects.filter(schedule_type=Schedule.MINUTES, next_run__gt=now + SLACK)
        if schedule.next_run > now + timedelta(minutes=schedule.minutes or 0) + SLACK
    ]
    schedules = Schedule.objects.filter(pk__in=late).update(next_run=now)
    found: int = tasks + schedules
    if found:
        logger.warning("The clock went back: %s tasks and %s schedules were made due", tasks, schedules)
    return found
