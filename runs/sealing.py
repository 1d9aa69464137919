"""Runs that are over become a file: all events as Parquet, the charts' series as JSON, the lanes' closing state.

An attempt writes files of its own name, checks them, and switches the run to them in one short statement; only then,
after a minute, do the rows and the older files go. So a crash at any point leaves the run as it was or as it will be,
and a reader that began before the switch still finds what it was about to read (docs/adr/0006-sealed-runs.md).
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import orjson
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from lemsite.lib.giving_way import giving_way
from runs.models import ProgressEvent, Run
from runs.series import FIELDS, Extent, SeriesBuilder
from runs.snapshot import LaneState, closing, fold

if TYPE_CHECKING:
    import pyarrow as pa

    from runs.event_file import EventFile

#: a run without an event for so long has ended, and late events are sealed after as long a silence
SILENCE = timedelta(minutes=10)
#: a sealed run that still gets events is sealed again after so long, whether they stop or not
RESTLESS = timedelta(days=1)
#: readers know a run's `sealed_seq` for less than this before they read
GRACE = timedelta(minutes=1)
#: a run that has been sealed for so long has been swept many times
SWEPT_FOR = timedelta(days=7)
#: rows deleted in one transaction: senders of other runs wait for it on SQLite
DELETED_TOGETHER = 5_000
READ_TOGETHER = 25_000
#: how far back the charts of a run that is not sealed yet go
MAX_UNSEALED = 100_000


class SealingError(Exception):
    """The stored file does not hold what the table holds."""


@dataclass(slots=True)
class Attempt:
    """One try to seal a run: events up to `seq`, those up to `base` from the older file."""

    run: Run
    base: int
    seq: int
    #: late events whose id the older file has
    repeated: set[str] = field(default_factory=set)
    #: rows left out for it
    left_out: int = 0

    @property
    def rows(self) -> QuerySet[ProgressEvent]:
        return ProgressEvent.objects.filter(run=self.run, seq__gt=self.base, seq__lte=self.seq)


def due_runs(now: datetime) -> QuerySet[Run]:
    """Runs that have ended and are not sealed, and sealed ones whose late events have come to rest, or never do."""
    quiet = now - SILENCE
    first = Q(sealed_seq=0, ended_at__isnull=False)
    late = Q(sealed_seq__gt=0, last_event_at__lt=quiet, sealed_at__lt=quiet)
    restless = Q(sealed_seq__gt=0, sealed_at__lt=now - RESTLESS)
    return Run.objects.filter(first | late | restless, last_seq__gt=F("sealed_seq")).order_by("ended_at", "pk")


def seal(run: Run) -> bool:
    """Move the events committed so far into a file; those that come later stay in the table until the next time.

    False where there is nothing to move, or another process was quicker. Raises SealingError, and changes nothing.
    """
    attempt = _begin(run)
    if attempt is None:
        return False
    try:
        snapshot = _store_files(attempt)
    except BaseException:
        _withdraw(attempt)
        raise
    # A switch that raises may have been committed: the files stay, and `sweep` deletes them if they are nobody's.
    if not _switch(attempt, snapshot):
        _withdraw(attempt)
        return False
    return True


def unswept_runs(now: datetime) -> QuerySet[Run]:
    """Sealed runs whose rows are still there, once nobody reads them any more."""
    rows = ProgressEvent.objects.filter(run=OuterRef("pk"), seq__lte=OuterRef("sealed_seq"))
    return Run.objects.filter(Exists(rows), sealed_at__gt=now - SWEPT_FOR, sealed_at__lt=now - GRACE)


def sweep(run: Run, *, until: float = math.inf) -> None:
    """Delete older files of a sealed run, and the rows that its file holds; `until` on time.monotonic's clock."""
    _delete_files(name for seq, name in _stored_files(run.pk) if seq < run.sealed_seq)
    rows = ProgressEvent.objects.filter(run=run, seq__lte=run.sealed_seq)
    while time.monotonic() < until and (first := rows.aggregate(first=Min("seq"))["first"]) is not None:
        with giving_way():
            rows.filter(seq__lt=first + DELETED_TOGETHER).delete()


def forget(run: Run) -> None:
    """Delete a run and all that is of it: the row before the files, so that no page names a file that is gone."""
    names = [name for _, name in _stored_files(run.pk)]
    run.delete()
    _delete_files(names)


