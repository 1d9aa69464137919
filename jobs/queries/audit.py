"""What must hold whatever has failed: each invariant as queries that find the rows that break it.

Every check is one statement, or compares what is final, so that it may run while jobs come and go. What only a host
knows (that it started each attempt once) stands in the host's own started.log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import Coalesce, Lag, Length
from django_q.models import OrmQ

from jobs.models import (
    ACTIVE,
    TERMINAL,
    Artifact,
    Attempt,
    AttemptEvent,
    AttemptState,
    GpuHold,
    Job,
    JobEvent,
    JobState,
    LogChunk,
    TelemetryBatch,
    Verdict,
)
from jobs.queries.logs import log_sha256

MOST_TOLD = 20
READ_BYTES = 1 << 20
TICKETS = "gpu"
#: states that an attempt reaches only through its accept
ACCEPTED = (AttemptState.RUNNING, AttemptState.UPLOADING, AttemptState.LOST, AttemptState.DONE)
#: an attempt has its GPUs from its offer until its process has ended
HOLDING = (AttemptState.OFFERED, AttemptState.RUNNING)

Check = Callable[[], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule, and the first sentences about what breaks it; none when it holds."""

    code: str
    rule: str
    broken: list[str]

    @property
    def holds(self) -> bool:
        return not self.broken


def audit(*, deep: bool = False) -> list[Invariant]:
    """All invariants. `deep` reads every log and file too, and compares it with what the host said of it."""
    checks = RULES + (DEEP_RULES if deep else ())
    return [Invariant(code, rule, list(islice(check(), MOST_TOLD))) for code, rule, check in checks]


def _stuck_jobs() -> Iterator[str]:
    ticket = Exists(OrmQ.objects.filter(pk=OuterRef("ticket_id"), key=TICKETS))
    active = Count("attempts", filter=Q(attempts__state__in=ACTIVE))
    right = (
        Q(state__in=(*TERMINAL, JobState.HELD), active=0, has_ticket=False)
        | Q(state=JobState.QUEUED, active=0, has_ticket=True)
        | Q(state__in=(JobState.OFFERED, JobState.RUNNING), active=1, has_ticket=True)
    )
    wrong = Job.objects.annotate(has_ticket=ticket, active=active).exclude(right).order_by("pk")
    for pk, state, has_ticket, count in wrong.values_list("pk", "state", "has_ticket", "active").iterator():
        yield f"job {pk} is {state} with {'a' if has_ticket else 'no'} ticket and {count} active attempts"


def _shared_tickets() -> Iterator[str]:
    owned = Job.objects.filter(ticket_id=OuterRef("pk"))
    for pk in OrmQ.objects.filter(~Exists(owned), key=TICKETS).values_list("pk", flat=True):
        yield f"ticket {pk} is of no job"


def _verdicts() -> Iterator[str]:
    accepted = Count("attempts", filter=Q(attempts__verdict=Verdict.ACCEPTED))
    jobs = Job.objects.annotate(accepted=accepted)
    wrong = Q(accepted__gt=1) | Q(state=JobState.SUCCEEDED, accepted=0) | Q(~Q(state__in=TERMINAL), accepted__gt=0)
    for pk, state, count in jobs.filter(wrong).order_by("pk").values_list("pk", "state", "accepted").iterator():
        yield f"job {pk} is {state} with {count} reports that count"


def _unaccepted() -> Iterator[str]:
    rows = Attempt.objects.filter(state__in=ACCEPTED, accepted_at=None)
    for attempt in rows.iterator():
        yield f"{attempt} is {attempt.state} and was never accepted"


def _missing_attempts() -> Iterator[str]:
    jobs = Job.objects.annotate(rows=Count("attempts"), last=Coalesce(Max("attempts__number"), 0))
    for pk, rows, last in jobs.exclude(rows=F("last")).values_list("pk", "rows", "last").iterator():
        yield f"job {pk} has {rows} attempts, the last of which is number {last}"


