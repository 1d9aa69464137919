"""An HTTP proxy on loopback that loses replies and sends requests twice, as a bad network does.

It reads whole messages with a Content-Length, which is what the agent and the site send each other.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from contextlib import suppress

HEAD_END = b"\r\n\r\n"
#: a reply that is not there by then is lost
REPLY_S = 20.0


class FaultyProxy(threading.Thread):
    """Forwards to `target`; once `is_faulty`, it loses the reply of a share of requests, and sends a share twice."""

    def __init__(self, target: int, *, losing: float, doubling: float, seed: int) -> None:
        super().__init__(daemon=True, name="faulty-proxy")
        self._target, self._losing, self._doubling = target, losing, doubling
        self._dice = random.Random(seed)
        self._ready = threading.Event()
        self.is_faulty = False
        self.port = 0
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        asyncio.run(self._serve())

    def wait_until_up(self) -> None:
        self._ready.wait(10)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _message(reader):
                self.counts["requests"] += 1
                reply = await self._forward(request)
                if reply is None:
                    self.counts["site away"] += 1
                    break
                if self.is_faulty and self._dice.random() < self._losing:
                    self.counts["replies lost"] += 1
                    break
                writer.write(reply)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            with suppress(OSError):
                writer.close()

    async def _forward(self, request: bytes) -> bytes | None:
        times = 2 if self.is_faulty and self._dice.random() < self._doubling else 1
        self.counts["requests doubled"] += times - 1
        reply = None
        for _ in range(times):
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                reply = await asyncio.wait_for(self._once(request), REPLY_S) or reply
        return reply

    async def _once(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target, limit=1 << 20)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader, is_head=request.startswith(b"HEAD "))
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader, *, is_head: bool = False) -> bytes:
    """One whole request or reply; b"" at the end of the connection."""
    try:
        head = await reader.readuntil(HEAD_END)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    has_no_body = is_head or b" 204 " in head[:20]
    return head + (b"" if has_no_body else await reader.readexactly(length))
