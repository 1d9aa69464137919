"""An open loop of HTTP requests: each is due at a moment that does not depend on how the others fare.

A request's time counts from the moment when it was due, so a site that stands still for a second is not told that only
one request was slow. Connections are kept and used again as browsers and proxies do.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from benchmarks.load.day import Asked, Day

ANSWERS_WITHIN_S = 30.0
MOST_CONNECTIONS = 1000
HEAD_END = b"\r\n\r\n"
GZIP = 16 + zlib.MAX_WBITS
TOO_MANY = 429


@dataclass
class Met:
    """What the requests of one kind have met."""

    #: of each request that was due, from that moment to its whole answer
    times_ms: list[float] = field(default_factory=list)
    #: 304, where the request had asked for it
    unchanged: int = 0
    #: 429: the site protects itself as it should
    limited: int = 0
    #: what went wrong, and how often
    errors: dict[str, int] = field(default_factory=dict)
    received_bytes: int = 0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def text(self) -> bytes:
        is_packed = self.body and self.headers.get("content-encoding") == "gzip"
        return zlib.decompress(self.body, GZIP) if is_packed else self.body


class Gone(ConnectionError):
    """The site closed the connection before the whole answer was here."""


class Connection(asyncio.Protocol):
    """One request after another; `answered` is the future of the one that is under way."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Answer] | None = None
        self.is_open = True
        self.has_answered_before = False
        self._data = bytearray()
        self._head: tuple[int, dict[str, str]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none by its class.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        assert self._transport
        self._data.clear()
        self._head = None
        self.answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self.answered

    def close(self) -> None:
        self.is_open = False
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._head is None and (end := self._data.find(HEAD_END)) >= 0:
            self._head = read_head(bytes(self._data[:end]))
            del self._data[: end + len(HEAD_END)]
        if self._head is None or not self.answered or self.answered.done():
            return
        status, headers = self._head
        body = whole_body(status, headers, self._data)
        if body is not None:
            self.has_answered_before = True
            self.is_open = self.is_open and headers.get("connection", "").lower() != "close"
            self.answered.set_result(Answer(status, headers, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self.answered and not self.answered.done():
            self.answered.set_exception(Gone("the connection was closed before the answer was whole"))


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def whole_body(status: int, headers: dict[str, str], data: bytearray) -> bytes | None:
    """None as long as some of it is missing."""
    if status in (204, 304):
        return b""
    if "content-length" in headers:
        length = int(headers["content-length"])
        return bytes(data[:length]) if len(data) >= length else None
    if "chunked" not in headers.get("transfer-encoding", ""):
        raise Gone("the answer does not say how long it is")
    return without_chunks(bytes(data)) if data.endswith(b"0\r\n\r\n") else None


def without_chunks(data: bytes) -> bytes:
    place, body = 0, b""
    while place < len(data):
        line, _, _ = data[place:].partition(b"\r\n")
        length, start = int(line, 16), place + len(line) + 2
        body += data[start : start + length]
        place = start + length + 2
    return body


class Load:
    """Sends what a day asks for, at a rate, and notes what it meets."""

    def __init__(self, port: int, day: Day, *, rate: float, seconds: float, seed: int) -> None:
        self._port, self._day, self._rate, self._seconds = port, day, rate, seconds
        self._dice = random.Random(seed)
        self._idle: list[Connection] = []
        self._open = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self.met: dict[str, Met] = {}
        #: how much later than it was due each request was sent: what the generator itself, not the site, is late
        self.late_ms: list[float] = []

    async def run(self) -> None:
        """Arrivals are as independent of each other as those of people: exponential times between them."""
        now = asyncio.get_running_loop().time
        began = due = now()
        while (due := due + self._dice.expovariate(self._rate)) < began + self._seconds:
            if (wait_s := due - now()) > 0:
                await asyncio.sleep(wait_s)
            task = asyncio.ensure_future(self._serve(self._day.next(), due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            self.late_ms.append((now() - due) * 1000)
        while self._under_way:
            await asyncio.gather(*self._under_way)
        for connection in self._idle:
            connection.close()

    async def _serve(self, asked: Asked, due: float) -> None:
        """One request, and what follows from its answer, as a host does with an offer."""
        met = self.met.setdefault(asked.kind, Met())
        try:
            answer = await asyncio.wait_for(self._answer(asked), ANSWERS_WITHIN_S)
        except (OSError, TimeoutError, ValueError, zlib.error) as error:
            self._note(met, asked, f"{type(error).__name__} {error}")
            return
        finally:
            met.times_ms.append((asyncio.get_running_loop().time() - due) * 1000)
        if self._is_right(asked, answer, met):
            for further in self._day.follow_up(asked, answer.text()):
                await self._serve(further, asyncio.get_running_loop().time())

    def _is_right(self, asked: Asked, answer: Answer, met: Met) -> bool:
        met.received_bytes += len(answer.body)
        if answer.status == TOO_MANY:
            met.limited += 1
            return False
        if wrong := what_is_wrong(asked, answer):
            self._note(met, asked, wrong)
            return False
        if answer.status == 304:
            met.unchanged += 1
        elif etag := answer.headers.get("etag"):
            self._day.saw(asked, etag)
        return True

    def _note(self, met: Met, asked: Asked, wrong: str) -> None:
        what = f"{asked.method} {asked.path[:60]}: {wrong}"
        met.errors[what] = met.errors.get(what, 0) + 1

    async def _answer(self, asked: Asked) -> Answer:
        request = asked.encode(f"127.0.0.1:{self._port}")
        while True:
            connection = await self._connection()
            was_used = connection.has_answered_before
            try:
                answer = await connection.send(request)
            except Gone:
                # A kept connection may end at the very moment; browsers send a GET again on a new one.
                if was_used and asked.is_safe:
                    continue
                raise
            finally:
                self._give_back(connection)
            return answer

    async def _connection(self) -> Connection:
        while self._idle:
            if (kept := self._idle.pop()).is_open:
                return kept
            self._open -= 1
        if self._open >= MOST_CONNECTIONS:
            raise ConnectionError(f"{MOST_CONNECTIONS} requests are under way")
        self._open += 1
        try:
            _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        except OSError:
            self._open -= 1
            raise
        return made

    def _give_back(self, connection: Connection) -> None:
        """One whose answer is not whole is of no more use."""
        if connection.is_open and connection.answered and connection.answered.done():
            self._idle.append(connection)
        else:
            connection.close()
            self._open -= 1


def what_is_wrong(asked: Asked, answer: Answer) -> str:
    """Empty for a right answer."""
    try:
        text = answer.text()
    except zlib.error as error:
        return f"HTTP {answer.status}, its gzip is broken: {error}"
    if answer.status not in asked.statuses:
        return f"HTTP {answer.status} {text[:120].decode(errors='replace')}"
    if answer.status in (204, 304):
        return ""
    if not text or asked.has not in text:
        return f"HTTP {answer.status} without {asked.has.decode() or 'a body'}"
    if asked.has_not and asked.has_not in text:
        return f"HTTP {answer.status} with {asked.has_not.decode()}"
    return ""


def run(load: Load) -> None:
    """On uvloop where it is installed: the generator shares the machine with what it measures."""
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None
    try:
        from uvloop import new_event_loop as loop_factory
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(load.run())
