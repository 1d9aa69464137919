"""/ws/runs/<id>/: the same frames for pages. What a page sends is not read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from runs.broadcast import Viewer, broadcaster, events_frame, newer
from runs.stream import AWAY, BEGINS_WITHIN_S, READ_AT_ONCE, RETRY_S, find, read_events

#: a page that is further behind fetches the state again instead
MAX_REPLAY = 2_000
NOT_FOUND = 4404
#: the code of RFC 6455's registry for "come back in a moment"
SERVICE_RESTART = 1012
#: of the same registry, for "not now"
TRY_AGAIN_LATER = 1013
RESYNC = orjson.dumps({"type": "resync"}).decode()


class RunConsumer(AsyncWebsocketConsumer):
    """One open page of one run."""

    viewer: Viewer | None = None
    pump: asyncio.Task[None] | None = None
    key = ""

    async def connect(self) -> None:
        self.key = self.scope["url_route"]["kwargs"]["key"]
        run, refusal = None, NOT_FOUND
        # Before the page is let in: from then on it misses nothing.
        try:
            async with asyncio.timeout(BEGINS_WITHIN_S):
                run = await find(self.key)
                self.viewer = await broadcaster.join(self.key) if run is not None else None
        except AWAY:
            refusal = TRY_AGAIN_LATER
        await self.accept()
        if run is None or self.viewer is None:
            await self.close(refusal)
            return
        after = parse_qs(self.scope["query_string"].decode("latin-1")).get("after", [""])[-1]
        seq = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else run.last_seq
        self.pump = asyncio.ensure_future(self._pump(self.viewer, seq))

    async def disconnect(self, code: int) -> None:
        if self.pump is not None:
            self.pump.cancel()
        if self.viewer is not None:
            await broadcaster.leave(self.key, self.viewer)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """Pages only listen; whatever comes is dropped unread."""

    async def _pump(self, viewer: Viewer, seq: int) -> None:
        seq = await self._replay(seq)
        while not viewer.closed:
            if viewer.behind:
                viewer.behind = False
                viewer.frames.clear()
                await self.send(text_data=RESYNC)
                seq = run.last_seq if (run := await self._asked(find, self.key)) else seq
            elif not viewer.frames:
                viewer.ready.clear()
                await viewer.ready.wait()
            else:
                seq = await self._send_frame(viewer, seq)
        await self.close(SERVICE_RESTART)

    async def _send_frame(self, viewer: Viewer, seq: int) -> int:
        frame = viewer.frames.popleft()
        if not frame.events:
            await self.send(text_data=frame.text)
            return seq
        if frame.last_seq <= seq:
            return seq
        unseen = newer(frame, seq)
        whole = len(unseen) == len(frame.events)
        await self.send(text_data=frame.text if whole else events_frame(self.key, unseen).text)
        return frame.last_seq

    async def _replay(self, seq: int) -> int:
        """What happened since the page was rendered."""
        replayed = 0
        while events := await self._asked(read_events, self.key, seq, READ_AT_ONCE):
            if replayed + len(events) > MAX_REPLAY:
                await self.send(text_data=RESYNC)
                run = await self._asked(find, self.key)
                return run.last_seq if run else seq
            await self.send(text_data=events_frame(self.key, events).text)
            replayed += len(events)
            seq = events[-1][0]
        return seq

    async def _asked(self, read: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """What the database says, once it says anything: the page keeps its socket meanwhile."""
        while True:
            try:
                return await read(*arguments)
            except AWAY:
                await asyncio.sleep(RETRY_S)
