"""Takes the steps of a call over HTTP, once for programs with asyncio and once for those without."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast
from urllib.parse import urlsplit

import httpx2

from gpuagent import __version__
from gpuagent.client.errors import NotConfigured
from gpuagent.client.steps import Emit, Hear, Listen, Pause, Reply, Request, Save, Send, Step, Steps
from gpuagent.client.uploads import Part

T = TypeVar("T")
CONNECT_S, ANSWER_S = 10.0, 60.0
USER_AGENT = f"gpuagent-client/{__version__} (Python {platform.python_version()})"
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Target:
    """A site, and who asks it."""

    url: str
    token: str = field(repr=False)
    timeout_s: float = ANSWER_S

    @classmethod
    def of(cls, url: str | None, token: str | None, *, timeout_s: float, allow_http: bool) -> Target:
        """From what is given, else LEM_URL and LEM_TOKEN. Raises NotConfigured."""
        url = (os.environ.get("LEM_URL", "") if url is None else url).strip().rstrip("/")
        token = (os.environ.get("LEM_TOKEN", "") if token is None else token).strip()
        if not url:
            raise NotConfigured("No address: give url=, or set LEM_URL, such as https://bench.example.org.")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise NotConfigured(f"{url!r} is no address: {error}.") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise NotConfigured(f"{url!r} is not a site's address: it is such as https://bench.example.org.")
        if parts.username or parts.password:
            raise NotConfigured("The address holds a user name: a token goes into token= or LEM_TOKEN.")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise NotConfigured("The token holds characters that no token has: copy it once more.")
        if token and parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
            raise NotConfigured(f"{url} would carry the token in the clear: use https, or say allow_http=True.")
        return cls(url.removesuffix("/api"), token, timeout_s)

    def address(self, path: str) -> str:
        return path if "://" in path else self.url + path

    def headers(self, request: Request) -> dict[str, str]:
        """The token goes to the site itself and nowhere else."""
        own = {"Accept": "*/*", **request.headers}
        if self.token and _origin(self.address(request.path)) == _origin(self.url):
            own["Authorization"] = f"Bearer {self.token}"
        return own

    def timeout(self, request: Request) -> httpx2.Timeout:
        read_s = request.read_timeout_s or self.timeout_s
        return httpx2.Timeout(self.timeout_s, connect=min(CONNECT_S, self.timeout_s), read=read_s)


class SyncTransport:
    """For one program, all its threads."""

    def __init__(self, target: Target, http: httpx2.BaseTransport | None) -> None:
        self.target = target
        self._client = httpx2.Client(headers={"User-Agent": USER_AGENT}, transport=http)

    def close(self) -> None:
        self._client.close()

    def run(self, steps: Steps[T]) -> T:
        for _ in self._taken(steps, result := _Result[T]()):
            raise AssertionError("a call gives one answer")
        return result.value

    def iterate(self, steps: Steps[Any]) -> Iterator[Any]:
        return self._taken(steps, _Result())

    def _taken(self, steps: Steps[T], result: _Result[T]) -> Iterator[Any]:
        with ExitStack() as closing, ExitStack() as listening:
            closing.callback(steps.close)
            lines: Iterator[str] = iter(())
            answer: Any = None
            failure: Exception | None = None
            while (step := result.next(steps, answer, failure)) is not None:
                answer = failure = None
                try:
                    if isinstance(step, Emit):
                        yield step.item
                    elif isinstance(step, Pause):
                        time.sleep(step.seconds)
                    elif isinstance(step, Hear):
                        answer = next(lines, None)
                    elif isinstance(step, Listen):
                        listening.close()
                        answer, lines = self._listen(step.request, listening)
                    else:
                        answer = self._ask(step)
                except httpx2.TransportError as error:
                    failure = error

    def _ask(self, step: Send | Save) -> Reply:
        with ExitStack() as closing:
            response = self._client.send(self._built(step.request, closing), stream=True)
            closing.callback(response.close)
            if isinstance(step, Save) and response.is_success:
                step.sink.restart()
                for chunk in response.iter_bytes(CHUNK):
                    step.sink.write(chunk)
                return _reply(response)
            return _reply(response, response.read())

    def _listen(self, request: Request, closing: ExitStack) -> tuple[Reply, Iterator[str]]:
        with ExitStack() as sending:
            response = self._client.send(self._built(request, sending), stream=True)
        closing.callback(response.close)
        if response.is_success:
            return _reply(response), response.iter_lines()
        return _reply(response, response.read()), iter(())

    def _built(self, request: Request, closing: ExitStack) -> httpx2.Request:
        return _built(self._client.build_request, self.target, request, closing)


class AsyncTransport:
    """For one event loop."""

    def __init__(self, target: Target, http: httpx2.AsyncBaseTransport | None) -> None:
        self.target = target
        self._client = httpx2.AsyncClient(headers={"User-Agent": USER_AGENT}, transport=http)

    async def close(self) -> None:
        await self._client.aclose()

    async def run(self, steps: Steps[T]) -> T:
        async for _ in self._taken(steps, result := _Result[T]()):
            raise AssertionError("a call gives one answer")
        return result.value

    def iterate(self, steps: Steps[Any]) -> AsyncIterator[Any]:
        return self._taken(steps, _Result())

    async def _taken(self, steps: Steps[T], result: _Result[T]) -> AsyncIterator[Any]:
        async with AsyncExitStack() as closing, AsyncExitStack() as listening:
            closing.callback(steps.close)
            lines: AsyncIterator[str] | None = None
            answer: Any = None
            failure: Exception | None = None
            while (step := result.next(steps, answer, failure)) is not None:
                answer = failure = None
                try:
                    if isinstance(step, Emit):
                        yield step.item
                    elif isinstance(step, Pause):
                        await asyncio.sleep(step.seconds)
                    elif isinstance(step, Hear):
                        answer = await anext(lines, None) if lines else None
                    elif isinstance(step, Listen):
                        await listening.aclose()
                        answer, lines = await self._listen(step.request, listening)
                    else:
                        answer = await self._ask(step)
                except httpx2.TransportError as error:
                    failure = error

    async def _ask(self, step: Send | Save) -> Reply:
        with ExitStack() as files:
            response = await self._client.send(self._built(step.request, files), stream=True)
            try:
                if isinstance(step, Save) and response.is_success:
                    step.sink.restart()
                    async for chunk in response.aiter_bytes(CHUNK):
                        step.sink.write(chunk)
                    return _reply(response)
                return _reply(response, await response.aread())
            finally:
                await response.aclose()

    async def _listen(self, request: Request, closing: AsyncExitStack) -> tuple[Reply, AsyncIterator[str] | None]:
        with ExitStack() as sending:
            response = await self._client.send(self._built(request, sending), stream=True)
        closing.push_async_callback(response.aclose)
        if response.is_success:
            return _reply(response), response.aiter_lines()
        return _reply(response, await response.aread()), None

    def _built(self, request: Request, closing: ExitStack) -> httpx2.Request:
        return _built(self._client.build_request, self.target, request, closing)


class _Result(Generic[T]):
    """The end of the steps, which an iterator has no way to give back."""

    value: T

    def next(self, steps: Steps[T], answer: Any, failure: Exception | None) -> Step | None:
        try:
            return steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as end:
            self.value = end.value
            return None


def _built(
    build: Callable[..., httpx2.Request], target: Target, request: Request, closing: ExitStack
) -> httpx2.Request:
    files = [("file", (part.name, _opened(part, closing), "application/octet-stream")) for part in request.parts]
    body: dict[str, Any] = {"json": request.json} if request.json is not None else {}
    if files:
        body = {"files": files, "data": dict(request.form)}
    try:
        return build(
            request.method,
            target.address(request.path),
            params=list(_pairs(request)) or None,
            headers=target.headers(request),
            timeout=target.timeout(request),
            **body,
        )
    except httpx2.InvalidURL as error:
        raise NotConfigured(f"{target.address(request.path)!r} cannot be asked: {error}") from None


def _pairs(request: Request) -> Iterator[tuple[str, str]]:
    """None is not given, and several values are the same name several times."""
    for name, value in request.query.items():
        several = [value] if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else value
        for one in several:
            if one is not None:
                yield name, ("1" if one else "0") if isinstance(one, bool) else str(one)


def _opened(part: Part, closing: ExitStack) -> BinaryIO:
    if isinstance(part.content, bytes):
        return BytesIO(part.content)
    if isinstance(part.content, Path):
        return closing.enter_context(part.content.open("rb"))
    part.content.seek(0)
    return cast(BinaryIO, part.content)


def _reply(response: httpx2.Response, content: bytes = b"") -> Reply:
    return Reply(response.status_code, response.headers, str(response.url), content)


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
