from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from lemsite.backups import BackupError
from lemsite.backups.making import Made, make_backup, verify
from lemsite.backups.recorded import record


class Command(BaseCommand):
    help = "Copy the database and all stored files into a folder; run again, only what is new is copied."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("target", type=Path, help="a folder, made when it is not there")
        parser.add_argument("--keep", type=int, help="let all but the newest so many snapshots go")
        parser.add_argument("--verify", action="store_true", help="read all of it back afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] is not None and options["keep"] < 1:
            raise CommandError("--keep: at least 1.")
        try:
            made = make_backup(options["target"], keep=options["keep"])
            if options["verify"]:
                verify(made.folder)
        except BackupError as error:
            raise CommandError(str(error)) from error
        told = made.manifest
        rows = sum(told.rows.values())
        self.stdout.write(
            f"{made.folder}: {rows:,} rows of {told.engine}, {told.file_count:,} files of {told.file_bytes:,} bytes, "
            f"{made.copied:,} of them new{'; read back and whole' if options['verify'] else ''}."
        )
        if made.deleted:
            self.stdout.write(f"{made.deleted} older snapshots are gone.")
        if told.faults:
            raise CommandError(
                f"The backup is made, but {len(told.faults)} files that the database names could not be saved: "
                f"{'; '.join(told.faults[:5])}."
            )
        self._record(made, was_read_back=options["verify"])

    def _record(self, made: Made, *, was_read_back: bool) -> None:
        """The backup is there whatever becomes of the note: one may be made before a new release migrates."""
        try:
            record(made, was_read_back=was_read_back)
        except DatabaseError as error:
            self.stderr.write(f"The site could not take note of it: {str(error).strip()}")
