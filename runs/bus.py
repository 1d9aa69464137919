"""One subscription of a process to the channel layer that several processes share."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Protocol

from channels.layers import BaseChannelLayer
from redis.exceptions import RedisError

#: what a channel layer that is away raises
BUS_AWAY = (RedisError, OSError, TimeoutError)


class Watched(Protocol):
    """Who is told of what comes."""

    process: str

    def nudged(self, key: str, *, run_changed: bool, committed_at: float | None = None) -> None: ...

    def counted(self, key: str, process: str, count: int) -> None: ...

    def bus_failed(self, error: BaseException) -> None: ...


class Bus:
    """One channel of the shared layer for this process; a group for each run that is watched here."""

    def __init__(self, broadcaster: Watched, layer: BaseChannelLayer) -> None:
        self.broadcaster = broadcaster
        self.layer = layer
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
            except Exception as error:
                # The Redis client turns a cancellation that meets its time limit into an error of its own.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                self.broadcaster.bus_failed(error)
                await asyncio.sleep(1)
                continue
            if message["type"] == "nudge":
                # Without "at" it comes from a process of the version before.
                run_changed, committed_at = message["run_changed"], message.get("at")
                self.broadcaster.nudged(message["key"], run_changed=run_changed, committed_at=committed_at)
            elif message["type"] == "count":
                self.broadcaster.counted(message["key"], message["process"], message["count"])


def group_name(key: str) -> str:
    """Keys are free text, group names are not."""
    return f"run.{sha256(key.encode()).hexdigest()[:40]}"
