"""Which jobs the pages show: the queue in the order in which it is served, and the history with its filters."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404

from accounts.models import User
from jobs.models import ACTIVE, TERMINAL, Attempt, AttemptState, Job, JobEvent, JobState
from leaderboard.models import Result

PAGE_SIZE = 50
#: rows of the queue; whoever waits behind them is counted
MAX_QUEUE = 200
MAX_HISTORY = 300
#: attempts that a host may still have in hand
IN_HAND = (*ACTIVE, AttemptState.LOST)


@dataclass(frozen=True, slots=True)
class JobFilter:
    q: str = ""
    #: a state of a job, or "open"
    state: str = ""
    kind: str = ""
    #: a username
    owner: str = ""
    #: name of a host
    host: str = ""
    #: whether simulated jobs are shown too
    simulated: bool = True

    def url(self, path: str, **more: str) -> str:
        values = {"q": self.q, "state": self.state, "kind": self.kind, "owner": self.owner, "host": self.host}
        values |= {"simulated": "" if self.simulated else "no", **more}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    @property
    def is_empty(self) -> bool:
        return replace(self, simulated=True) == JobFilter()


def queue() -> list[Job]:
    """Open jobs: those on a host first, then those that wait in the order in which they are served, then held ones."""
    jobs = _shown()
    on_hosts = list(jobs.filter(state__in=[JobState.RUNNING, JobState.OFFERED]).order_by("started_at", "pk"))
    waiting = list(jobs.filter(state=JobState.QUEUED).order_by("-priority", "pk")[:MAX_QUEUE])
    held = list(jobs.filter(state=JobState.HELD).order_by("pk")[:MAX_QUEUE])
    return [*on_hosts, *waiting, *held]


def count_waiting() -> int:
    return Job.objects.filter(state=JobState.QUEUED).count()


def history_page(wanted: JobFilter, before: int | None) -> tuple[list[Job], int | None]:
    """One page, newest first, and behind which job the next one begins."""
    jobs = matching(wanted)
    if before is not None:
        jobs = jobs.filter(pk__lt=before)
    rows = list(jobs.order_by("-pk")[: PAGE_SIZE + 1])
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].pk if len(rows) > PAGE_SIZE else None


def matching(wanted: JobFilter) -> QuerySet[Job]:
    jobs: QuerySet[Job] = _shown()
    if wanted.q:
        words = Q(title__icontains=wanted.q) | Q(model__name__icontains=wanted.q)
        jobs = jobs.filter(words | Q(pk=int(wanted.q)) if _is_number(wanted.q) else words)
    if wanted.state == "open":
        jobs = jobs.exclude(state__in=TERMINAL)
    elif wanted.state:
        jobs = jobs.filter(state=wanted.state)
    if wanted.kind:
        jobs = jobs.filter(kind=wanted.kind)
    if wanted.owner:
        jobs = jobs.filter(owner__username=wanted.owner)
    if wanted.host:
        jobs = jobs.filter(pk__in=Attempt.objects.filter(agent__name=wanted.host).values("job"))
    return jobs if wanted.simulated else jobs.filter(is_simulated=False)


def job_with_attempts(pk: int) -> Job:
    """Raises Http404."""
    return get_object_or_404(_shown(), pk=pk)


def attempts_of(job: Job) -> list[Attempt]:
    """All of them, the newest first."""
    return sorted(job.attempts.all(), key=lambda attempt: attempt.number, reverse=True)


def current_attempt(job: Job) -> Attempt | None:
    """The one that the job's state is about: in hand, else the one that counts, else the newest."""
    attempts = attempts_of(job)
    active = next((attempt for attempt in attempts if attempt.state in ACTIVE), None)
    counting = next((attempt for attempt in attempts if attempt.verdict == "accepted"), None)
    return active or counting or next(iter(attempts), None)


def recorded_attempt(job: Job, number: int | None = None) -> Attempt | None:
    """Whose log and charts are shown: as asked, else the current one if it ever ran, else the newest that did."""
    ran = [attempt for attempt in attempts_of(job) if attempt.accepted_at is not None]
    if number is not None:
        return next((attempt for attempt in ran if attempt.number == number), None)
    current = current_attempt(job)
    return current if current in ran else next(iter(ran), None)


def history_of(job: Job) -> Sequence[JobEvent]:
    """Everything that happened to it, oldest first."""
    return list(job.events.select_related("actor", "attempt__agent").order_by("pk")[:MAX_HISTORY])


def visible_results(jobs: Iterable[Job], user: User | AnonymousUser) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Submission -> its results that this person may see, for all these jobs in one query."""
    submissions = [job.submission_id for job in jobs if job.submission_id is not None]
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    if submissions:
        rows = Result.objects.visible_to(user).filter(submission__in=submissions).order_by("pk")
        for submission_id, pk in rows.values_list("submission_id", "pk"):
            found.setdefault(submission_id, []).append(pk)
    return found


def jobs_of(user: User, limit: int) -> list[Job]:
    return list(_shown().filter(owner=user).order_by("-pk")[:limit])


def _shown() -> QuerySet[Job]:
    attempts = Attempt.objects.select_related("agent").order_by("number")
    related = ("owner", "model", "hardware", "agent_wanted", "submission", "race__run", "verifies")
    return Job.objects.select_related(*related).prefetch_related(Prefetch("attempts", attempts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
