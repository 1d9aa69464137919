"""Stores live messages: one thread and one transaction for all that arrived while the last one was committing.

No timer: what waits is taken at once, so a lone event is not delayed, and under load one commit serves many.
Per run, seq is given under the run's row, so its order is the order of commit, over several processes too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from lemsite.lib import metrics
from lemsite.lib.outages import DISK_FULL, outage_of, tell
from runs.services import RunNotKnown, end_run, ensure_runs, start_run, store_scores
from runs.wire import EvalScore, Parsed, ProgressEvent, RunEnd, RunStart

logger = logging.getLogger(__name__)

MAX_WAITING = 50_000
MAX_TOGETHER = 5_000
#: runs whose row id is remembered
MAX_REMEMBERED = 10_000

INSERT_COLUMNS = "run_id, seq, ts, gpu_id, event_id, body"
INSERT_SQLITE = f"INSERT INTO runs_progressevent ({INSERT_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608
INSERT_POSTGRESQL = (
    f"INSERT INTO runs_progressevent ({INSERT_COLUMNS}) SELECT * FROM unnest("  # noqa: S608
    "%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])"
)
TAKE_SEQ = (
    "UPDATE runs_run SET last_seq = last_seq + %s, event_count = event_count + %s, last_event_at = %s "
    "WHERE id = %s RETURNING last_seq"
)


class WriterBusy(Exception):
    """More waits to be stored than memory should hold."""


@dataclass(slots=True)
class Committed:
    """What one transaction changed, for those who watch."""

    events: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    #: keys of runs that began, ended or were described
    runs: set[str] = field(default_factory=set)
    scores: dict[str, list[EvalScore]] = field(default_factory=dict)
    #: seconds since the epoch; set after the commit
    at: float = 0.0


#: None where the message was stored (or known already), else why not
Outcome = str | None


@dataclass(slots=True)
class Submission:
    messages: Sequence[Parsed]
    owner_id: int | None
    done: Future[list[Outcome]]


class Writer:
    """Takes messages from any thread; `submit` answers with a future that ends after the commit."""

    def __init__(self, on_commit: Callable[[Committed], None]) -> None:
        self._on_commit = on_commit
        self._waiting: deque[Submission] = deque()
        self._count = 0
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._run_ids: dict[str, int] = {}

    def submit(self, messages: Sequence[Parsed], owner_id: int | None = None) -> Future[list[Outcome]]:
        """Raises WriterBusy when too much waits already."""
        submission = Submission(messages, owner_id, Future())
        with self._wake:
            if self._count + len(messages) > MAX_WAITING:
                raise WriterBusy
            self._start()
            self._waiting.append(submission)
            self._count += len(messages)
            self._wake.notify()
        return submission.done

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Store what waits and end the thread; the next `submit` starts another."""
        thread = self._thread
        if thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread.join()
        self._thread, self._stopping = None, False
        self._run_ids.clear()

    def _run(self) -> None:
        try:
            while (together := self._wait_for_work()) is not None:
                if together:
                    self._store(together)
        finally:
            connection.close()

    def _wait_for_work(self) -> list[Submission] | None:
        """Everything that waits, as soon as something does; None once the writer is to stop."""
        with self._wake:
            while not self._waiting and not self._stopping:
                self._wake.wait()
            return self._take() if self._waiting else None

    def _take(self) -> list[Submission]:
        together: list[Submission] = []
        size = 0
        while self._waiting and (not together or size + len(self._waiting[0].messages) <= MAX_TOGETHER):
            submission = self._waiting.popleft()
            size += len(submission.messages)
            # Whoever waited too long was told so, and sends again.
            if submission.done.set_running_or_notify_cancel():
                together.append(submission)
        self._count -= size
        return together

    def _store(self, together: list[Submission]) -> None:
        """Commit all of it; where that fails, each submission by itself, so that one cannot spoil the others."""
        try:
            with metrics.INGEST_COMMIT.time():
                outcomes, committed = self._commit(together)
        except Exception as error:
            is_spoiled = self._forget(error)
            if is_spoiled and len(together) > 1:
                for submission in together:
                    self._store([submission])
                return
            if outage := outage_of(error):
                tell(outage, error)
            else:
                logger.exception("Live messages could not be stored")
            for submission in together:
                submission.done.set_exception(error)
            return
        try:
            self._on_commit(committed)
        except Exception:
            # They are stored; who watches finds them in the database.
            logger.exception("What was stored could not be told to those who watch")
        for submission, outcome in zip(together, outcomes, strict=True):
            submission.done.set_result(outcome)

    def _forget(self, error: Exception) -> bool:
        """A rolled back run has no row, and a broken connection must not be used again. False where no submission is
        to blame: trying each by itself would make all wait, one after another, for the same answer."""
        self._run_ids.clear()
        if outage_of(error) is DISK_FULL:
            return False
        if not isinstance(error, DatabaseError | InterfaceError) or connection.is_usable():
            return True
        connection.close()
        return False

    def _commit(self, together: Sequence[Submission]) -> tuple[list[list[Outcome]], Committed]:
        committed = Committed()
        with transaction.atomic():
            self._know_runs(together, committed)
            events: dict[int, list[tuple[str, ProgressEvent, str]]] = {}
            outcomes = [
                [self._sort(parsed, events, committed) for parsed in submission.messages] for submission in together
            ]
            for run_id in sorted(events):
                self._insert(run_id, events[run_id], committed)
            for key, scores in committed.scores.items():
                store_scores(run_id=self._run_ids[key], scores=scores)
        committed.at = time.time()
        return outcomes, committed

    def _know_runs(self, together: Sequence[Submission], committed: Committed) -> None:
        """Row ids of every run named; runs that nobody has seen get a row first."""
        if len(self._run_ids) > MAX_REMEMBERED:
            self._run_ids.clear()
        unknown = {
            parsed.payload.runId: (parsed, submission.owner_id)
            for submission in reversed(together)
            for parsed in reversed(submission.messages)
            if parsed.payload.runId not in self._run_ids and not isinstance(parsed.payload, RunEnd)
        }
        if unknown:
            ids, new = ensure_runs(unknown)
            self._run_ids |= ids
            committed.runs |= new

    def _sort(
        self, parsed: Parsed, events: dict[int, list[tuple[str, ProgressEvent, str]]], committed: Committed
    ) -> Outcome:
        payload = parsed.payload
        key = payload.runId
        if isinstance(payload, ProgressEvent):
            events.setdefault(self._run_ids[key], []).append((key, payload, parsed.text))
        elif isinstance(payload, EvalScore):
            committed.scores.setdefault(key, []).append(payload)
        elif isinstance(payload, RunStart):
            start_run(run_id=self._run_ids[key], body=payload)
            committed.runs.add(key)
        else:
            return self._end(payload, committed)
        return None

    def _end(self, body: RunEnd, committed: Committed) -> Outcome:
        try:
            end_run(body=body)
        except RunNotKnown as error:
            return str(error)
        committed.runs.add(body.runId)
        return None

    def _insert(self, run_id: int, events: list[tuple[str, ProgressEvent, str]], committed: Committed) -> None:
        key = events[0][0]
        adapt = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            cursor.execute(TAKE_SEQ, [len(events), len(events), adapt(timezone.now()), run_id])
            first = cursor.fetchone()[0] - len(events) + 1
            known = _known_event_ids(cursor, run_id, [event.eventId for _, event, _ in events if event.eventId])
            fresh = list(_fresh(events, known))
            if len(fresh) < len(events):
                repeated = len(events) - len(fresh)
                cursor.execute("UPDATE runs_run SET event_count = event_count - %s WHERE id = %s", [repeated, run_id])
            rows = [
                (run_id, first + place, adapt(event.ts), event.gpuId, event.eventId, text)
                for place, (_, event, text) in enumerate(fresh)
            ]
            _insert_rows(cursor, rows)
        if rows:
            committed.events.setdefault(key, []).extend((row[1], row[5]) for row in rows)


def _fresh(
    events: Sequence[tuple[str, ProgressEvent, str]], known: set[str]
) -> Iterator[tuple[str, ProgressEvent, str]]:
    """Each event id once, and none that is stored already."""
    seen = set(known)
    for item in events:
        event_id = item[1].eventId
        if event_id is None:
            yield item
        elif event_id not in seen:
            seen.add(event_id)
            yield item


def _known_event_ids(cursor: Any, run_id: int, event_ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(event_ids), 500):
        some = event_ids[start : start + 500]
        holes = ", ".join(["%s"] * len(some))
        cursor.execute(
            f"SELECT event_id FROM runs_progressevent WHERE run_id = %s AND event_id IN ({holes})",  # noqa: S608
            [run_id, *some],
        )
        known |= {row[0] for row in cursor.fetchall()}
    return known


def _insert_rows(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    if connection.vendor == "postgresql":
        cursor.execute(INSERT_POSTGRESQL, [list(column) for column in zip(*rows, strict=True)])
    else:
        cursor.executemany(INSERT_SQLITE, rows)