def _torn_logs() -> Iterator[str]:
    before = Window(Lag(F("start") + Length("content"), default=0), partition_by="attempt_id", order_by="start")
    for chunk in LogChunk.objects.annotate(before=before).exclude(start=F("before")).defer("content").iterator():
        yield f"the log of attempt {chunk.attempt_id} is torn at {chunk.start}"
    stored = _counted(LogChunk.objects.all(), Sum(Length("content")))
    wrong = _with_records().annotate(stored=stored).exclude(stored=F("log_bytes"))
    for pk, size, told in wrong.values_list("pk", "stored", "log_bytes").iterator():
        yield f"the log of attempt {pk} has {size} bytes, not {told}"


def _holes() -> Iterator[str]:
    events = _counted(AttemptEvent.objects.filter(seq__lt=OuterRef("next_event")), Count("pk"))
    torn = Attempt.objects.annotate(known=events).exclude(next_event=F("known") + 1)
    for pk, following, known in torn.values_list("pk", "next_event", "known").iterator():
        yield f"attempt {pk} expects event {following} and has {known} before it"
    samples = _counted(TelemetryBatch.objects.all(), Sum("count"))
    torn = _with_records().annotate(known=samples).exclude(next_telemetry=F("known") + 1)
    for pk, following, known in torn.values_list("pk", "next_telemetry", "known").iterator():
        yield f"attempt {pk} expects sample {following} and has {known} before it"
    for attempt in Attempt.objects.exclude(verdict="").iterator():
        for name, following in (("events", attempt.next_event), ("telemetry", attempt.next_telemetry)):
            told = (attempt.finish.get(name) or {}).get("last_seq") or 0
            if following <= told:
                yield f"attempt {attempt.pk} was finished with {name} up to {told}; {following} is missing"


def _with_records() -> QuerySet[Attempt]:
    """Attempts whose log and samples are still kept."""
    return Attempt.objects.filter(records_dropped_at=None)


def _counted(rows: Any, what: Any) -> Any:
    """A number about the rows of each attempt; 0 where there are none."""
    found = rows.filter(attempt=OuterRef("pk")).order_by().values("attempt").annotate(found=what).values("found")
    return Coalesce(Subquery(found, output_field=BigIntegerField()), Value(0))


def _reopened() -> Iterator[str]:
    for event in JobEvent.objects.filter(from_state__in=TERMINAL).exclude(to_state=F("from_state")).iterator():
        yield f"job {event.job_id} went from {event.from_state} to {event.to_state}"
    latest = JobEvent.objects.filter(job=OuterRef("pk")).order_by("-pk").values("to_state")[:1]
    jobs = Job.objects.annotate(told=Subquery(latest)).filter(told__isnull=False)
    for pk, state, told in jobs.exclude(state=F("told")).values_list("pk", "state", "told").iterator():
        yield f"job {pk} is {state}, and its history says {told}"


def _wrong_holds() -> Iterator[str]:
    for hold in GpuHold.objects.exclude(attempt__state__in=HOLDING).select_related("attempt").iterator():
        yield f"GPU {hold.gpu_id} is held by attempt {hold.attempt_id}, which is {hold.attempt.state}"
    for attempt in Attempt.objects.filter(state__in=HOLDING).annotate(held=Count("holds")).iterator():
        if attempt.held != len(attempt.gpu_uuids):
            yield f"attempt {attempt.pk} has {attempt.held} of its {len(attempt.gpu_uuids)} GPUs"


def _unfinished_files() -> Iterator[str]:
    wrong = Q(received_bytes__gt=F("size_bytes")) | Q(~Q(completed_at=None), received_bytes__lt=F("size_bytes"))
    for artifact in Artifact.objects.filter(wrong).iterator():
        yield f"file {artifact.pk} has {artifact.received_bytes} of {artifact.size_bytes} bytes"
    whole = _counted(Artifact.objects.exclude(completed_at=None), Count("pk"))
    rows = Attempt.objects.exclude(verdict="").annotate(whole=whole)
    for pk, finish, count in rows.values_list("pk", "finish", "whole").iterator():
        told = len(finish.get("artifacts") or [])
        if count < told:
            yield f"attempt {pk} was finished with {told} files; {count} are here"


