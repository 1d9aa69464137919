"""Making a backup. The database is copied first, so that every file it names is there when the files are."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lemsite import __version__
from lemsite.backups import BackupError, databases, stored
from lemsite.backups.manifest import (
    FILES,
    POOL,
    SNAPSHOTS,
    UNFINISHED,
    Manifest,
    StoredFile,
    find_damage,
    part_of,
    read_manifest,
    snapshots,
    stored_files,
    write_manifest,
)

#: folders whose files never change under their name: what is known of them need not be read again
IMMUTABLE = ("runs/", "dumps/")
#: a file that the copy of the database names may be deleted before it is copied; then both are taken once more
TRIES = 3
DAY_AND_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, and how much of it was new."""

    folder: Path
    manifest: Manifest
    copied: int
    deleted: int


def make_backup(target: Path, *, keep: int | None = None, now: datetime | None = None) -> Made:
    """Add a snapshot to `target`; what it has of earlier ones is not copied again. Raises BackupError."""
    name = f"{now or timezone.now():{DAY_AND_TIME}}"
    with _held(target) as folder:
        goal = folder / SNAPSHOTS / name
        if goal.exists():
            raise BackupError(f"{goal} is there already: another backup was made in this second.")
        manifest, copied = _attempt(folder, name)
        for _ in range(TRIES - 1):
            if not manifest.faults:
                break
            missed = manifest.faults
            manifest, more = _attempt(folder, name)
            copied += more
            if manifest.faults == missed:  # lost for good
                break
        (folder / SNAPSHOTS / f"{UNFINISHED}-{name}").rename(goal)
        deleted = prune(folder, keep) if keep else 0
    return Made(goal, manifest, copied, deleted)


def verify(snapshot: Path) -> None:
    """Read a backup back, every byte. Raises BackupError."""
    if damage := list(find_damage(snapshot, read_manifest(snapshot))):
        shown = "; ".join(damage[:5])
        raise BackupError(f"{snapshot} is damaged in {len(damage)} places: {shown}.")


def prune(target: Path, keep: int) -> int:
    """Let all but the newest snapshots go, and the files that only they had; returns how many snapshots."""
    every = snapshots(target)
    old = every[: max(len(every) - max(keep, 1), 0)]
    for snapshot in old:
        shutil.rmtree(snapshot)
    needed = {file.sha256 for snapshot in snapshots(target) for file in stored_files(snapshot)}
    for path in (target / POOL).glob("??/*"):
        if path.name not in needed:
            path.unlink()
    return len(old)


def key_check(key: str) -> str:
    """Tells two keys apart and nothing else: 64 bits of an HMAC."""
    return salted_hmac("lemsite.backups", "key check", secret=key).hexdigest()[:16]


@contextmanager
def _held(target: Path) -> Iterator[Path]:
    """The folder, for this process alone; readable by its owner only, as it holds addresses and hashes."""
    try:
        for folder in (target, target / SNAPSHOTS, target / POOL):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (target / ".lock").open("w")
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being made into {target}.") from None
        for left in (target / SNAPSHOTS).glob(f"{UNFINISHED}-*"):
            shutil.rmtree(left)
        yield target


def _attempt(target: Path, name: str) -> tuple[Manifest, int]:
    """One copy of the database and of the files; what the first names and the second lacks is in `faults`."""
    work = target / SNAPSHOTS / f"{UNFINISHED}-{name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    made_at = timezone.now()
    database = work / databases.NAMES[databases.engine()]
    with databases.snapshot(database) as alias:
        rows, migrations = databases.row_counts(alias), databases.applied_migrations(alias)
        named = list(stored.named_files(alias))
    files, copied = _copy_files(target, work)
    known = {file.name: file.sha256 for file in files}
    manifest = Manifest(
        lemsite=__version__,
        made_at=made_at.isoformat(),
        engine=databases.engine(),
        database=part_of(database),
        files=part_of(work / FILES),
        file_count=len(files),
        file_bytes=sum(file.size for file in files),
        migrations=migrations,
        rows=rows,
        key_check=key_check(settings.SECRET_KEY),
        faults=stored.missing_or_changed(known, named),
    )
    write_manifest(work, manifest)
    return manifest, copied


def _copy_files(target: Path, work: Path) -> tuple[list[StoredFile], int]:
    known, files, copied = _known(target), [], 0
    for name in stored.all_names():
        found = _pooled(target, name, known)
        if found is None:
            try:
                found = _copy(target, name, work / "copy")
            except (FileNotFoundError, IsADirectoryError):  # deleted meanwhile; the caller knows whether it is missed
                continue
            copied += 1
        files.append(found)
    with (work / FILES).open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(file)) + "\n" for file in files)
    return files, copied


def _known(target: Path) -> Mapping[str, StoredFile]:
    """What the newest snapshot says of files that never change under their name."""
    every = snapshots(target)
    return {file.name: file for file in stored_files(every[-1]) if file.name.startswith(IMMUTABLE)} if every else {}


def _pooled(target: Path, name: str, known: Mapping[str, StoredFile]) -> StoredFile | None:
    """The file as it lies in the pool already, if it is sure to be the same."""
    sha256 = known[name].sha256 if name in known else name.rpartition("/")[2]
    if len(sha256) != 64:
        return None
    pooled = StoredFile(name, 0, sha256).pooled(target)
    try:
        size = default_storage.size(name)
    except FileNotFoundError:
        return None
    is_there = pooled.is_file() and pooled.stat().st_size == size
    return StoredFile(name, size, sha256) if is_there else None


def _copy(target: Path, name: str, path: Path) -> StoredFile:
    size, sha256 = stored.copy_out(name, path)
    file = StoredFile(name, size, sha256)
    goal = file.pooled(target)
    goal.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    path.rename(goal)
    return file
