"""Brings what was committed to everyone who watches a run: serialised once, ten times a second, bounded per viewer.

One broadcaster per process. With one process the writer hands over what it committed. With several (a channel layer
that is shared), each process has one subscription per watched run; a message on it is only a nudge, and the process
reads the events behind the last it delivered from the database. Order of seq is order of commit, so it misses none.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from django.db import DatabaseError, InterfaceError, close_old_connections

from lemsite.lib import metrics
from runs.bus import BUS_AWAY, Bus, group_name
from runs.queries import events_after, find_run, run_body
from runs.writer import Committed

logger = logging.getLogger(__name__)

FRAME_EVERY_S = 0.1
VIEWERS_EVERY_S = 2.0
COUNT_IS_OLD_S = 10.0
#: how long a stop waits for readers that do not read, and for the last messages to the other processes
STREAMS_END_WITHIN_S, NUDGES_END_WITHIN_S = 2.0, 5.0
#: frames that wait for one viewer before it is sent back to the database
MAX_FRAMES = 64
READ_AT_ONCE = 5_000
#: after the database did not answer
READ_AGAIN_S = 1.0
#: a message to other processes takes no longer, or the channel layer is away
BUS_WITHIN_S = 2.0
#: so many rounds of VIEWERS_EVERY_S apart, the database is asked without a nudge, which may have been lost
LOOK_EVERY_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """Some events of one run, serialised once for all viewers; or a message without events."""

    events: Sequence[tuple[int, str]]
    #: for websockets
    text: str
    #: for SSE; empty for messages that SSE readers do not know
    sse: bytes

    @property
    def last_seq(self) -> int:
        return self.events[-1][0] if self.events else 0


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page or stream. `behind` is set when it was too slow: it reads from the database then."""

    frames: deque[Frame] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    behind: bool = False
    closed: bool = False

    def push(self, frame: Frame) -> None:
        if len(self.frames) >= MAX_FRAMES:
            self.frames.clear()
            self.behind = True
        self.frames.append(frame)
        self.ready.set()


