"""The report of a host about an attempt that has ended: it counts once, and only when everything has arrived."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import NotificationKind
from accounts.services.notifications import notify
from jobs.limits import ATTEMPTS_PER_JOB, FAILURES_TO_QUARANTINE
from jobs.models import (
    Agent,
    Attempt,
    AttemptState,
    Gpu,
    JobEvent,
    JobState,
    LogChunk,
    Outcome,
    Verdict,
)
from jobs.queries.logs import log_sha256
from jobs.services import agents, clock
from jobs.services.errors import AgentRefused
from jobs.services.locking import lock_attempt
from jobs.services.transitions import move_attempt, note, transition
from leaderboard.queries.community import active_moderators
from lemsite.lib.hidden_characters import shown_characters

#: these end a job; all others are the host's fault or doing
FINAL = {
    Outcome.SUCCEEDED: JobState.SUCCEEDED,
    Outcome.FAILED: JobState.FAILED,
    Outcome.TIMED_OUT: JobState.TIMED_OUT,
}
#: after these, a GPU is given to nobody until its operator or a reboot clears it
LOST_GPU = ("gpu_lost", "nvml_hung")
#: the host was stopped or restarted: that says nothing about whether it fails jobs
NOT_SICK = ("host_rebooted", "agent_stopped")
NOT_ACCEPTED = (AttemptState.OFFERED, AttemptState.DECLINED, AttemptState.OFFER_EXPIRED)
REASONS = {
    "host_rebooted": "The host was restarted while it ran.",
    "agent_stopped": "The host's operator stopped it.",
    "disk_full": "The host's disk was full.",
    "gpu_lost": "The GPU no longer answered.",
    "nvml_hung": "The driver no longer answered.",
    "wall_limit": "It ran longer than its limit.",
    "silence": "Its program said nothing for too long.",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """What a host is answered: whether its report counts, and what became of the job."""

    verdict: str
    job_state: str


def finish(*, attempt: Attempt, report: Mapping[str, Any]) -> Finished:
    """Take the report of an attempt's end. The same report again gets the same answer. Not inside a transaction.

    Raises AgentRefused: 422 `incomplete` with what is missing, 409 `finish_conflict` for another report than before,
    410 for an offer that was never accepted.
    """
    attempt.refresh_from_db()
    if not attempt.finish_id:
        _refuse_unaccepted(attempt)
        missing = _missing(attempt, report)
        if missing:
            raise AgentRefused(422, "incomplete", f"Not here yet: {', '.join(missing)}.", **missing)
        attempt = _finish(attempt, report)
    if (attempt.finish_id, attempt.finish_sha256) != (report["finish_id"], _digest(report)):
        _note_conflict(attempt)
        raise AgentRefused(409, "finish_conflict", "Another report of this attempt has been taken; this one is not.")
    return Finished(attempt.verdict or Verdict.ACCEPTED, attempt.job.state)


def _digest(report: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(report, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _refuse_unaccepted(attempt: Attempt) -> None:
    if attempt.state in NOT_ACCEPTED:
        raise AgentRefused(410, "offer_gone", "This offer was not accepted, so there is nothing to finish.")


def _missing(attempt: Attempt, report: Mapping[str, Any]) -> dict[str, Any]:
    """What the report names and the site does not have: from where to send on, and which files."""
    missing: dict[str, Any] = {}
    log_from = _log_missing_from(attempt, report.get("log") or {})
    if log_from is not None:
        missing["log_from"] = log_from
    for name, next_seq in (("telemetry", attempt.next_telemetry), ("events", attempt.next_event)):
        last_seq = (report.get(name) or {}).get("last_seq") or 0
        if next_seq <= last_seq:
            missing[f"{name}_from"] = next_seq
    whole = set(attempt.artifacts.exclude(completed_at=None).values_list("name", "sha256"))
    files = [one["name"] for one in report.get("artifacts") or [] if (one["name"], one["sha256"]) not in whole]
    if files:
        missing["artifacts"] = files
    return missing


def _log_missing_from(attempt: Attempt, log: Mapping[str, Any]) -> int | None:
    """From which byte the log has to be sent; None when all of it is here, and is what the host has."""
    size = log.get("size") or 0
    if attempt.log_bytes < size:
        return attempt.log_bytes
    if not log or (attempt.log_bytes == size and log_sha256(attempt) == log.get("sha256")):
        return None
    return _forget_log(attempt)


@transaction.atomic
def _forget_log(attempt: Attempt) -> int:
    """The bytes here are not those of the host's file, so that it sends them again from the start."""
    locked = lock_attempt(attempt.pk)
    if locked is not None and not locked.finish_id:
        LogChunk.objects.filter(attempt=locked).delete()
        Attempt.objects.filter(pk=locked.pk).update(log_bytes=0)
        note(job=locked.job, event="log_sent_again", attempt=locked, reason="The log here differed from the host's.")
    return 0


