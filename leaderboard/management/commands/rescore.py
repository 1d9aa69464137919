from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from leaderboard.services.rescoring import rescore_published


class Command(BaseCommand):
    help = "Check public results that an older check set judged; nothing public changes, what differs is reviewed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, help="stop after the submission with which this many are checked")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = rescore_published(limit=options["limit"])
        self.stdout.write(f"{counts.checked} results checked, {counts.reviews} wait for a moderator")
