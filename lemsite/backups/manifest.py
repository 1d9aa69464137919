"""What a backup consists of, as it stands in its manifest.json, with a digest of every part.

TARGET/files/ab/abcd…            every stored file once, under its SHA-256; shared by all snapshots
TARGET/snapshots/20261121T205000Z/
    manifest.json manifest.sha256  what this is, and of what
    database.sqlite3               or database.dump, of pg_dump
    files.jsonl                    a line for each stored file: name, size, SHA-256
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lemsite.backups import BackupError

FORMAT = 1
MANIFEST, CHECKSUM, FILES = "manifest.json", "manifest.sha256", "files.jsonl"
SNAPSHOTS, POOL = "snapshots", "files"
UNFINISHED = ".unfinished"
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a snapshot, beside its manifest."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the site's storage; its content lies in the pool."""

    name: str
    size: int
    sha256: str

    def pooled(self, target: Path) -> Path:
        return target / POOL / self.sha256[:2] / self.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot: of which version, when, and how much."""

    lemsite: str
    made_at: str
    #: sqlite or postgresql
    engine: str
    database: Part
    files: Part
    file_count: int
    file_bytes: int
    #: app -> names of the migrations that were applied
    migrations: Mapping[str, Sequence[str]]
    #: table -> rows
    rows: Mapping[str, int]
    #: tells whether another site has the same SECRET_KEY, and nothing else about it
    key_check: str
    #: what the database names and the storage did not have, or had with another content
    faults: Sequence[str] = field(default_factory=list)
    format: int = FORMAT


def part_of(path: Path) -> Part:
    return Part(path.name, path.stat().st_size, sha256_of(path))


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    (folder / CHECKSUM).write_text(f"{sha256_of(folder / MANIFEST)}  {MANIFEST}\n", encoding="ascii")


def read_manifest(folder: Path) -> Manifest:
    """Raises BackupError for what is no manifest, was changed, or is of a later format."""
    try:
        told = (folder / CHECKSUM).read_text(encoding="ascii").split()[:1]
        if told != [sha256_of(folder / MANIFEST)]:
            raise BackupError(f"{folder / MANIFEST} is not what its checksum says: the backup is damaged.")
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} holds no whole backup: {error}") from error
    if values.get("format") != FORMAT:
        found = values.get("format")
        raise BackupError(f"{folder} has format {found}; this version of lemsite reads format {FORMAT}.")
    parts: dict[str, Any] = {name: Part(**values.pop(name)) for name in ("database", "files")}
    return Manifest(**values, **parts)


def stored_files(folder: Path) -> Iterator[StoredFile]:
    with (folder / FILES).open(encoding="utf-8") as stream:
        for line in stream:
            yield StoredFile(**json.loads(line))


def snapshots(target: Path) -> list[Path]:
    """The finished ones, oldest first."""
    folder = target / SNAPSHOTS
    return sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file()) if folder.is_dir() else []


def find_snapshot(source: Path) -> Path:
    """The folder of a snapshot itself, or the newest of a target."""
    if (source / MANIFEST).is_file():
        return source
    if not (found := snapshots(source)):
        raise BackupError(f"{source} holds no backup; name the TARGET of `manage.py backup`, or one of its snapshots.")
    return found[-1]


def target_of(snapshot: Path) -> Path:
    return snapshot.resolve().parent.parent


def find_damage(snapshot: Path, manifest: Manifest) -> Iterator[str]:
    """What is not as the manifest says; every byte is read."""
    for part in (manifest.database, manifest.files):
        yield from _damage(snapshot / part.name, part.size, part.sha256)
    if not (snapshot / FILES).is_file() or sha256_of(snapshot / FILES) != manifest.files.sha256:
        return
    target, seen = target_of(snapshot), set()
    for file in stored_files(snapshot):
        if file.sha256 not in seen:
            seen.add(file.sha256)
            yield from _damage(file.pooled(target), file.size, file.sha256)


def _damage(path: Path, size: int, sha256: str) -> Iterator[str]:
    if not path.is_file():
        yield f"{path} is missing"
    elif path.stat().st_size != size:
        yield f"{path} has {path.stat().st_size:,} bytes, not {size:,}"
    elif sha256_of(path) != sha256:
        yield f"{path} has another content than it had"