class Channel:
    """The viewers of one run in this process."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.viewers: set[Viewer] = set()
        self.pending: list[tuple[int, str]] = []
        #: the last seq that went out; only where events are read from the database
        self.delivered: int | None = None
        self.nudged = False
        #: one read of the database at a time: two would deliver the same events twice
        self.is_reading = False
        self.flush: asyncio.TimerHandle | None = None
        self.flushed_at = 0.0
        #: when the oldest event that waits here was committed, seconds since the epoch
        self.waits_since: float | None = None
        #: process -> (viewers there, when it said so)
        self.elsewhere: dict[str, tuple[int, float]] = {}
        #: the number of viewers as they were last told it
        self.told: int | None = None

    def wait_since(self, committed_at: float) -> None:
        if self.waits_since is None:
            self.waits_since = committed_at

    @property
    def count(self) -> int:
        fresh = time.monotonic() - COUNT_IS_OLD_S
        return len(self.viewers) + sum(count for count, at in self.elsewhere.values() if at > fresh)


class Broadcaster:
    """Lives on the event loop of its process; `publish` may be called from any thread."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.process = uuid.uuid4().hex
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bus: Bus | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        #: messages to the other processes that are on their way
        self._nudges: set[Future[None]] = set()
        self._counter: asyncio.Task[None] | None = None
        self._bus_is_away = False
        self._is_closed = False
        self._is_unwatched = asyncio.Event()
        self._is_unwatched.set()

    def attach(self) -> None:
        """Name the event loop of this process; every entry point calls it."""
        self._loop = asyncio.get_running_loop()

    async def join(self, key: str) -> Viewer:
        """A new viewer of a run. Everything committed from now on reaches it, some of it perhaps known already."""
        self.attach()
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel(key)
            if self._shared():
                await self._begin(channel)
        # Who reconnects while the site stops would hold it up.
        viewer = Viewer(closed=self._is_closed)
        channel.viewers.add(viewer)
        self._is_unwatched.clear()
        channel.told = None
        if self._counter is None or self._counter.done():
            self._counter = self._keep(self._announce_counts())
        return viewer

    async def _begin(self, channel: Channel) -> None:
        """Raises what the database raises; then nothing of the channel stays, unless others have joined it already."""
        try:
            channel.delivered = await _last_seq(channel.key)
        except BaseException:
            if not channel.viewers:
                self.channels.pop(channel.key, None)
            raise
        await self._tell_others(channel)

    async def leave(self, key: str, viewer: Viewer) -> None:
        channel = self.channels.get(key)
        if channel is None:
            return
        channel.viewers.discard(viewer)
        if not channel.viewers:
            del self.channels[key]
            if channel.flush is not None:
                channel.flush.cancel()
            if not self.channels:
                self._is_unwatched.set()
            if self._bus is not None:
                # A group that stays for a while costs other processes a message each, which is dropped here.
                with suppress(*BUS_AWAY):
                    await self._bus.unsubscribe(key)

    def publish(self, committed: Committed) -> None:
        """Called by the writer after a commit, in its thread."""
        loop = self._loop
        if self._shared():
            self._nudge(committed)
        if loop is not None and self.channels and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, committed)

    async def end_streams(self) -> None:
        """Every reader is told to come back later; who does not read any more is not waited for long."""
        self._is_closed = True
        for channel in self.channels.values():
            for viewer in channel.viewers:
                viewer.closed = True
                viewer.ready.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_unwatched.wait(), STREAMS_END_WITHIN_S)

    async def finish(self) -> None:
        """Let the other processes hear of what was committed here: their viewers would wait for the next event."""
        if self._nudges:
            nudges = [asyncio.wrap_future(nudge) for nudge in list(self._nudges)]
            await asyncio.wait(nudges, timeout=NUDGES_END_WITHIN_S)

    def _deliver(self, committed: Committed) -> None:
        if not self._shared():
            for key, events in committed.events.items():
                if key in self.channels:
                    self.channels[key].pending += events
                    self.channels[key].wait_since(committed.at)
                    self._schedule(self.channels[key])
        for key in committed.runs & self.channels.keys():
            self._keep(self._send_run(key))
        for key, scores in committed.scores.items():
            if key in self.channels:
                for score in scores:
                    self._send(self.channels[key], {"type": "score", "run": key, "score": score.model_dump()})

    def nudged(self, key: str, *, run_changed: bool, committed_at: float | None = None) -> None:
        """Another process, or this one, committed events of a run."""
        channel = self.channels.get(key)
        if channel is None:
            return
        channel.nudged = True
        if committed_at is not None:
            channel.wait_since(committed_at)
        self._schedule(channel)
        if run_changed:
            self._keep(self._send_run(key))

    def counted(self, key: str, process: str, count: int) -> None:
        if key in self.channels and process != self.process:
            self.channels[key].elsewhere[process] = (count, time.monotonic())

    def _schedule(self, channel: Channel) -> None:
        """The first event of a pause goes out at once, the rest ten times a second."""
        if channel.flush is None and self._loop is not None:
            wait = max(channel.flushed_at + FRAME_EVERY_S - self._loop.time(), 0)
            channel.flush = self._loop.call_later(wait, self._flush, channel)

    def _flush(self, channel: Channel) -> None:
        channel.flush = None
        channel.flushed_at = asyncio.get_running_loop().time()
        if channel.nudged and not channel.is_reading:
            channel.nudged, channel.is_reading = False, True
            self._keep(self._flush_from_database(channel))
        elif channel.pending:
            events, channel.pending = channel.pending, []
            self._push(channel, events)

    async def _flush_from_database(self, channel: Channel) -> None:
        try:
            events = await self._unseen(channel)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The events of run %s cannot be read now: %s", channel.key, error)
            channel.nudged = True
            asyncio.get_running_loop().call_later(READ_AGAIN_S, self._schedule, channel)
            return
        finally:
            channel.is_reading = False
        if events:
            channel.delivered = events[-1][0]
            self._push(channel, events)
        if channel.nudged or len(events) == READ_AT_ONCE:
            channel.nudged = True
            self._schedule(channel)

    async def _unseen(self, channel: Channel) -> list[tuple[int, str]]:
        if channel.delivered is not None:
            events: list[tuple[int, str]] = await _read_after(channel.key, channel.delivered)
            return events
        # It began while the database was away. Its viewers know where they are, and read on from there.
        channel.delivered = await _last_seq(channel.key)
        for viewer in channel.viewers:
            viewer.behind = True
            viewer.ready.set()
        return []

    def _push(self, channel: Channel, events: Sequence[tuple[int, str]]) -> None:
        frame = events_frame(channel.key, events)
        for viewer in channel.viewers:
            viewer.push(frame)
        if channel.waits_since is not None:
            # Another machine's clock may be ahead of this one.
            metrics.BROADCAST_LAG.observe(max(time.time() - channel.waits_since, 0.0))
            channel.waits_since = None

    async def _send_run(self, key: str) -> None:
        try:
            body = await _run_body(key)
        except (DatabaseError, InterfaceError):
            # A page that is open asks for the state itself, when its socket comes back or the run ends.
            return
        if body is not None and key in self.channels:
            self._send(self.channels[key], {"type": "run", "run": body})

    def _send(self, channel: Channel, message: dict[str, Any]) -> None:
        frame = Frame((), orjson.dumps(message).decode(), b"")
        for viewer in channel.viewers:
            viewer.push(frame)

    async def _announce_counts(self) -> None:
        """Tell the viewers of every run how many they are, while there are any."""
        for round_ in itertools.count():
            for channel in list(self.channels.values()):
                if self._shared() and self._bus is not None:
                    await self._tell_others(channel)
                    if round_ % LOOK_EVERY_ROUNDS == 0:
                        self.nudged(channel.key, run_changed=False)
                if channel.told != channel.count:
                    channel.told = channel.count
                    self._send(channel, {"type": "viewers", "run": channel.key, "count": channel.count})
            await asyncio.sleep(VIEWERS_EVERY_S)
            if not self.channels:
                return

    async def _tell_others(self, channel: Channel) -> None:
        """Hear of the run's events, and say how many watch here. Where the layer is away, the database is asked what
        is new, each time; when it is back, once more, for what was committed in between."""
        try:
            async with asyncio.timeout(BUS_WITHIN_S):
                bus = self._shared_bus()
                # Each time: a Redis that was started anew, or a day later, knows of no group.
                await bus.subscribe(channel.key)
                await bus.send_count(channel.key, len(channel.viewers))
            was_away, self._bus_is_away = self._bus_is_away, False
        except BUS_AWAY as error:
            self.bus_failed(error)
            was_away = True
        if was_away:
            for each in self.channels:
                self.nudged(each, run_changed=True)

    def bus_failed(self, error: BaseException) -> None:
        if not self._bus_is_away:
            logger.error("The channel layer does not answer; new events are looked for in the database: %r", error)
        self._bus_is_away = True

    def _keep(self, coroutine: Any) -> asyncio.Task[Any]:
        """The loop keeps only weak references to tasks."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _shared(self) -> bool:
        return not isinstance(get_channel_layer(), InMemoryChannelLayer)

    def _shared_bus(self) -> Bus:
        if self._bus is None:
            self._bus = Bus(self, _layer())
        return self._bus

    def _nudge(self, committed: Committed) -> None:
        """From the writer's thread, over the channel layer to every process that watches, this one included."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        for key in committed.events.keys() | committed.runs:
            message = {"type": "nudge", "key": key, "run_changed": key in committed.runs, "at": committed.at}
            # Unless it can be told soon, the others find it when they look by themselves.
            telling = asyncio.wait_for(_layer().group_send(group_name(key), message), BUS_WITHIN_S)
            nudge = asyncio.run_coroutine_threadsafe(telling, loop)
            self._nudges.add(nudge)
            nudge.add_done_callback(self._nudges.discard)


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS has no default")
    return layer


