"""Live runs, read: what there is, what they did, what they do now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import httpx2

from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.live_shapes import LiveEvent, LiveEvents, LiveRun, LiveRunDetail, LiveRuns
from gpuagent.client.steps import LASTING, Emit, Hear, Listen, Pause, Request, Steps, ask, at, fetch, get, understood

#: a stream that is quiet for so long is asked again; the site's own sign of life comes after 15 s
QUIET_S, QUIET_AFTER_THE_END_S = 10.0, 3.0


class Runs(Group[M]):
    """Live runs and finished ones. No token is needed."""

    @call("runs_list")
    def list(self) -> Steps[Sequence[LiveRun]]:
        """The newest 500."""
        return (yield from fetch(get("/api/runs"), LiveRuns)).runs

    @call("runs_retrieve")
    def get(self, key: str) -> Steps[LiveRunDetail]:
        """One run and its scores."""
        return fetch(get(at("/api/runs/{}", key)), LiveRunDetail)

    @call("runs_events_retrieve")
    def events(
        self, key: str, *, after: int | None = None, limit: int | None = None, resolution: int | None = None
    ) -> Steps[Sequence[LiveEvent]]:
        """Its events in order of time; `resolution` (ms) thins them out to one of each lane in so much time."""
        request = get(at("/api/runs/{}/events", key), after=after, limit=limit, resolution=resolution)
        return (yield from fetch(request, LiveEvents)).events

    @listing(LiveEvent)
    def watch(self, key: str, *, after: int = 0) -> Steps[None]:
        """Its events from the first on, then as they come, until the run ends: none missed and none twice.

        Survives a site that is away for a while. `after` is the `stream_id` of the last event that you have.
        """
        about = get(at("/api/runs/{}", key))
        run = (yield from fetch(about, LiveRunDetail)).run
        last = after
        while True:
            stream = _Stream(key, last, QUIET_S if run.ended_at is None else QUIET_AFTER_THE_END_S)
            with suppress(httpx2.TransportError):
                yield from stream.read()
            if stream.last == last:
                # Whatever it is that gives no stream is not asked for one all the time.
                yield Pause(1.0)
            last = stream.last
            run = (yield from fetch(about, LiveRunDetail, LASTING)).run
            if run.ended_at is not None:
                more = get(at("/api/runs/{}/events", key), after=last, limit=1)
                if not (yield from fetch(more, LiveEvents, LASTING)).events:
                    return


@dataclass(slots=True)
class _Stream:
    """One connection to the server-sent events of a run; `last` is how far it has come."""

    key: str
    last: int
    quiet_s: float
    fields: dict[str, str] = field(default_factory=dict)

    def read(self) -> Steps[None]:
        """Until the stream ends or fails."""
        path = at("/api/runs/{}/stream", self.key)
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.last)}
        request = Request("GET", path, headers=headers, is_repeatable=True, read_timeout_s=self.quiet_s)
        reply = yield from ask(Listen(request), LASTING)
        while (line := (yield Hear())) is not None:
            if line:
                name, _, value = line.partition(":")
                self.fields[name] = value.removeprefix(" ")
                continue
            told, self.fields = self.fields, {}
            number = told.get("id", "")
            if number.isdecimal() and "data" in told and int(number) > self.last:
                event = understood(request, replace(reply, content=told["data"].encode()), LiveEvent)
                self.last = int(number)
                yield Emit(event.model_copy(update={"stream_id": self.last}))
