"""Runs on the site's GPUs: estimating, ordering, following, cancelling."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gpuagent.client import models
from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.downloads import download
from gpuagent.client.errors import NotFound, WaitedTooLong
from gpuagent.client.sinks import Destination, Download
from gpuagent.client.steps import LASTING, Emit, Pause, Request, Send, Steps, ask, at, fetch, get, once, pages

State = Literal["held", "queued", "offered", "running", "succeeded", "failed", "cancelled", "timed_out"]
OVER = {"succeeded", "failed", "cancelled", "timed_out"}
POLL_S = 2.0


class Jobs(Group[M]):
    """The queue. Reading is open to everyone; ordering needs a token with the scope jobs."""

    @listing(models.Job, "jobs_list")
    def list(
        self,
        *,
        owner: str | None = None,
        state: State | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Steps[None]:
        """The newest first."""
        return pages(get("/api/jobs", owner=owner, state=state, cursor=cursor), models.PaginatedJobList, limit=limit)

    @call("jobs_read")
    def get(self, job_id: int) -> Steps[models.Job]:
        """One job as it is now."""
        return fetch(get(at("/api/jobs/{}", job_id)), models.Job)

    @call("jobs_estimate")
    def estimate(
        self, config: Mapping[str, Any], *, kind: Literal["llem"] = "llem", simulate: bool = False
    ) -> Steps[models.Estimated]:
        """Minutes, energy, cost and place in the queue; nothing is ordered."""
        body = {"kind": kind, "config": dict(config), "simulate": simulate}
        return fetch(Request("POST", "/api/jobs/estimate", json=body, is_repeatable=True), models.Estimated)

    @call("jobs_create")
    def order(self, config: Mapping[str, Any], *, simulate: bool = False) -> Steps[models.Ordered]:
        """A benchmark. However often it has to be sent, it is ordered once."""
        return fetch(_order("llem", config, simulate), models.Ordered)

    @call("jobs_create")
    def order_race(self, config: Mapping[str, Any], *, simulate: bool = False) -> Steps[models.OrderedRace]:
        """The same prompts on several hosts at once, live."""
        return fetch(_order("race", config, simulate), models.OrderedRace)

    @call("jobs_cancel")
    def cancel(self, job_id: int, *, reason: str = "") -> Steps[models.Job]:
        """A waiting one is cancelled at once, a running one is asked to stop."""
        return fetch(Request("POST", at("/api/jobs/{}/cancel", job_id), json={"reason": reason}), models.Job)

    @call()
    def wait(
        self,
        job_id: int,
        *,
        on_change: Callable[[models.Job], None] | None = None,
        timeout_s: float | None = None,
        poll_s: float = POLL_S,
    ) -> Steps[models.Job]:
        """The job once it is over, however it went: look at its `state`. Raises WaitedTooLong."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        last: tuple[object, ...] = ()
        while True:
            job = yield from fetch(get(at("/api/jobs/{}", job_id)), models.Job, LASTING)
            if on_change and last != (last := (job.state, job.position, len(job.attempts))):
                on_change(job)
            if job.state in OVER:
                return job
            if until is not None and time.monotonic() >= until:
                raise WaitedTooLong(f"Job {job_id} is {job.state}. It goes on; cancel it if it should not.")
            yield Pause(poll_s)

    @call("jobs_log")
    def log(
        self, job_id: int, to: Destination, *, attempt: int | None = None, after: int | None = None
    ) -> Steps[Download]:
        """The log as far as it has come, as the host sent it, colours included; without its first `after` bytes."""
        return download(get(at("/api/jobs/{}/log", job_id), attempt=attempt, after=after), to)

    @listing(str, "jobs_log")
    def follow_log(self, job_id: int, *, attempt: int | None = None, poll_s: float = POLL_S) -> Steps[None]:
        """Pieces of the log as they come, each asked for once, until the job is over."""
        place = _Place("", 0)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            job = yield from fetch(get(at("/api/jobs/{}", job_id)), models.Job, LASTING)
            reached, content = yield from _read_on(job_id, attempt, place)
            if place.bytes and reached.attempt != place.attempt:
                yield Emit("\n")
                decoder.reset()
            if text := decoder.decode(content):
                yield Emit(text)
            place = reached
            if job.state in OVER:
                return
            yield Pause(poll_s)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a log was read: the number of its attempt, as the site tells it, and bytes."""

    attempt: str
    bytes: int


def _order(kind: str, config: Mapping[str, Any], simulate: bool) -> Request:
    return once(Request("POST", "/api/jobs", json={"kind": kind, "config": dict(config), "simulate": simulate}))


def _read_on(job_id: int, attempt: int | None, place: _Place) -> Steps[tuple[_Place, bytes]]:
    """What came behind `place`; where another attempt counts by now, with a log of its own, all of that."""
    while True:
        request = get(at("/api/jobs/{}/log", job_id), attempt=attempt, after=place.bytes)
        try:
            reply = yield from ask(Send(request), LASTING)
        except NotFound:
            return place, b""
        number = reply.headers.get("X-Log-Attempt", "")
        if number == place.attempt or not place.bytes:
            return _Place(number, place.bytes + len(reply.content)), reply.content
        place = _Place(number, 0)
