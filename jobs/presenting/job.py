"""/jobs/<id>/: where a job stands and why, what it did, and what whoever looks may do with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.models import User
from jobs.models import Attempt, AttemptEvent, AttemptState, Job, JobEvent, JobKind, JobState
from jobs.presenting.attempts import attempt_row, log_url
from jobs.presenting.common import (
    NONE,
    agent_link,
    estimate_words,
    job_number_link,
    job_url,
    needs_words,
    owner_link,
    result_link,
    step_percent,
    step_words,
)
from jobs.presenting.logs import tail_text
from jobs.presenting.queue import place_words
from jobs.presenting.rows import Actions, EventRow, Figure, FileRow, JobPage, RecordView, StatusView
from jobs.presenting.states import about, shown_state
from jobs.presenting.steps import progress, step_rows
from jobs.presenting.telemetry import charts
from jobs.queries.jobs import attempts_of, current_attempt, history_of
from jobs.queries.logs import gone_words, log_part
from jobs.queries.places import left_s, place_of
from jobs.queries.records import step_events, summaries
from leaderboard.format import count, minute, size
from leaderboard.pages import Link
from leaderboard.presenting.common import hardware_url, model_url
from runs.presenting.common import run_url, span

#: of a log, before its script goes on
TAIL_BYTES = 64 << 10
#: the script reads so much of the end of a long log; all of it is a download
SHOWN_BYTES = 2 << 20
#: how long a finished job waits for its result before the page stops asking
IMPORT_WAIT_S = 300
EVENTS = {
    "submitted": "Ordered",
    "offered": "Offered",
    "accepted": "Started",
    "declined": "Declined",
    "offer_expired": "Offer not answered",
    "finished": "Finished",
    "lost": "Lost",
    "readopted": "Taken up again",
    "late_adopted": "Finished after it was lost",
    "late": "Late report kept as evidence",
    "cancel_requested": "Cancellation asked for",
    "cancelled": "Cancelled",
    "held": "Held",
    "released": "Released",
    "priority": "Priority changed",
    "imported": "Result taken in",
    "import_failed": "Result not taken in",
    "reproduced": "Came out the same: reproduced",
    "agrees": "Came out the same",
    "differs": "Came out differently: disputed",
    "undecided": "Compared, without an answer",
}

Results = Mapping[uuid.UUID, Sequence[uuid.UUID]]


def job_page(
    job: Job, record: Attempt | None, results: Results, *, viewer: User | AnonymousUser, now: datetime
) -> JobPage:
    events = step_events(record) if record else []
    return JobPage(
        pk=job.pk,
        title=job.title,
        kind=job.get_kind_display(),
        is_simulated=job.is_simulated,
        owner=owner_link(job.owner),
        ordered=minute(job.created_at),
        facts=_facts(job),
        estimate=estimate_words(job),
        estimate_basis=str(job.estimate.get("basis", "")),
        rendered=job.rendered,
        verifies=Link("a community result", reverse("leaderboard:result", args=[job.verifies_id]))
        if job.verifies_id
        else NONE,
        copied_from=job_number_link(job.copied_from) if job.copied_from else NONE,
        race=Link(job.race.label, run_url(job.race.run)) if job.race else NONE,
        status=status_view(job, results, now, record=record, events=events),
        actions=actions_of(job, viewer),
        record=record_view(record, events, now) if record else None,
        attempts=[attempt_row(each, now, shown=record.number if record else 0) for each in attempts_of(job)],
        events=[_event_row(event) for event in history_of(job)],
    )


def status_view(
    job: Job, results: Results, now: datetime, *, record: Attempt | None, events: Sequence[AttemptEvent]
) -> StatusView:
    """`events` are the steps of `record`."""
    attempt = current_attempt(job)
    runs = attempt is not None and attempt.state in (AttemptState.RUNNING, AttemptState.UPLOADING)
    shown = record.number if record else 0
    if attempt is None or attempt != record:
        events = []
    step, percent = _progress(attempt, events) if attempt and runs else ("", None)
    return StatusView(
        state=shown_state(job, attempt, now),
        figures=_figures(job, attempt, now),
        step=step,
        percent=percent,
        result=result_link(job, results),
        waits_for_result=job.is_over and not is_settled(job, now),
        problem=job.import_problem,
        url="" if is_settled(job, now) else job_url(job, "detail_status"),
        version=version_of(job, attempt, events),
        attempt=shown,
    )


def is_settled(job: Job, now: datetime) -> bool:
    """Whether nothing on the page will change any more by itself."""
    if not job.is_over:
        return False
    if job.state != JobState.SUCCEEDED or job.kind != JobKind.LLEM or job.submission_id or job.import_problem:
        return True
    return job.ended_at is not None and (now - job.ended_at).total_seconds() > IMPORT_WAIT_S


def version_of(job: Job, attempt: Attempt | None, events: Sequence[AttemptEvent]) -> str:
    """Changes with everything on the page that the status alone does not show."""
    parts = [job.state, job.priority, bool(job.cancel_requested_at), job.submission_id or "", bool(job.import_problem)]
    if attempt is not None:
        parts += [attempt.number, attempt.state, events[-1].seq if events else 0]
    return "-".join(str(part) for part in parts)


def actions_of(job: Job, viewer: User | AnonymousUser) -> Actions:
    again = job.kind == JobKind.LLEM
    if not isinstance(viewer, User):
        return Actions()
    if job.is_over:
        return Actions(can_copy=again)
    may_cancel = (viewer.is_moderator or job.owner_id == viewer.pk) and job.cancel_requested_at is None
    cancel = job_url(job, "cancel") if may_cancel else ""
    if not viewer.is_moderator:
        return Actions(cancel=cancel, can_copy=again)
    return Actions(
        cancel=cancel,
        hold=job_url(job, "hold") if job.state == JobState.QUEUED else "",
        release=job_url(job, "release") if job.state == JobState.HELD else "",
        priority=job_url(job, "priority") if job.state in (JobState.QUEUED, JobState.HELD) else "",
        priority_now=job.priority,
        can_copy=again,
    )


def record_view(attempt: Attempt, events: Sequence[AttemptEvent], now: datetime) -> RecordView:
    is_over = attempt.state not in (AttemptState.RUNNING, AttemptState.UPLOADING)
    tail_start = max(attempt.log_bytes - TAIL_BYTES, 0)
    ran_s = (now - attempt.accepted_at).total_seconds() if attempt.accepted_at else None
    files = list(attempt.artifacts.all())
    steps, run = step_rows(events, is_over=is_over, now_s=ran_s)
    is_gone = attempt.records_dropped_at is not None
    return RecordView(
        number=attempt.number,
        host=agent_link(attempt.agent),
        is_live=not is_over,
        log_url=log_url(attempt),
        log_start=0 if is_gone else max(attempt.log_bytes - SHOWN_BYTES, 0),
        log_size=gone_words(attempt) or (size(attempt.log_bytes) if attempt.log_bytes else ""),
        log_tail=tail_text(log_part(attempt, tail_start, TAIL_BYTES), is_whole=tail_start == 0),
        series_url=reverse("jobs:series", args=[attempt.job_id, attempt.number]),
        charts=() if is_gone else charts(summaries(attempt), is_live=not is_over),
        has_samples=attempt.next_telemetry > 1 and not is_gone,
        steps=steps,
        run=run,
        files=[
            FileRow(each.name, size(each.size_bytes), "kept" if each.completed_at else "on its way") for each in files
        ],
        files_summary=f"{count(len(files), 'file')}, {size(sum(each.size_bytes for each in files))}",
    )


def _progress(attempt: Attempt, events: Sequence[AttemptEvent]) -> tuple[str, int | None]:
    """By its events, which come every two seconds, else by what its host said with the last heartbeat."""
    words, percent = progress(events)
    return (words, percent) if words else (step_words(attempt), step_percent(attempt))


def _figures(job: Job, attempt: Attempt | None, now: datetime) -> list[Figure]:
    if job.state == JobState.QUEUED:
        return _waiting_figures(job, now)
    figures = []
    if attempt is not None:
        note = f"attempt {attempt.number}" if job.attempts_used > 1 or attempt.number > 1 else ""
        figures.append(Figure("Host", attempt.agent.name, note))
    if job.started_at:
        figures.append(Figure("Took" if job.is_over else "Running for", span((job.ended_at or now) - job.started_at)))
    if job.state == JobState.RUNNING and attempt is not None:
        left = left_s(attempt, now)
        words = "" if left is None else about(left) if left else "longer than estimated"
        figures += [Figure("Left, by the estimate", words)] if words else []
    return figures


def _waiting_figures(job: Job, now: datetime) -> list[Figure]:
    place = place_of(job, now)
    if place is None:
        return []
    return [
        Figure("Place in the queue", f"{place.position:,} of {place.waiting:,}", place_words(place)),
        Figure("Waiting for", span(now - job.created_at)),
    ]


def _facts(job: Job) -> list[tuple[str, str, str]]:
    """Label, text, address."""
    facts = []
    if job.model is not None:
        facts.append(("Model", job.model.title, model_url(job.model)))
    if job.engine:
        facts.append(("Engine", job.get_engine_display(), ""))
    facts.append(("Needs", needs_words(job), hardware_url(job.hardware) if job.hardware else ""))
    facts.append(("At most", span_of_limit(job.wall_s), ""))
    if job.seed:
        facts.append(("Seed", f"{job.seed}, drawn by the site" if job.verifies_id else str(job.seed), ""))
    if job.priority:
        facts.append(("Priority", str(job.priority), ""))
    return facts


def span_of_limit(seconds: int) -> str:
    minutes = seconds // 60
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _event_row(event: JobEvent) -> EventRow:
    attempt = event.attempt
    words = EVENTS.get(event.event, event.event.replace("_", " ").capitalize())
    if event.from_state and event.from_state != event.to_state:
        words = f"{words}: {event.get_from_state_display().lower()} → {event.get_to_state_display().lower()}"
    return EventRow(
        what=words,
        when=f"{event.created_at:%Y-%m-%d %H:%M:%S} UTC",
        who=owner_link(event.actor) if event.actor_id else NONE,
        attempt=f"attempt {attempt.number} on {attempt.agent.name}" if attempt else "",
        reason=event.reason,
    )