def sealed_events(run: Run, after_seq: int, limit: int) -> list[tuple[int, str]]:
    """(seq, text) of sealed events behind `after_seq`, in order of seq; reads only the row groups they are in."""
    with open_events(run) as events:
        return list(islice(events.texts(after_seq), limit)) if events else []


def newest_sealed_events(run: Run, limit: int) -> list[tuple[int, str]]:
    """(seq, text) of the last sealed events, in order of seq."""
    with open_events(run) as events:
        return events.newest_texts(limit) if events else []


def stored_series(run: Run) -> dict[str, Any] | None:
    """What SeriesBuilder.stored gave when the run was sealed; None for a run that is not."""
    if not run.sealed_seq:
        return None
    with _opened(run, _series_name) as stream:
        found: dict[str, Any] = orjson.loads(stream.read())
    return found


def unsealed_series(run: Run) -> dict[str, Any]:
    """The same form for a run that is not sealed, from its newest 100,000 events."""
    from runs.event_file import table_of

    newest = Attempt(run, max(run.last_seq - MAX_UNSEALED, 0), run.last_seq)
    builder = SeriesBuilder(_extent(newest.rows, None), [lane.name for lane in run.lanes.all()])
    for batch in _row_batches(newest):
        _chart(builder, table_of(batch, is_simulated=run.is_simulated))
    return builder.stored()


def write_unsealed(run: Run, stream: IO[bytes]) -> None:
    """The Parquet file of a run that is not sealed, from the table; the stream is left at its start."""
    _write(Attempt(run, 0, run.last_seq), None, stream)
    stream.seek(0)


def names_of(run: Run) -> tuple[str, str]:
    """Where the files of a sealed run lie."""
    return _events_name(run.pk, run.sealed_seq), _series_name(run.pk, run.sealed_seq)


def open_stored_file(run: Run) -> File[bytes]:
    """The Parquet file of a sealed run, for whoever takes it whole."""
    return _opened(run, _events_name)


@contextmanager
def open_events(run: Run) -> Iterator[EventFile | None]:
    """The file of a sealed run for reading in parts; None for a run that is not sealed."""
    # Arrow takes a tenth of a second and 60 MB to load: only a process that reads sealed events pays for it.
    from runs.event_file import EventFile

    if not run.sealed_seq:
        yield None
        return
    with _opened(run, _events_name) as stream:
        yield EventFile(stream)


def _begin(run: Run) -> Attempt | None:
    """Take a seq for the attempt itself: no two attempts share a file name, and all before it is committed."""
    if not ProgressEvent.objects.filter(run=run, seq__gt=F("run__sealed_seq")).exists():
        return None
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(last_seq=F("last_seq") + 1)
        found = Run.objects.get(pk=run.pk)
    return Attempt(found, found.sealed_seq, found.last_seq)


def _store_files(attempt: Attempt) -> dict[str, Any]:
    """Both files in the storage, the events compared with the table; returns the lanes' closing state."""
    run = attempt.run
    with open_events(run) as older, tempfile.TemporaryFile() as stream:
        if older is not None:
            ids = attempt.rows.filter(event_id__isnull=False).order_by("seq").values_list("event_id", flat=True)
            attempt.repeated = set(older.known_ids(str(one) for one in ids.iterator(chunk_size=READ_TOGETHER)))
        builder, states = _write(attempt, older, stream)
        expected = attempt.rows.count() - attempt.left_out + (older.count if older else 0)
        _save(_events_name(run.pk, attempt.seq), File(stream))
    _verify(attempt, expected)
    _save(_series_name(run.pk, attempt.seq), ContentFile(orjson.dumps(builder.stored())))
    return closing(states)


def _write(attempt: Attempt, older: EventFile | None, stream: IO[bytes]) -> tuple[SeriesBuilder, list[LaneState]]:
    """One pass over all events: into the file, into the series and into the state of the lanes."""
    from runs.event_file import writer

    lanes = list(attempt.run.lanes.all())
    builder = SeriesBuilder(_extent(attempt.rows, older), [lane.name for lane in lanes])
    states = fold(lanes, ())
    about = {"run": attempt.run.key, "simulated": json.dumps(attempt.run.is_simulated)}
    with writer(stream, about) as parquet:
        for table in _tables(attempt, older):
            parquet.write_table(table)
            _chart(builder, table)
            states = fold(states, map(orjson.loads, table["body"].to_pylist()))
    return builder, states


