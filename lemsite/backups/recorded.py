"""When the last whole backup was made, as the database of the site tells: backups may lie on another machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from lemsite.backups.making import Made
from lemsite.models import Backup

#: one a night, and one night that it failed
LATE = timedelta(days=2)
_ONLY = 1


def record(made: Made, *, was_read_back: bool) -> None:
    """Only of a backup that lacks nothing. It is not in that backup itself, but in the next."""
    manifest = made.manifest
    told = {
        "made_at": datetime.fromisoformat(manifest.made_at),
        "folder": str(made.folder.resolve()),
        "size_bytes": manifest.database.size + manifest.files.size + manifest.file_bytes,
        "was_read_back": was_read_back,
    }
    Backup.objects.update_or_create(pk=_ONLY, defaults=told)


def latest() -> Backup | None:
    return Backup.objects.first()