def events_frame(key: str, events: Sequence[tuple[int, str]]) -> Frame:
    head = orjson.dumps({"type": "events", "run": key, "seq": events[-1][0]}).decode()
    text = f'{head[:-1]},"events":[{",".join(text for _, text in events)}]}}'
    return Frame(tuple(events), text, sse_bytes(events))


def sse_bytes(events: Sequence[tuple[int, str]]) -> bytes:
    """Event texts are compact JSON, so that none holds a line break."""
    return "".join(f"id: {seq}\ndata: {text}\n\n" for seq, text in events).encode()


def newer(frame: Frame, seq: int) -> Sequence[tuple[int, str]]:
    """The frame's events that a reader at `seq` has not seen."""
    return [event for event in frame.events if event[0] > seq]


def in_database(function: Any) -> Any:
    """A read in a thread of its own pool, which leaves no connection open behind it."""

    def call(*args: Any) -> Any:
        close_old_connections()
        try:
            return function(*args)
        finally:
            close_old_connections()

    return sync_to_async(call, thread_sensitive=False)


@in_database
def _last_seq(key: str) -> int:
    run = find_run(key)
    return run.last_seq if run else 0


@in_database
def _read_after(key: str, seq: int) -> list[tuple[int, str]]:
    run = find_run(key)
    return events_after(run, seq, READ_AT_ONCE) if run else []


@in_database
def _run_body(key: str) -> dict[str, Any] | None:
    run = find_run(key)
    return run_body(run) if run else None


broadcaster = Broadcaster()
