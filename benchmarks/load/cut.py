"""A TCP proxy on loopback that can be cut, or made silent: it stands before PostgreSQL, Redis or S3."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

PIECE_BYTES = 1 << 16
#: to carry out a cut or a mend
ACT_S = 10.0
HANDED_OVER_S = 0.02


class CuttableProxy(threading.Thread):
    """Forwards to `host`:`target` until it is cut, and again once it is mended; the port stays the same.

    As a context manager it starts and stops itself.
    """

    def __init__(self, target: int, *, host: str = "127.0.0.1") -> None:
        super().__init__(daemon=True, name=f"cuttable-proxy-{target}")
        self._target = (host, target)
        # Bound for good and never listening: while the proxy is cut, who calls is refused, and nobody takes the port.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._begun = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once it forwards."""
        super().start()
        self._begun.wait(ACT_S)
        self.mend()

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._begun.set)
        self._loop.run_forever()
        self._loop.close()

    def cut(self) -> None:
        """Drop the live connections, with a reset, and refuse new ones."""
        self._act(self._cut())

    def hang(self) -> None:
        """Keep the connections and take new ones, but pass nothing on: a network that swallows packets."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def mend(self) -> None:
        """Forward again. What was held back while it hung comes late."""
        self._act(self._mend())

    def stop(self) -> None:
        if self.is_alive():
            self.cut()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self.join(ACT_S)
        self._holder.close()

    def _act(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(ACT_S)

    async def _cut(self) -> None:
        # A connection that asyncio has accepted, and not yet handed over, would be lost sight of.
        await asyncio.sleep(HANDED_OVER_S)
        if self._server is not None:
            self._server.close()
            self._server = None
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _mend(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, sock=_bound(self.port), backlog=512)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = asyncio.current_task()
        if pipe is None or self._server is None:
            # Taken before the cut, and seen after it.
            writer.transport.abort()
            return
        self._pipes.add(pipe)
        opened = [writer]
        try:
            await self._flows.wait()
            back, forth = await asyncio.open_connection(*self._target)
            opened.append(forth)
            await self._carry((reader, forth), (back, writer))
        except asyncio.CancelledError:
            for one in opened:
                one.transport.abort()
        except OSError:
            pass
        finally:
            self._pipes.discard(pipe)
            for one in opened:
                one.close()

    async def _carry(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Both ways, until one end is there."""
        tasks = [asyncio.ensure_future(self._copy(source, target)) for source, target in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE_BYTES):
                await self._flows.wait()
                target.write(piece)
                await target.drain()
            # What was written must leave before the connection is dropped.
            target.write_eof()


def _bound(port: int) -> socket.socket:
    """Several may hold a port as long as only one of them listens."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    return held
