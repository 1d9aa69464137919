from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from lemsite.retention import prune


class Command(BaseCommand):
    help = "Let go what is not kept for ever (docs/backups.md); the background worker does it once a day."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what is due, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        done = prune(dry_run=options["dry_run"])
        for name, count in done.counts.items():
            self.stdout.write(f"{count:>10,}  {name}")
        self.stdout.write("Nothing was changed." if options["dry_run"] else "Gone.")
