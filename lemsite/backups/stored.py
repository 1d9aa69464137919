"""The files of the site: which ones the database names, and which ones the storage has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.files.storage import default_storage

from jobs.models import Artifact
from leaderboard.models import Dump, RawFile, UploadBatch
from leaderboard.models.submission import storage_name
from leaderboard.services.dumps import schema_name
from lemsite.backups.manifest import READ_BYTES
from lemsite.lib import file_storage
from runs.models import Run
from runs.sealing import names_of


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a row names; the digest only where the row has it."""

    name: str
    sha256: str = ""


def named_files(using: str) -> Iterator[Named]:
    """All that the rows of a database need to be in the storage."""
    raw = RawFile.objects.using(using).order_by().values_list("sha256", flat=True).distinct()
    for sha256 in raw.iterator():
        yield Named(storage_name(sha256), sha256)
    whole = Artifact.objects.using(using).exclude(completed_at=None)
    for sha256 in whole.order_by().values_list("sha256", flat=True).distinct().iterator():
        yield Named(Artifact(sha256=sha256).storage_name, sha256)
    for run in Run.objects.using(using).filter(sealed_seq__gt=0).only("pk", "sealed_seq").iterator():
        yield from (Named(name) for name in names_of(run))
    for dump in Dump.objects.using(using).iterator():
        yield Named(dump.file, dump.sha256)
        yield from (Named(name) for name in (dump.card, schema_name(dump)))
    for uploads in UploadBatch.objects.using(using).values_list("uploads", flat=True).iterator():
        yield from (Named(upload["stored_as"]) for upload in uploads)


def all_names(folder: str = "") -> Iterator[str]:
    """Every file of the storage, those that are being written left out."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (prefix + name for name in sorted(names))
    for name in sorted(folders):
        if prefix + name != file_storage.UNFINISHED:
            yield from all_names(prefix + name)


def copy_out(name: str, path: Path) -> tuple[int, str]:
    """A stored file into a file of this machine: its size and SHA-256. Raises FileNotFoundError."""
    digest, size = hashlib.sha256(), 0
    with default_storage.open(name, "rb") as stored, path.open("wb") as copy:
        while part := stored.read(READ_BYTES):
            digest.update(part)
            size += copy.write(part)
    return size, digest.hexdigest()


def stored_sha256(name: str) -> str:
    """Raises FileNotFoundError."""
    digest = hashlib.sha256()
    with default_storage.open(name, "rb") as stored:
        while part := stored.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def missing_or_changed(known: Mapping[str, str], named: Iterable[Named]) -> list[str]:
    """Which of the named files `known`, names and their digests, has not or has otherwise."""
    found = []
    for file in named:
        if file.name not in known:
            found.append(f"{file.name} is not in the storage")
        elif file.sha256 and known[file.name] != file.sha256:
            found.append(f"{file.name} has another content than its row says")
    return found
