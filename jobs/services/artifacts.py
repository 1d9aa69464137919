"""Files that an attempt made: they come in pieces, are joined when all of it is here, and lie under their hash.

The storage may be S3, which cannot append: so each piece is an object of its own until then.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from jobs.limits import ARTIFACT_CHUNK_BYTES, ARTIFACT_TOTAL_BYTES, MAX_ARTIFACTS
from jobs.models import Artifact, Attempt
from jobs.services import intake
from jobs.services.errors import AgentRefused
from lemsite.lib.held import Held, hold

NAME = re.compile(r"[A-Za-z0-9_=+-][A-Za-z0-9._=+-]*(?:/[A-Za-z0-9_=+-][A-Za-z0-9._=+-]*)*", re.ASCII)
MAX_NAME = 300
JOINED_IN_MEMORY = 16 << 20
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Announced:
    """A file as its host announces it; a small one with all that is in it."""

    name: str
    size: int
    sha256: str
    content: bytes | None = None


def begin(*, attempt: Attempt, name: str, size: int, sha256: str) -> tuple[Artifact, bool]:
    """The row of a file, and whether it is new; said again, the same one, whose `received_bytes` is where to go on."""
    return begin_all(attempt=attempt, files=[Announced(name, size, sha256)])[0]


def begin_all(*, attempt: Attempt, files: Sequence[Announced]) -> list[tuple[Artifact, bool]]:
    """The same of several files, all or none. Those that come with their content are whole at once."""
    for one in files:
        _check(one)
    return [(settle(artifact), is_new) for artifact, is_new in _begin_all(attempt, files)]


def _check(told: Announced) -> None:
    if len(told.name) > MAX_NAME or not NAME.fullmatch(told.name):
        detail = "name: a relative path of letters, digits and ._=+-, no part of which begins with a dot."
        raise AgentRefused(422, "invalid", detail, fields={"name": "cannot be kept under this name"})
    if told.content is not None:
        found = len(told.content), hashlib.sha256(told.content).hexdigest()
        if found != (told.size, told.sha256):
            raise AgentRefused(422, "digest_mismatch", f"{told.name} is not what was announced: send it anew.")


@transaction.atomic
def _begin_all(attempt: Attempt, files: Sequence[Announced]) -> list[tuple[Artifact, bool]]:
    if any(one.content is not None for one in files):
        # What lies there already stays while this request relies on it.
        hold(Held.FILES, shared=True)
    attempt = intake.locked(attempt)
    known = {artifact.name: artifact for artifact in attempt.artifacts.all()}
    new: dict[str, Artifact] = {}
    for one in files:
        there = known.get(one.name)
        if there is None:
            known[one.name] = new[one.name] = _new(attempt, one)
        elif (there.sha256, there.size_bytes) != (one.sha256, one.size):
            raise AgentRefused(409, "other_digest", f"{one.name} was announced with another content.")
    if new:
        intake.refuse_closed(attempt)
        _refuse_too_much(known.values())
        for one in files:
            if one.content is not None and one.name in new:
                _put(new[one.name], ContentFile(one.content))
        Artifact.objects.bulk_create(new.values())
    return [(known[one.name], one.name in new) for one in files]


def _new(attempt: Attempt, told: Announced) -> Artifact:
    artifact = Artifact(attempt=attempt, name=told.name, size_bytes=told.size, sha256=told.sha256)
    if told.content is not None:
        artifact.received_bytes, artifact.completed_at = told.size, timezone.now()
    return artifact


def _refuse_too_much(artifacts: Collection[Artifact]) -> None:
    if len(artifacts) > MAX_ARTIFACTS:
        raise AgentRefused(413, "too_many", f"An attempt has at most {MAX_ARTIFACTS} files.")
    if sum(artifact.size_bytes for artifact in artifacts) > ARTIFACT_TOTAL_BYTES:
        raise AgentRefused(413, "too_large", f"The files of an attempt have at most {ARTIFACT_TOTAL_BYTES} bytes.")


def add_piece(*, artifact: Artifact, offset: int, content: bytes) -> Artifact:
    """Keep the next piece. Refused with 409 where it does not begin at what is here, with 422 where the whole is not
    what was announced; then it begins anew."""
    if len(content) > ARTIFACT_CHUNK_BYTES:
        raise AgentRefused(413, "too_large", f"Send at most {ARTIFACT_CHUNK_BYTES} bytes of a file at once.")
    return settle(_add_piece(artifact, offset, content))


@transaction.atomic
def _add_piece(artifact: Artifact, offset: int, content: bytes) -> Artifact:
    intake.refuse_closed(intake.locked(artifact.attempt))
    artifact = Artifact.objects.select_for_update().get(pk=artifact.pk)
    here = artifact.received_bytes
    if offset != here:
        raise AgentRefused(409, "wrong_offset", f"{here} bytes are here: go on from there.", offset=here)
    if here + len(content) > artifact.size_bytes:
        detail = f"The file was announced with {artifact.size_bytes} bytes; these are more."
        raise AgentRefused(413, "too_large", detail, offset=here)
    if content:
        _keep(artifact.piece_name(offset), content)
        artifact.received_bytes = here + len(content)
        artifact.save(update_fields=["received_bytes"])
    return artifact


def _keep(name: str, content: bytes) -> None:
    # What lies there is of a request that died before its row was written.
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


def settle(artifact: Artifact) -> Artifact:
    """Join the pieces once all are here; done twice, it does no harm."""
    if artifact.completed_at is not None or artifact.received_bytes < artifact.size_bytes:
        return artifact
    pieces = _pieces(artifact)
    try:
        is_right = _store(artifact, pieces)
    except FileNotFoundError:  # somebody else has just joined them, and cleared them away
        is_right = False
    if is_right:
        artifact.completed_at = timezone.now()
        artifact.save(update_fields=["completed_at"])
    _delete(artifact, pieces)
    if is_right or not Artifact.objects.filter(pk=artifact.pk, completed_at=None).update(received_bytes=0):
        artifact.refresh_from_db()
        return artifact
    raise AgentRefused(422, "digest_mismatch", f"{artifact.name} is not what was announced: send it anew.", offset=0)


def _store(artifact: Artifact, pieces: list[str]) -> bool:
    """Put the whole file where it belongs; False when it is not what was announced."""
    with tempfile.SpooledTemporaryFile(JOINED_IN_MEMORY) as joined:
        if _join(pieces, joined) != artifact.sha256:
            return False
        _put(artifact, File(joined))
    return True


def _put(artifact: Artifact, whole: File[bytes]) -> None:
    """Where it belongs, unless the same content lies there."""
    goal = artifact.storage_name
    if not default_storage.exists(goal):
        stored = default_storage.save(goal, whole)
        if stored != goal:  # the same content, stored by somebody else in the meantime
            default_storage.delete(stored)


def _pieces(artifact: Artifact) -> list[str]:
    if not artifact.size_bytes:
        return []
    folder = _folder(artifact)
    try:
        return [f"{folder}/{name}" for name in sorted(default_storage.listdir(folder)[1])]
    except FileNotFoundError:
        return []


def _join(pieces: list[str], joined: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for name in pieces:
        with default_storage.open(name) as piece:
            while part := piece.read(READ_BYTES):
                digest.update(part)
                joined.write(part)
    joined.seek(0)
    return digest.hexdigest()


def _delete(artifact: Artifact, pieces: list[str]) -> None:
    for name in pieces:
        default_storage.delete(name)
    if pieces:
        with suppress(OSError):  # somebody has just begun anew
            default_storage.delete(_folder(artifact))


def _folder(artifact: Artifact) -> str:
    return artifact.piece_name(0).rpartition("/")[0]


def open_artifact(artifact: Artifact) -> File[bytes]:
    """The whole file; only once it is complete."""
    return default_storage.open(artifact.storage_name)


def drop_stale(*, before: datetime) -> int:
    """Forget files that were begun before and never came whole; returns how many."""
    stale = list(Artifact.objects.filter(completed_at=None, created_at__lt=before))
    for artifact in stale:
        if artifact.received_bytes:
            _delete(artifact, _pieces(artifact))
        artifact.delete()
    return len(stale)
