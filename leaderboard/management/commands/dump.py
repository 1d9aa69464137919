from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leaderboard.models import Dump
from leaderboard.services.dumps import DumpError, make_dump
from leaderboard.services.hugging_face import is_push_set, push_dump


class Command(BaseCommand):
    help = (
        "Write all public results into a Parquet file now, beside those of the nights, and push it where that is set."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--if-missing", action="store_true", help="only if today has no dump yet")
        parser.add_argument("--no-push", action="store_true", help="leave the Hugging Face dataset as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        today = f"{timezone.now():%Y-%m-%d}"
        if options["if_missing"] and Dump.objects.filter(version__startswith=today).exists():
            self.stdout.write(f"There is a dump of {today} already.")
            return
        try:
            dump = make_dump()
        except DumpError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{dump.version}: {dump.rows:,} rows, {dump.size_bytes:,} bytes, SHA-256 {dump.sha256}")
        if is_push_set() and not options["no_push"]:
            is_pushed = push_dump(dump)
            self.stdout.write("Pushed." if is_pushed else "Not pushed; /data/ and the log say why.")
