"""Uploads of many files: kept in storage, read in the background, and made one draft of what can be read.

A task holds a batch by the time it last touched it. One that is not touched for LEASE is taken over by another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import NotificationKind, User
from accounts.services.bans import Banned, refuse_banned
from accounts.services.notifications import notify
from leaderboard.importers import ImportRefused, Refused
from leaderboard.models import BatchState, Licence, Submission, UploadBatch, Visibility
from leaderboard.services.quotas import lock_person
from leaderboard.services.reading import Reading, read_upload, validate_stated
from leaderboard.services.storing import files_with_rows
from leaderboard.services.submissions import SubmissionRefused, keep_reading, refuse_upload, submit
from lemsite.lib.archives import BadArchive, Entry, unpack_all

#: more files, or more bytes, than this are read in the background
MANY_FILES = 50
MANY_BYTES = 8 << 20
#: entries that the archives of one batch may hold
MAX_ENTRIES = 2000
#: a task that has not been heard of for so long is dead
LEASE = timedelta(seconds=90)
#: tried again for so long
GIVE_UP = timedelta(minutes=30)
TOUCH_EACH = timedelta(seconds=1)
#: batches of one person that wait or are being read
MAX_WAITING = 5
OPEN_STATES = (BatchState.WAITING, BatchState.READING)


class BatchLost(Exception):
    """Another task has taken the batch over, or its owner is gone."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What becomes of a batch that has been read."""

    provenance: str
    visibility: str = Visibility.DRAFT
    note: str = ""
    licence: str = Licence.CC_BY
    stated: Mapping[str, Any] = field(default_factory=dict)


def is_many(uploads: Sequence[tuple[str, BinaryIO]], entries: Sequence[Entry]) -> bool:
    return len(entries) > MANY_FILES or sum(_size(stream) for _, stream in uploads) > MANY_BYTES


def refuse_many(uploads: Sequence[tuple[str, BinaryIO]], entries: Sequence[Entry]) -> None:
    """Files that replace others are read while their owner waits, so they are few. Raises SubmissionRefused."""
    if is_many(uploads, entries):
        raise SubmissionRefused(
            f"At most {MANY_FILES} files and {MANY_BYTES >> 20} MiB can replace others at once: "
            "make a new upload of them, and withdraw this one when the new one is published.",
            field="file",
        )


def open_batch(
    *, owner: User, uploads: Sequence[tuple[str, BinaryIO]], files_total: int, options: BatchOptions
) -> UploadBatch:
    """Keep an upload and have it read in the background. Raises Banned, OverQuota, ImportRefused or SubmissionRefused.

    Content goes into the storage first: a row never names a file that is not there.
    """
    values = validate_stated(options.stated)
    batch = UploadBatch(
        owner=owner,
        provenance=options.provenance,
        visibility=options.visibility,
        note=options.note,
        licence=options.licence,
        stated=values,
        files_total=files_total,
    )
    with transaction.atomic():
        refuse_upload(owner, size_bytes=sum(_size(stream) for _, stream in uploads))
        if UploadBatch.objects.filter(owner=owner, state__in=OPEN_STATES).count() >= MAX_WAITING:
            raise SubmissionRefused(f"{MAX_WAITING} of your uploads are still being read: wait for one of them.")
        for place, (name, stream) in enumerate(uploads):
            stream.seek(0)
            stored_as = default_storage.save(f"batches/{batch.pk}/{place}", File(stream))
            batch.uploads.append({"name": name, "stored_as": stored_as, "size_bytes": _size(stream)})
        batch.save(force_insert=True)
        transaction.on_commit(partial(async_task, "leaderboard.tasks.read_batch", str(batch.pk)))
    return batch


def waiting_batches(now: datetime) -> QuerySet[UploadBatch]:
    """Those that no living task reads."""
    silent = Q(touched_at=None, created_at__lt=now - LEASE) | Q(touched_at__lt=now - LEASE)
    return UploadBatch.objects.filter(silent, state__in=OPEN_STATES)


def read_batch(batch_id: UUID) -> None:
    """Read one batch. Does nothing when it has been read, or another task is at it."""
    work = _Work.claim(batch_id)
    if work is None:
        return
    try:
        if timezone.now() - work.batch.created_at > GIVE_UP:
            raise BadArchive("It could not be read in time: split it into several uploads.")
        reading = _read(work)
        work.finish(reading)
    except (BadArchive, ImportRefused, SubmissionRefused, Banned) as error:
        work.fail(error)
    except BatchLost:
        return


