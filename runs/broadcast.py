"""Brings what was committed to everyone who watches a run: serialised once, ten times a second, bounded per viewer.

One broadcaster per process. With one process the writer hands over what it committed. With several (a channel layer
that is shared), each process has one subscription per watched run; a message on it is only a nudge, and the process
reads the events behind the last it delivered from the database. Order of seq is order of commit, so it misses none.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from django.db import close_old_connections

from runs.queries import events_after, find_run, run_body
from runs.writer import Committed

logger = logging.getLogger(__name__)

FRAME_EVERY_S = 0.1
VIEWERS_EVERY_S = 2.0
COUNT_IS_OLD_S = 10.0
#: frames that wait for one viewer before it is sent back to the database
MAX_FRAMES = 64
READ_AT_ONCE = 5_000


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
        #: process -> (viewers there, when it said so)
        self.elsewhere: dict[str, tuple[int, float]] = {}
        #: the number of viewers as they were last told it
        self.told: int | None = None

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
        self._counter: asyncio.Task[None] | None = None
        self._is_closed = False

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
                channel.delivered = await _last_seq(key)
                await self._shared_bus().subscribe(key)
        # Who reconnects while the site stops would hold it up.
        viewer = Viewer(closed=self._is_closed)
        channel.viewers.add(viewer)
        channel.told = None
        if self._counter is None or self._counter.done():
            self._counter = self._keep(self._announce_counts())
        return viewer

    async def leave(self, key: str, viewer: Viewer) -> None:
        channel = self.channels.get(key)
        if channel is None:
            return
        channel.viewers.discard(viewer)
        if not channel.viewers:
            del self.channels[key]
            if channel.flush is not None:
                channel.flush.cancel()
            if self._bus is not None:
                await self._bus.unsubscribe(key)

    def publish(self, committed: Committed) -> None:
        """Called by the writer after a commit, in its thread."""
        loop = self._loop
        if self._shared():
            self._nudge(committed)
        if loop is not None and self.channels and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, committed)

    def close(self) -> None:
        """End every stream of this process; callable from a signal handler."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._is_closed = True
        for channel in self.channels.values():
            for viewer in channel.viewers:
                viewer.closed = True
                viewer.ready.set()

    def _deliver(self, committed: Committed) -> None:
        if not self._shared():
            for key, events in committed.events.items():
                if key in self.channels:
                    self.channels[key].pending += events
                    self._schedule(self.channels[key])
        for key in committed.runs & self.channels.keys():
            self._keep(self._send_run(key))
        for key, scores in committed.scores.items():
            if key in self.channels:
                for score in scores:
                    self._send(self.channels[key], {"type": "score", "run": key, "score": score.model_dump()})

    def nudged(self, key: str, *, run_changed: bool) -> None:
        """Another process, or this one, committed events of a run."""
        channel = self.channels.get(key)
        if channel is None:
            return
        channel.nudged = True
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
            events = await _read_after(channel.key, channel.delivered or 0)
        finally:
            channel.is_reading = False
        if events:
            channel.delivered = events[-1][0]
            self._push(channel, events)
        if channel.nudged or len(events) == READ_AT_ONCE:
            channel.nudged = True
            self._schedule(channel)

    def _push(self, channel: Channel, events: Sequence[tuple[int, str]]) -> None:
        frame = events_frame(channel.key, events)
        for viewer in channel.viewers:
            viewer.push(frame)

    async def _send_run(self, key: str) -> None:
        body = await _run_body(key)
        if body is not None and key in self.channels:
            self._send(self.channels[key], {"type": "run", "run": body})

    def _send(self, channel: Channel, message: dict[str, Any]) -> None:
        frame = Frame((), orjson.dumps(message).decode(), b"")
        for viewer in channel.viewers:
            viewer.push(frame)

    async def _announce_counts(self) -> None:
        """Tell the viewers of every run how many they are, while there are any."""
        while self.channels:
            for channel in list(self.channels.values()):
                if self._bus is not None:
                    await self._bus.send_count(channel.key, len(channel.viewers))
                if channel.told != channel.count:
                    channel.told = channel.count
                    self._send(channel, {"type": "viewers", "run": channel.key, "count": channel.count})
            await asyncio.sleep(VIEWERS_EVERY_S)

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
            self._bus = Bus(self)
        return self._bus

    def _nudge(self, committed: Committed) -> None:
        """From the writer's thread, over the channel layer to every process that watches, this one included."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        for key in committed.events.keys() | committed.runs:
            message = {"type": "nudge", "key": key, "run_changed": key in committed.runs}
            asyncio.run_coroutine_threadsafe(_layer().group_send(group_name(key), message), loop)


class Bus:
    """One channel of the shared layer for this process; a group for each run that is watched here."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        self.broadcaster = broadcaster
        self.layer = _layer()
        self.channel = ""
        self._task: asyncio.Task[None] | None = None

    async def subscribe(self, key: str) -> None:
        if self._task is None or self._task.done():
            self.channel = await self.layer.new_channel()
            self._task = asyncio.get_running_loop().create_task(self._receive())
        await self.layer.group_add(group_name(key), self.channel)

    async def unsubscribe(self, key: str) -> None:
        await self.layer.group_discard(group_name(key), self.channel)

    async def send_count(self, key: str, count: int) -> None:
        message = {"type": "count", "key": key, "process": self.broadcaster.process, "count": count}
        await self.layer.group_send(group_name(key), message)

    async def _receive(self) -> None:
        while True:
            try:
                message = await self.layer.receive(self.channel)
            except Exception:
                # The Redis client turns a cancellation that meets its time limit into an error of its own.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                logger.exception("The channel layer failed; trying again")
                await asyncio.sleep(1)
                continue
            if message["type"] == "nudge":
                self.broadcaster.nudged(message["key"], run_changed=message["run_changed"])
            elif message["type"] == "count":
                self.broadcaster.counted(message["key"], message["process"], message["count"])


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS has no default")
    return layer


def group_name(key: str) -> str:
    """Keys are free text, group names are not."""
    return f"run.{sha256(key.encode()).hexdigest()[:40]}"


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
