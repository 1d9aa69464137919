"""Bringing a backup back. All of it is checked before anything of the site is touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from jobs.queries.audit import audit
from lemsite.backups import BackupError, databases, stored
from lemsite.backups.making import key_check, verify
from lemsite.backups.manifest import Manifest, StoredFile, read_manifest, stored_files, target_of

#: a site in which one of these has a row is in use
MAIN = (
    "accounts.User",
    "leaderboard.Submission",
    "leaderboard.UploadBatch",
    "leaderboard.Dump",
    "runs.Run",
    "jobs.Job",
    "jobs.Agent",
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now."""

    manifest: Manifest
    files: int
    deleted: int
    migrated: bool
    #: of the site's own audit; they may have been broken when the backup was made
    broken: tuple[str, ...]
    has_same_key: bool


def check(snapshot: Path, *, replace: bool) -> Manifest:
    """Whether this backup may and can become this site; reads all of it, and changes nothing. Raises BackupError."""
    manifest = read_manifest(snapshot)
    _refuse_other_kind(manifest)
    if not replace and (found := _in_use()):
        raise BackupError(
            f"This site is not empty: it has {found}. Restore into a fresh one, or say --replace: "
            "then everything that is there now is gone."
        )
    verify(snapshot)
    return manifest


def restore(snapshot: Path, *, replace: bool = False) -> Restored:
    """Make this site what it was. Raises BackupError.

    First the files that are not there, then the database in one transaction, then those that take another's place:
    until the database has come back, the site is what it was, with some files more.
    """
    manifest = check(snapshot, replace=replace)
    files, target = list(stored_files(snapshot)), target_of(snapshot)
    new = [file for file in files if not default_storage.exists(file.name)]
    _put_files(new, target)
    migrated = _put_database(snapshot, manifest)
    _put_files(_changed(set(files) - set(new)), target)
    deleted = _delete_others({file.name for file in files})
    _check_files(set(manifest.faults))
    broken = tuple(f"{rule.code}: {sentence}" for rule in audit() for sentence in rule.broken)
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    has_same_key = manifest.key_check in {key_check(key) for key in keys}
    return Restored(manifest, len(files), deleted, migrated, broken, has_same_key)


def _check_files(known_faults: set[str]) -> None:
    """Every file that the database names, read again from the storage."""
    found = {name: stored.stored_sha256(name) for name in stored.all_names()}
    lost = set(stored.missing_or_changed(found, stored.named_files("default"))) - known_faults
    if lost:
        raise BackupError(f"The site is restored, but {len(lost)} files are not right: {'; '.join(sorted(lost)[:5])}.")


def _refuse_other_kind(manifest: Manifest) -> None:
    here = databases.engine()
    if manifest.engine != here:
        raise BackupError(
            f"The backup is of {manifest.engine}, and this site has {here}: set DATABASE_URL to a {manifest.engine} "
            "database."
        )
    ours = set(_migrations())
    unknown = [
        f"{app}.{name}"
        for app, names in manifest.migrations.items()
        for name in names
        if (app, name) not in ours and app in {config.label for config in apps.get_app_configs()}
    ]
    if unknown:
        raise BackupError(
            f"The backup is of lemsite {manifest.lemsite}, whose migrations {', '.join(unknown[:3])} this version does "
            "not have: install that version or a later one."
        )


def _in_use() -> str:
    tables = set(connection.introspection.table_names())
    for label in MAIN:
        model = apps.get_model(label)
        if model._meta.db_table in tables and (count := model._default_manager.count()):
            return f"{count:,} {model._meta.verbose_name_plural}"
    return "stored files" if next(stored.all_names(), None) else ""


def _put_files(files: Iterable[StoredFile], target: Path) -> None:
    for file in files:
        with file.pooled(target).open("rb") as stream:
            saved = default_storage.save(file.name, File(stream))
        if saved != file.name:
            default_storage.delete(saved)
            raise BackupError(f"Somebody else has written {file.name} meanwhile: stop the site first.")


def _changed(files: Iterable[StoredFile]) -> Iterator[StoredFile]:
    """Those that the storage has with another content, which is deleted."""
    for file in files:
        is_same = default_storage.size(file.name) == file.size and stored.stored_sha256(file.name) == file.sha256
        if not is_same:
            default_storage.delete(file.name)
            yield file


def _put_database(snapshot: Path, manifest: Manifest) -> bool:
    """The database, and the migrations that it lacks; whether it lacked any."""
    saved = snapshot / manifest.database.name
    if databases.engine() == "postgresql":
        databases.put_back_postgresql(saved)
        _compare_rows(manifest.rows, "default")
        return _migrate("default")
    with tempfile.TemporaryDirectory(dir=settings.LEMSITE_HOME, prefix="restore-") as work:
        copy = Path(work) / saved.name
        shutil.copyfile(saved, copy)
        with databases.opened_sqlite(copy) as alias:
            _compare_rows(manifest.rows, alias)
            is_behind = _migrate(alias)
        databases.put_back_sqlite(copy)
    return is_behind


def _migrate(using: str) -> bool:
    """Run the migrations that a database lacks; whether it lacked any."""
    applied = {(app, name) for app, names in databases.applied_migrations(using).items() for name in names}
    is_behind = not set(_migrations()) <= applied
    if is_behind:
        databases.migrate(using)
    return is_behind


def _migrations() -> Iterable[tuple[str, str]]:
    """All that this version has."""
    found: Iterable[tuple[str, str]] = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return found


def _compare_rows(told: Mapping[str, int], using: str) -> None:
    found = databases.row_counts(using)
    if wrong := [name for name, count in told.items() if found.get(name, count) != count]:
        raise BackupError(f"{', '.join(wrong)}: not as many rows as when the backup was made.")


def _delete_others(wanted: set[str]) -> int:
    others = [name for name in stored.all_names() if name not in wanted]
    for name in others:
        default_storage.delete(name)
    return len(others)
