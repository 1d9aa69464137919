"""What a host is told when it is offered a job. It holds this against its own policy, which can only be stricter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jobs.models import AgentSession, Attempt, Job, JobKind

#: fetching a model may take so long before the wall limit begins
FETCH_S = 3600
#: a program that says nothing for so long hangs
SILENCE_S = 1800
LIMITS = {
    "fetch_s": FETCH_S,
    "silence_s": SILENCE_S,
    "memory_mib": 64 << 10,
    "cpus": 8,
    "pids": 1024,
    "disk_mib": 100 << 10,
}
#: files that are worth keeping, of each kind of job
COLLECT = {
    JobKind.LLEM: [
        "out/**/result.json",
        "out/**/config.json",
        "out/**/system.json",
        "out/**/manifest.json",
        "out/**/*.parquet",
    ],
    JobKind.RACE: ["out/**/*.json"],
}


def executor_for(job: Job, session: AgentSession) -> str:
    """By which of its ways a host runs a job."""
    if job.kind == JobKind.RACE:
        return "race"
    if job.is_simulated:
        return "simulate"
    return "container" if "container" in session.executors else "process"


def offer_of(attempt: Attempt, now: datetime) -> dict[str, Any]:
    """The offer of an attempt, the same each time it is asked for; `now` says how much of its time is left."""
    job = attempt.job
    left_s = (attempt.offer_until - now).total_seconds()
    return {
        "attempt": str(attempt.pk),
        "job": job.pk,
        "number": attempt.number,
        # Never 0: it is the answer to accept that says whether an offer is gone.
        "accept_within_s": max(round(left_s, 3), 0.001),
        "gpus": attempt.gpu_uuids,
        "executor": attempt.executor,
        "kind": job.kind,
        "engine": job.engine,
        "simulated": job.is_simulated,
        # The host's operator says in its policy which image an engine runs in; the site names none.
        "image": None,
        "config": job.rendered,
        "config_sha256": job.rendered_sha256,
        "limits": {**LIMITS, "wall_s": job.wall_s},
        "collect": COLLECT[JobKind(job.kind)],
        "model": _model(job),
    }


def _model(job: Job) -> dict[str, Any] | None:
    """What has to be fetched; the server of a race has its model."""
    if job.kind == JobKind.RACE:
        return None
    return {"id": job.config["model"], "revision": job.config.get("revision"), "gated": False}
