"""Brings a race in line with what became of its lanes. Safe to run at any time, twice, and in several processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from jobs.models import Attempt, AttemptState, Job, JobState, Race, RaceState
from jobs.race_config import RUN_S
from jobs.services import clock
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.racing import has_missed_the_start, tell_viewers
from runs.models import Run, RunStatus
from runs.services import end_run
from runs.wire import RunEnd

TOO_LATE = "The race had started without this lane."
NEVER_TOGETHER = "The race did not start, because its hosts were not free at the same time within a day."
OUT_OF_TIME = "The race is over, and nothing has been heard of this lane."
#: after its order, or after the moment it is scheduled for
TOGETHER_WITHIN = timedelta(days=1)
#: what a race may take, and the time after which a silent lane is given up
OVER_AFTER = timedelta(seconds=RUN_S + 20 * 60)


def settle_races() -> None:
    """All races that are not over: for the minute's reconciliation, should a task have been lost."""
    _keep_waiting_runs_open()
    for race_id in Race.objects.exclude(state=RaceState.ENDED).values_list("pk", flat=True):
        settle_race(race_id)


def settle_race(race_id: int) -> None:
    race = Race.objects.filter(pk=race_id).exclude(state=RaceState.ENDED).first()
    if race is None:
        return
    for job, reason in _to_cancel(race):
        _cancel(job, reason)
    if not race.jobs.open().exists():
        _end(race_id)


def _to_cancel(race: Race) -> list[tuple[Job, str]]:
    jobs = list(race.jobs.order_by("pk"))
    waiting = [job for job in jobs if not job.is_over and job.cancel_requested_at is None]
    if race.go_at is None:
        reason = _why_given_up(race, jobs)
        return [(job, reason) for job in waiting] if reason else []
    if clock.db_now() > race.go_at + OVER_AFTER:
        return [(job, OUT_OF_TIME) for job in waiting]
    return [(job, TOO_LATE) for job in waiting if _runs_too_late(job, race)]


def _why_given_up(race: Race, jobs: Sequence[Job]) -> str:
    """Why a race that waits will not start; "" while it may."""
    ended = next((job for job in jobs if job.is_over), None)
    if ended is not None:
        return why_not_started(ended)
    has_waited = clock.db_now() > (race.starts_at or race.created_at) + TOGETHER_WITHIN
    return NEVER_TOGETHER if has_waited else ""


def why_not_started(ended: Job) -> str:
    """One sentence for the lanes that waited for one that will not come."""
    reason = f": {ended.reason}" if ended.reason else ""
    return f"The race did not start, because the lane {ended.config['lane']} {_BECAME[JobState(ended.state)]}{reason}"[
        :500
    ]


_BECAME = {
    JobState.SUCCEEDED: "ended before the start",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMED_OUT: "ran out of time",
}


def _runs_too_late(job: Job, race: Race) -> bool:
    """Queued again after the start, or begun after it."""
    if job.state == JobState.QUEUED:
        # A lane that was lost may still come back to itself, and goes on then; the next host would be too late.
        return not job.attempts.filter(state=AttemptState.LOST).exists()
    active = Attempt.objects.filter(job=job, state__in=(AttemptState.OFFERED, AttemptState.RUNNING)).first()
    return active is not None and has_missed_the_start(active, race)


def _cancel(job: Job, reason: str) -> None:
    try:
        cancel_job(job=job, by=None, reason=reason)
    except JobRefused:
        # It ended by itself meanwhile.
        return


@transaction.atomic
def _end(race_id: int) -> None:
    race = Race.objects.select_for_update().select_related("run").get(pk=race_id)
    if race.state == RaceState.ENDED:
        return
    jobs = list(race.jobs.order_by("pk"))
    now = clock.db_now()
    Race.objects.filter(pk=race_id).update(state=RaceState.ENDED, ended_at=now)
    status, note = _summary(race, jobs)
    # What was heard last was the end; the reports of the hosts came after it.
    ended_at = race.run.last_event_at or now
    end_run(body=RunEnd.model_validate({"runId": race.run.key, "status": status, "note": note, "endedAt": ended_at}))
    tell_viewers(race.run)


def _summary(race: Race, jobs: list[Job]) -> tuple[str, str | None]:
    """How the live run ended, and a note where not every lane came through."""
    failed = [job for job in jobs if job.state != JobState.SUCCEEDED]
    if race.go_at is None:
        first = failed[0] if failed else jobs[0]
        return "stopped", why_not_started(first)
    if not failed:
        return "finished", None
    lanes = "; ".join(f"{job.config['lane']}: {job.reason or job.get_state_display()}" for job in failed)
    return ("failed" if len(failed) == len(jobs) else "finished"), f"Not every lane came through. {lanes}"[:2000]


def _keep_waiting_runs_open() -> None:
    """The run of a race that waits has not begun, so it is not silent either."""
    now = clock.db_now()
    waiting = Run.objects.filter(race__state=RaceState.WAITING, started_at__lt=now - timedelta(minutes=1))
    waiting.update(started_at=now, ended_at=None, status=RunStatus.RUNNING)
