from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.queries.audit import audit


class Command(BaseCommand):
    help = "Check what must hold of all jobs, logs and files whatever has failed; exits with 1 when something does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quick", action="store_true", help="rows alone: do not read logs and files")

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit(deep=not options["quick"])
        for invariant in found:
            self.stdout.write(f"{invariant.code:5}{'holds ' if invariant.holds else 'BROKEN'}  {invariant.rule}")
            for sentence in invariant.broken:
                self.stdout.write(f"      {sentence}")
        broken = [invariant.code for invariant in found if not invariant.holds]
        if broken:
            raise CommandError(f"broken: {', '.join(broken)}")
        self.stdout.write("All of them hold.")
