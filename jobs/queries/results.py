"""Which jobs stand behind a result: the one that measured it, and those that ran its configuration again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from jobs.models import Job, JobEvent
from leaderboard.checks.reproduction import Comparison

#: event of a rerun's history -> its words
COMPARED: Mapping[str, str] = {
    Comparison.REPRODUCED.value: "came out the same",
    Comparison.AGREES.value: "came out the same",
    Comparison.DIFFERS.value: "came out differently",
    Comparison.UNDECIDED.value: "decides nothing",
}
MAX_RERUNS = 5


@dataclass(frozen=True, slots=True)
class Rerun:
    job: int
    #: "came out the same", or the state of the job while it has not been compared
    words: str


def measured_by(result: UUID) -> int | None:
    """The number of the job that the result came from."""
    return Job.objects.filter(submission__results=result).values_list("pk", flat=True).first()


def verified_by(result: UUID) -> list[Rerun]:
    """The newest reruns of a result; two queries."""
    jobs = list(Job.objects.filter(verifies=result).order_by("-pk")[:MAX_RERUNS])
    if not jobs:
        return []
    lines = JobEvent.objects.filter(job__in=jobs, event__in=COMPARED).values_list("job", "event")
    outcomes = {job: COMPARED[event] for job, event in lines}
    return [Rerun(job.pk, outcomes.get(job.pk) or job.get_state_display().lower()) for job in jobs]
