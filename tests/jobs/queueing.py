"""Jobs in the queue and hosts that take them, through the services."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from jobs.models import Attempt, Job, JobState
from jobs.services import claiming, clock, finishing
from jobs.services.tickets import issue_ticket
from tests.jobs.factories import AgentFactory, GpuFactory, JobFactory, SessionFactory

numbers = count()


def queued(**fields: Any) -> Job:
    """A job that waits, with its ticket."""
    job = JobFactory(**fields)
    if job.state == JobState.QUEUED:
        issue_ticket(job)
    return job


def host(*, gpus: int = 1, executors: tuple[str, ...] = ("container",), gpu: Any = None, **fields: Any) -> Any:
    """A living host: .agent, .session, .gpus."""
    agent = AgentFactory(**fields)
    session = SessionFactory(agent=agent, executors=list(executors))
    return SimpleNamespace(
        agent=agent, session=session, gpus=[GpuFactory(agent=agent, **(gpu or {})) for _ in range(gpus)]
    )


def claim(host: Any, claim_id: str = "", **asked: Any) -> Attempt | None:
    host.agent.refresh_from_db()
    claim_id = claim_id or f"claim-of-test-{next(numbers)}"
    return claiming.claim(agent=host.agent, session=host.session, claim_id=claim_id, **asked)


def offered(host: Any, job: Job | None = None) -> Attempt:
    job = job or queued()
    attempt = claim(host)
    assert attempt is not None
    assert attempt.job_id == job.pk
    return attempt


def running(host: Any, job: Job | None = None) -> Attempt:
    return claiming.accept(attempt=offered(host, job))


def report(outcome: str = "succeeded", **fields: Any) -> dict[str, Any]:
    """What a host says at the end of an attempt that left neither log nor files."""
    return {"finish_id": "finish-one", "outcome": outcome, "code": "ok" if outcome == "succeeded" else outcome} | fields


def finish(attempt: Attempt, outcome: str = "succeeded", **fields: Any) -> finishing.Finished:
    return finishing.finish(attempt=attempt, report=report(outcome, **fields))


def later(monkeypatch: Any, **ahead: float) -> Any:
    """The database's clock goes ahead by so much; returns its time."""
    then = timezone.now() + timedelta(**ahead)
    monkeypatch.setattr(clock, "db_now", lambda: then)
    return then
