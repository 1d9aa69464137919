"""Seals what has ended without the time limit of a background task, for runs of many millions of events."""

import math
from typing import Any

from django.core.management.base import BaseCommand

from runs.tasks import seal_ended_runs


class Command(BaseCommand):
    help = "Seal the runs that have ended, as the background worker does every minute, however long it takes."

    def handle(self, *args: Any, **options: Any) -> None:
        seal_ended_runs(work_for_s=math.inf)
