from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from leaderboard.services.answers import load_answers
from leaderboard.services.catalogue import load_catalogue


class Command(BaseCommand):
    help = "Bring hardware, models and backends up to the data files; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = load_catalogue()
        if answers := load_answers():
            counts["canned answers"] = answers
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))
