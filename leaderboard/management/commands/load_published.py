from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from leaderboard.services.published import load_published


class Command(BaseCommand):
    help = "Load the published figures that come with the site; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_published()} published figures are ranked")