def _tables(attempt: Attempt, older: EventFile | None) -> Iterator[pa.Table]:
    from runs.event_file import table_of

    if older is not None:
        yield from older.tables()
    for batch in _row_batches(attempt):
        if batch:
            yield table_of(batch, is_simulated=attempt.run.is_simulated)


def _row_batches(attempt: Attempt) -> Iterator[list[tuple[int, datetime, str]]]:
    """By seq, each batch its own query: no cursor stays open, and no more than a batch is in memory."""
    rows, last = attempt.rows.order_by("seq").values_list("seq", "ts", "body", "event_id"), attempt.base
    while batch := list(rows.filter(seq__gt=last)[:READ_TOGETHER]):
        last = batch[-1][0]
        kept = [row[:3] for row in batch if row[3] not in attempt.repeated]
        attempt.left_out += len(batch) - len(kept)
        yield kept


def _chart(builder: SeriesBuilder, table: pa.Table) -> None:
    from runs.event_file import lane_values

    for lane, name, times, values in lane_values(table, FIELDS):
        builder.add(lane, name, times, values)


def _extent(rows: QuerySet[ProgressEvent], older: EventFile | None) -> Extent:
    found = rows.aggregate(first=Min("ts"), last=Max("ts"))
    times = [moment for moment in found.values() if moment is not None]
    if older is not None:
        times += older.times
    seconds = [moment.timestamp() for moment in times] or [0.0]
    return Extent(min(seconds), max(seconds))


def _save(name: str, content: File[bytes]) -> None:
    content.seek(0)
    saved = default_storage.save(name, content)
    if saved != name:
        default_storage.delete(saved)
        raise SealingError(f"{name} was there already.")


def _verify(attempt: Attempt, expected: int) -> None:
    """Read back what the storage has: the rows go only when every one of them is in it."""
    from runs.event_file import EventFile

    last = attempt.rows.aggregate(last=Max("seq"))["last"]
    with default_storage.open(_events_name(attempt.run.pk, attempt.seq), "rb") as stream:
        stored = EventFile(stream)
        if stored.count != expected:
            raise SealingError(f"The file of run {attempt.run.pk} has {stored.count} events, not {expected}.")
        if not attempt.left_out and stored.last_seq != last:
            raise SealingError(f"The file of run {attempt.run.pk} ends with seq {stored.last_seq}, not {last}.")


def _switch(attempt: Attempt, snapshot: dict[str, Any]) -> bool:
    """The one statement that makes the new file the run's; only the first of several attempts succeeds."""
    changed = Run.objects.filter(pk=attempt.run.pk, sealed_seq=attempt.base).update(
        sealed_seq=attempt.seq,
        sealed_at=timezone.now(),
        snapshot=snapshot,
        event_count=F("event_count") - attempt.left_out,
    )
    return changed == 1


def _withdraw(attempt: Attempt) -> None:
    _delete_files(name for seq, name in _stored_files(attempt.run.pk) if seq == attempt.seq)


def _events_name(run_pk: int, seq: int) -> str:
    return f"runs/{run_pk}/events-{seq}.parquet"


def _series_name(run_pk: int, seq: int) -> str:
    return f"runs/{run_pk}/series-{seq}.json"


def _stored_files(run_pk: int) -> Iterator[tuple[int, str]]:
    """(seq, name) of every file of the run."""
    with suppress(FileNotFoundError):
        for name in default_storage.listdir(f"runs/{run_pk}")[1]:
            if found := re.fullmatch(r"(?:events|series)-(\d+)\.(?:parquet|json)", name):
                yield int(found[1]), f"runs/{run_pk}/{name}"


def _opened(run: Run, name: Callable[[int, int], str]) -> File[bytes]:
    """A run that was read from the database before it was sealed again names a file that is gone."""
    try:
        return default_storage.open(name(run.pk, run.sealed_seq), "rb")
    except FileNotFoundError:
        run.refresh_from_db(fields=["sealed_seq"])
        return default_storage.open(name(run.pk, run.sealed_seq), "rb")


def _delete_files(names: Iterable[str]) -> None:
    for name in list(names):
        default_storage.delete(name)