class _Work:
    """One task's hold on a batch. Every write is conditional on nobody else having taken it over."""

    def __init__(self, batch: UploadBatch, touched_at: datetime) -> None:
        self.batch, self.touched_at = batch, touched_at
        self.refused: Refused = []
        self.done = 0

    @classmethod
    def claim(cls, batch_id: UUID) -> _Work | None:
        now = timezone.now()
        silent = Q(state=BatchState.WAITING) | Q(touched_at__lt=now - LEASE)
        free = UploadBatch.objects.filter(silent, pk=batch_id, state__in=OPEN_STATES)
        if not free.update(state=BatchState.READING, touched_at=now, files_done=0):
            return None
        return cls(UploadBatch.objects.select_related("owner").get(pk=batch_id), now)

    def step(self) -> None:
        """One file more has been parsed; said at most once a second."""
        self.done += 1
        if timezone.now() - self.touched_at >= TOUCH_EACH:
            self.write(files_done=min(self.done, self.batch.files_total))

    def write(self, **changes: Any) -> None:
        now = timezone.now()
        mine = UploadBatch.objects.filter(pk=self.batch.pk, state=BatchState.READING, touched_at=self.touched_at)
        if not mine.update(touched_at=now, **changes):
            raise BatchLost
        self.touched_at = now

    def finish(self, reading: Reading) -> None:
        """The draft, the list of what was refused, and the news of both stand or fall together."""
        held = self.touched_at
        try:
            with files_with_rows(reading.documents), transaction.atomic():
                self._store(reading)
        except Exception:
            self.touched_at = held
            raise

    def _store(self, reading: Reading) -> None:
        batch = self.batch
        lock_person(batch.owner)
        self.write()
        refuse_banned(batch.owner)
        if not reading.results:
            raise ImportRefused("No file of the upload could be used.", file="")
        submission = keep_reading(
            reading=reading,
            owner=batch.owner,
            provenance=batch.provenance,
            visibility=batch.visibility,
            note=batch.note,
            licence=batch.licence,
        )
        if batch.visibility == Visibility.PUBLIC and not reading.lacks_essentials:
            self._hand_in(submission)
        self._close(BatchState.DONE, submission)
        found = len(reading.results)
        self._tell(
            f"Your upload has been read: {found} result{'' if found == 1 else 's'}",
            f"{len(self.refused)} could not be used." if self.refused else "",
            reverse("leaderboard:batch", args=[batch.pk]),
        )

    @transaction.atomic
    def fail(self, error: Exception) -> None:
        file = error.file if isinstance(error, ImportRefused) else ""
        self.refused.append(ImportRefused(str(error), file=file))
        try:
            self._close(BatchState.FAILED, None)
        except BatchLost:
            return
        url = reverse("leaderboard:batch", args=[self.batch.pk])
        self._tell("Your upload could not be read", str(error), url)

    def _hand_in(self, submission: Submission) -> None:
        try:
            with transaction.atomic():
                submit(submission=submission, by=self.batch.owner, visibility=Visibility.PUBLIC)
        except SubmissionRefused as error:
            self.refused.append(ImportRefused(f"It stays a draft: {error.message}", file=""))

    def _close(self, state: BatchState, submission: Submission | None) -> None:
        self.write(
            state=state,
            submission=submission,
            files_done=self.batch.files_total,
            finished_at=timezone.now(),
            uploads=[],
            refused=[{"file": error.file, "message": error.message} for error in self.refused],
        )
        stored = [upload["stored_as"] for upload in self.batch.uploads]
        transaction.on_commit(partial(_drop, stored))

    def _tell(self, title: str, text: str, url: str) -> None:
        notify(to=[self.batch.owner], kind=NotificationKind.JOB, title=title, text=text, url=url)


def _read(work: _Work) -> Reading:
    batch = work.batch
    with ExitStack() as opened:
        files = [
            (upload["name"], cast(BinaryIO, opened.enter_context(default_storage.open(upload["stored_as"], "rb"))))
            for upload in batch.uploads
        ]
        entries = unpack_all(files, max_entries=MAX_ENTRIES)
    batch.files_total = len(entries)
    work.write(files_total=len(entries))
    return read_upload(
        entries,
        stated=batch.stated,
        provenance=batch.provenance,
        owner=batch.owner,
        refused=work.refused,
        on_file=work.step,
    )


def _drop(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _size(stream: BinaryIO) -> int:
    place = stream.tell()
    size = stream.seek(0, 2)
    stream.seek(place)
    return size


@transaction.atomic
def drop_batches(*, user: User) -> None:
    """Forget someone's batches and what was kept of them; the drafts made of them stay."""
    batches = UploadBatch.objects.filter(owner=user)
    stored = [upload["stored_as"] for uploads in batches.values_list("uploads", flat=True) for upload in uploads]
    batches.delete()
    transaction.on_commit(partial(_drop, stored))
