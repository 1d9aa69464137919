"""/jobs/: what runs, what waits and for how long, what each host does, and what was."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts.models import User
from jobs.forecast import Place
from jobs.models import Agent, Attempt, Job, JobState
from jobs.presenting.common import (
    NONE,
    agent_link,
    job_link,
    jobs_words,
    needs_words,
    owner_link,
    result_link,
    step_percent,
    step_words,
)
from jobs.presenting.hosts import CONNECTED, host_row
from jobs.presenting.rows import HistoryPage, HistoryRow, QueuePage, QueueRow
from jobs.presenting.states import about, shown_state
from jobs.queries.jobs import JobFilter, current_attempt
from jobs.queries.places import places_in_queue
from leaderboard.format import count, minute
from runs.presenting.common import span

NOTHING_YET = "No job has been ordered yet."
NOTHING_MATCHES = "No job matches these filters."


def queue_page(
    jobs: Sequence[Job], agents: Sequence[Agent], waiting: int, *, user: User | None, now: datetime
) -> QueuePage:
    shown = [job for job in jobs if job.state == JobState.QUEUED]
    places = places_in_queue(now, shown, agents)
    running = sum(1 for job in jobs if job.state == JobState.RUNNING)
    rows = [host_row(agent, now) for agent in agents]
    there = sum(1 for row in rows if row.code in CONNECTED)
    verbs = ("waits" if waiting == 1 else "wait", "runs" if running == 1 else "run", "is" if there == 1 else "are")
    summary = "{} {}, {} {}; {} of {} {} connected".format(
        jobs_words(waiting), verbs[0], running, verbs[1], there, count(len(rows), "host"), verbs[2]
    )
    more = waiting - len(shown)
    return QueuePage(
        rows=[_queue_row(job, places, user, now) for job in jobs],
        hosts=rows,
        summary=summary,
        more=f"{more:,} more wait behind these" if more > 0 else "",
    )


def place_words(place: Place | None) -> str:
    """When it starts, as far as the estimates tell."""
    if place is None:
        return ""
    if not place.hosts:
        return "no host that fits is there now"
    fits = f"{count(place.hosts, 'host fits', 'hosts fit')}"
    if place.starts_in_s is None:
        return f"{fits}; when it starts cannot be said"
    if place.starts_in_s < 1:
        return f"{fits}; may start at once"
    return f"{fits}; starts in {about(place.starts_in_s)}"


def history_table(
    jobs: Sequence[Job],
    wanted: JobFilter,
    results: Mapping[uuid.UUID, Sequence[uuid.UUID]],
    *,
    path: str,
    following: int | None,
    is_first: bool,
    now: datetime,
) -> HistoryPage:
    """`results` are those that whoever looks may see, by submission."""
    return HistoryPage(
        rows=[history_row(job, results, now) for job in jobs],
        first_url="" if is_first else wanted.url(path),
        next_url=wanted.url(path, before=str(following)) if following else "",
        empty="" if jobs else NOTHING_YET if wanted.is_empty else NOTHING_MATCHES,
        clear_url="" if wanted.is_empty and wanted.simulated else path,
    )


def history_row(job: Job, results: Mapping[uuid.UUID, Sequence[uuid.UUID]], now: datetime) -> HistoryRow:
    attempt = current_attempt(job)
    return HistoryRow(
        link=job_link(job),
        number=str(job.pk),
        state=shown_state(job, attempt, now),
        kind=job.get_kind_display(),
        host=attempt.agent.name if attempt else "",
        owner=owner_link(job.owner),
        ordered=minute(job.created_at),
        took=span(job.ended_at - job.started_at) if job.started_at and job.ended_at else "",
        result=result_link(job, results),
        is_simulated=job.is_simulated,
    )


def _queue_row(job: Job, places: Mapping[int, Place], user: User | None, now: datetime) -> QueueRow:
    attempt = current_attempt(job)
    is_on_host = job.state in (JobState.RUNNING, JobState.OFFERED)
    place = places.get(job.pk)
    return QueueRow(
        pk=job.pk,
        link=job_link(job),
        position=f"{place.position:,}" if place else "",
        state=shown_state(job, attempt, now),
        host=agent_link(attempt.agent) if attempt and is_on_host else NONE,
        progress=_progress(attempt) if attempt and is_on_host else place_words(place),
        percent=step_percent(attempt) if attempt and is_on_host else None,
        needs=needs_words(job),
        owner=owner_link(job.owner),
        is_simulated=job.is_simulated,
        is_own=user is not None and job.owner_id == user.pk,
    )


def _progress(attempt: Attempt) -> str:
    words = step_words(attempt)
    return words[:1].lower() + words[1:]