@transaction.atomic
def _finish(attempt: Attempt, report: Mapping[str, Any]) -> Attempt:
    locked = lock_attempt(attempt.pk)
    if locked is None:
        raise AgentRefused(404, "no_attempt", "This host has no such attempt.")
    if locked.finish_id:
        return locked
    _refuse_unaccepted(locked)
    outcome = Outcome(report["outcome"])
    is_current = _is_current(locked, outcome)
    was_lost = locked.state == AttemptState.LOST
    _store(locked, outcome, report, is_late=not is_current)
    if not is_current:
        reason = "A late result: another attempt had taken its place, or the job was over. It is kept, and not counted."
        note(job=locked.job, event="late_finish", attempt=locked, reason=reason)
    elif outcome in FINAL or locked.job.cancel_requested_at is not None:
        _end_job(locked, outcome, event="late_adopted" if was_lost else "finished")
    else:
        _try_again(locked, outcome)
    _judge_host(locked, outcome)
    return locked


def _is_current(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether the job still turns on this attempt: it runs, or it was lost and nobody else has begun."""
    if attempt.state != AttemptState.LOST:
        return True
    return attempt.job.state == JobState.QUEUED and outcome in FINAL


def _store(attempt: Attempt, outcome: Outcome, report: Mapping[str, Any], *, is_late: bool) -> None:
    now = clock.db_now()
    tried_again = not is_late and outcome not in FINAL and attempt.job.cancel_requested_at is None
    tried_again = tried_again and attempt.job.attempts_used < ATTEMPTS_PER_JOB
    # One report of a job counts, and that of a host's fault does not while the job is tried again.
    counts = "" if tried_again else Verdict.ACCEPTED
    code = str(report.get("code") or outcome)[:40]
    move_attempt(
        attempt=attempt,
        to=AttemptState.DONE,
        finish_id=report["finish_id"],
        finish_sha256=_digest(report),
        finish=dict(report),
        outcome=outcome,
        verdict=Verdict.LATE if is_late else counts,
        reason_code="" if outcome == Outcome.SUCCEEDED else code,
        reason="" if outcome == Outcome.SUCCEEDED else _sentence(code, report),
        ended_at=attempt.ended_at or now,
        finished_at=now,
        phase="",
    )


def _sentence(code: str, report: Mapping[str, Any]) -> str:
    told = shown_characters(str(report.get("detail") or REASONS.get(code) or ""))
    if not told and report.get("signal"):
        told = f"Its program was ended by signal {report['signal']}."
    if not told and report.get("exit_code") is not None:
        told = f"Its program ended with exit code {report['exit_code']}."
    return (told or f"The host says: {code}.")[:500]


def _end_job(attempt: Attempt, outcome: Outcome, *, event: str) -> None:
    job = attempt.job
    asked_to_cancel = job.cancel_requested_at is not None
    too_late = asked_to_cancel and outcome in FINAL
    to = FINAL.get(outcome, JobState.CANCELLED)
    reason = attempt.reason
    if too_late:
        reason = f"It had ended by itself before the host heard of the cancellation. {reason}".strip()
    elif to == JobState.CANCELLED:
        reason = "Cancelled while it ran."
    transition(
        job=job,
        to=to,
        event=event,
        attempt=attempt,
        code="cancel_too_late" if too_late else attempt.reason_code,
        reason=reason,
        cancel_came_late=too_late,
    )


def _try_again(attempt: Attempt, outcome: Outcome) -> None:
    """The host could not, or would not: the job goes to the next one, unless it has had enough of them."""
    job = attempt.job
    if job.attempts_used < ATTEMPTS_PER_JOB:
        to, reason = JobState.QUEUED, f"{attempt.agent}: {attempt.reason} The job waits for a host again."
    else:
        to, reason = JobState.FAILED, f"{attempt.reason} It was the last of {job.attempts_used} attempts."
    transition(job=job, to=to, event=outcome, attempt=attempt, code=attempt.reason_code, reason=reason)


def _judge_host(attempt: Attempt, outcome: Outcome) -> None:
    """Set a GPU aside that no longer answers, and a host that fails whatever it is given."""
    if attempt.reason_code in LOST_GPU:
        gpus = Gpu.objects.filter(agent=attempt.agent_id, uuid__in=attempt.gpu_uuids, quarantined_at=None)
        gpus.update(quarantined_at=clock.db_now(), quarantine_reason=attempt.reason[:200])
    host = Agent.objects.filter(pk=attempt.agent_id)
    if outcome in FINAL:
        host.exclude(failures_in_a_row=0).update(failures_in_a_row=0)
    elif outcome == Outcome.INFRA_FAILED and attempt.reason_code not in NOT_SICK:
        host.update(failures_in_a_row=F("failures_in_a_row") + 1)
        agent = host.get()
        if agent.failures_in_a_row >= FAILURES_TO_QUARANTINE and agent.quarantined_at is None:
            reason = f"It failed {agent.failures_in_a_row} attempts in a row; the last: {attempt.reason}"
            agents.quarantine(agent=agent, by=None, reason=reason[:200])


@transaction.atomic
def _note_conflict(attempt: Attempt) -> None:
    """Moderators hear of it once for each attempt."""
    if JobEvent.objects.filter(job=attempt.job_id, attempt=attempt, event="finish_conflict").exists():
        return
    reason = f"{attempt.agent} sent two different reports of one attempt; the first one stands."
    note(job=attempt.job, event="finish_conflict", attempt=attempt, reason=reason)
    notify(
        to=active_moderators(),
        kind=NotificationKind.MODERATION,
        title=f"Job {attempt.job_id}: two different reports of one attempt",
        text=reason,
        url=f"/jobs/{attempt.job_id}/",
        data={"event": "finish_conflict", "job": attempt.job_id},
    )
