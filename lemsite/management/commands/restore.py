from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lemsite.backups import BackupError
from lemsite.backups.manifest import find_snapshot
from lemsite.backups.restoring import Restored, check, restore

SHOWN = 5


class Command(BaseCommand):
    help = "Make this site what it was when a backup was made. Stop the site first."
    # The database may be empty, or of another version.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("source", type=Path, help="the TARGET of a backup (its newest snapshot), or one snapshot")
        parser.add_argument("--replace", action="store_true", help="even though the site is not empty; all of it goes")
        parser.add_argument("--dry-run", action="store_true", help="check all of it, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            snapshot = find_snapshot(options["source"])
            if options["dry_run"]:
                told = check(snapshot, replace=options["replace"])
                self.stdout.write(f"{snapshot}, made at {told.made_at} by lemsite {told.lemsite}, can be restored.")
                return
            self._tell(snapshot, restore(snapshot, replace=options["replace"]))
        except BackupError as error:
            raise CommandError(str(error)) from error

    def _tell(self, snapshot: Path, done: Restored) -> None:
        told = done.manifest
        self.stdout.write(
            f"Restored {snapshot.name}, made at {told.made_at} by lemsite {told.lemsite}: {sum(told.rows.values()):,} "
            f"rows and {done.files:,} files, each with its digest."
        )
        if done.migrated:
            self.stdout.write("The database was of an older version and has been migrated.")
        if done.deleted:
            self.stdout.write(f"{done.deleted:,} files that the backup does not have are gone.")
        if not done.has_same_key:
            self.stderr.write(
                "This site has another SECRET_KEY than the one that was backed up: everyone has to sign in again, and "
                "what was encrypted with it, such as the signing keys of webhooks, cannot be read. Put the former key "
                "into SECRET_KEY_FALLBACKS, and run `manage.py reconcile --requeue`."
            )
        for fault in told.faults[:SHOWN]:
            self.stderr.write(f"It was so when the backup was made: {fault}.")
        if done.broken:
            self.stderr.write(f"The audit found {len(done.broken)} faults: {'; '.join(done.broken[:SHOWN])}")
        else:
            self.stdout.write("The audit found nothing wrong.")