def _overlaps() -> Iterator[str]:
    """Two attempts on one GPU at one time; those that were lost had theirs taken away."""
    ends: dict[tuple[Any, str], tuple[Any, Any]] = {}
    rows = Attempt.objects.filter(state=AttemptState.DONE, lost_at=None).exclude(accepted_at=None)
    for attempt in rows.exclude(ended_at=None).order_by("accepted_at").iterator():
        for gpu in attempt.gpu_uuids:
            other, until = ends.get((attempt.agent_id, gpu), (None, attempt.accepted_at))
            if attempt.accepted_at < until:
                yield f"attempts {other} and {attempt.pk} had GPU {gpu[:12]} at the same time"
            ends[attempt.agent_id, gpu] = (attempt.pk, max(until, attempt.ended_at))


def _changed_logs() -> Iterator[str]:
    for attempt in _with_records().exclude(verdict="").iterator():
        told = (attempt.finish.get("log") or {}).get("sha256")
        if told and told != log_sha256(attempt):
            yield f"the log of attempt {attempt.pk} is not the host's"


def _changed_files() -> Iterator[str]:
    seen: set[str] = set()
    for artifact in Artifact.objects.exclude(completed_at=None).iterator():
        if artifact.sha256 in seen:
            continue
        seen.add(artifact.sha256)
        if not default_storage.exists(artifact.storage_name):
            yield f"file {artifact.pk} is not in the storage"
        elif _stored_sha256(artifact.storage_name) != artifact.sha256:
            yield f"file {artifact.pk} is not what was announced"


def _orphan_files() -> Iterator[str]:
    for folder in _folders("artifacts"):
        if folder == "pieces":
            continue
        names = default_storage.listdir(f"artifacts/{folder}")[1]
        # Asked once a folder: digests have no index, and each file of its own would read the whole table.
        known = set(Artifact.objects.filter(sha256__startswith=folder).values_list("sha256", flat=True))
        for name in names:
            if name not in known:
                yield f"the storage has {name[:12]}…, which is of no attempt"


def _folders(path: str) -> list[str]:
    try:
        folders: list[str] = default_storage.listdir(path)[0]
    except FileNotFoundError:
        return []
    return folders


def _stored_sha256(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name) as file:
        while part := file.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


RULES: tuple[tuple[str, str, Check], ...] = (
    ("I1", "Every job is over, or waits with exactly one ticket, or has exactly one active attempt.", _stuck_jobs),
    ("I1b", "No ticket is without its job.", _shared_tickets),
    ("I2", "Of every finished job exactly one report counts.", _verdicts),
    ("I3", "No attempt runs that the site had not confirmed.", _unaccepted),
    ("I5", "Every execution of a job is one attempt of its own, and none is missing.", _missing_attempts),
    ("I6", "Logs have neither holes nor overlaps.", _torn_logs),
    ("I7", "Events and telemetry have no holes up to the last one that the host reported.", _holes),
    ("I8", "No job that was over has changed its state.", _reopened),
    ("I9", "No GPU is held by two attempts, or by one that has ended.", _wrong_holds),
    ("I10", "Every file that a host reported is here, whole.", _unfinished_files),
)
DEEP_RULES: tuple[tuple[str, str, Check], ...] = (
    ("I6b", "Every log is byte for byte the host's.", _changed_logs),
    ("I9b", "No two attempts had one GPU at the same time.", _overlaps),
    ("I10b", "Every stored file has the content that was announced.", _changed_files),
    ("I10c", "The storage holds no file of no attempt.", _orphan_files),
)
