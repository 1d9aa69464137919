"""What a call does, without doing it: each call is a generator of steps, and a transport takes them.

The transports for programs with and without asyncio differ in how they take a step, and in nothing else. A step that
fails raises in the generator, which so decides itself whether to ask again.
"""

from __future__ import annotations

import functools
import math
import random
import secrets
from collections.abc import Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx2
from pydantic import TypeAdapter, ValidationError

from gpuagent import __version__
from gpuagent.client.errors import BadReply, ReplyLost, SiteAway, error_class
from gpuagent.client.sinks import Sink
from gpuagent.client.uploads import Part

T = TypeVar("T")
Query = Mapping[str, Any]
#: answers after which the same again may succeed
BUSY = {408, 425, 429, 500, 502, 503, 504}
#: of these, the ones given before anything was done
NOT_BEGUN = {425, 429, 503}
#: a request that bears it is done once, however often it arrives
KEY = "Idempotency-Key"
MAX_REDIRECTS = 5
#: the request was never sent
UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the site; `path` is an address where it leads elsewhere, and then no token goes along."""

    method: str
    path: str
    query: Query = field(default_factory=dict)
    json: Any = None
    #: fields of a form beside its files
    form: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: whether doing it twice is the same as doing it once
    is_repeatable: bool = False
    read_timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `content` is empty where it went to a file or is still to come."""

    status: int
    headers: httpx2.Headers
    #: what was asked
    url: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Answered with a Reply."""

    request: Request


@dataclass(frozen=True, slots=True)
class Save:
    """The body goes to `sink` if the answer is a success."""

    request: Request
    sink: Sink


@dataclass(frozen=True, slots=True)
class Listen:
    """Opens a stream of lines, which `Hear` reads. Answered with a Reply."""

    request: Request


@dataclass(frozen=True, slots=True)
class Hear:
    """Answered with the next line of the open stream, or None at its end."""


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Gives the caller of an iterator its next item."""

    item: Any


Step = Send | Save | Listen | Hear | Pause | Emit
Steps = Generator[Step, Any, T]


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how slowly a request is repeated."""

    attempts: int = 5
    first_wait_s: float = 0.5
    last_wait_s: float = 20.0
    #: a site that asks for longer gets its answer told to the caller
    longest_wait_s: float = 90.0

    def wait_s(self, attempt: int) -> float:
        """Twice as long each time, and not in step with other clients."""
        slower_s = self.first_wait_s * 2.0 ** (attempt - 1)
        return min(self.last_wait_s, slower_s) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, no secret


PATIENCE = Patience()
#: of what waits anyway: outlives a restart of the site, and a site that is away for half an hour
LASTING = Patience(attempts=100, longest_wait_s=300.0)


def ask(step: Send | Save | Listen, patience: Patience = PATIENCE) -> Steps[Reply]:
    """A successful answer, after as many tries as the request may have. Raises LemError."""
    try:
        return (yield from _tried(step, patience))
    finally:
        for part in step.request.parts:
            part.close()


def _tried(step: Send | Save | Listen, patience: Patience) -> Steps[Reply]:
    redirects = 0
    is_lost = False
    attempt = 1
    while True:
        try:
            reply: Reply = yield step
        except httpx2.TransportError as error:
            is_lost = is_lost or not isinstance(error, UNSENT)
            if attempt >= patience.attempts or (is_lost and not step.request.is_repeatable):
                raise _given_up(step.request, error, attempt, is_lost=is_lost) from error
            wait_s = patience.wait_s(attempt)
        else:
            if 300 <= reply.status < 400 and redirects < MAX_REDIRECTS:
                redirects += 1
                step = replace(step, request=_redirected(step.request, reply))
                continue
            if reply.status < 300 or (is_lost and step.request.method == "DELETE" and reply.status in {404, 410}):
                return reply
            wait_s = _wait_after_answer(step.request, reply, attempt, patience)
        attempt += 1
        yield Pause(wait_s)


def _given_up(request: Request, error: Exception, attempts: int, *, is_lost: bool) -> SiteAway:
    problem = f"{request.method} {request.path}: {type(error).__name__}: {error}"
    if is_lost and (KEY in request.headers or not request.is_repeatable):
        return ReplyLost(f"{problem}. It may have happened all the same: look before you send it again.")
    return SiteAway(f"The site cannot be reached ({attempts} tries). {problem}")


def _wait_after_answer(request: Request, reply: Reply, attempt: int, patience: Patience) -> float:
    asked_s = retry_after_s(reply.headers.get("Retry-After", ""))
    may_repeat = reply.status in (BUSY if request.is_repeatable else NOT_BEGUN)
    # An earlier try, whose answer was lost, is still being answered.
    may_repeat = may_repeat or (reply.status == 409 and asked_s > 0 and KEY in request.headers)
    if not may_repeat or attempt >= patience.attempts or asked_s > patience.longest_wait_s:
        raise error_class(reply.status)(
            reply.status,
            _error_body(reply),
            request_id=reply.headers.get("X-Request-ID", ""),
            retry_after_s=asked_s,
        )
    return asked_s + patience.wait_s(attempt)


def _redirected(request: Request, reply: Reply) -> Request:
    target = urljoin(reply.url, reply.headers.get("Location", ""))
    if request.method != "GET" or urlsplit(target).scheme not in {"http", "https"}:
        raise BadReply(f"{request.method} {request.path} is sent on to {target}: use the site's address of today.")
    return replace(request, path=target, query={})


def _error_body(reply: Reply) -> Mapping[str, Any]:
    try:
        body = TypeAdapter(dict[str, Any]).validate_json(reply.content)
        if "error" in body:
            return body
    except ValidationError:
        pass
    # Such as the page of a proxy in front of the site.
    text = reply.content[:200].decode("utf-8", "replace").strip()
    return {"error": {"message": f"HTTP {reply.status}, and the answer is not a lemsite's: {text!r}"}}


def retry_after_s(text: str) -> float:
    """Seconds, from either form of the header; 0 where it says nothing."""
    try:
        wait_s = float(text)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return 0.0 if math.isnan(wait_s) else max(wait_s, 0.0)


def understood(request: Request, reply: Reply, shape: type[T]) -> T:
    """The answer as its type. Raises BadReply that names what is missing."""
    try:
        # A type is a key like any other, which its own type does not say.
        return cast(T, _adapter(cast(Hashable, shape)).validate_json(reply.content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadReply(
            f"{request.method} {request.path}: {place}: {first['msg']}. This client ({__version__}) does not know "
            "such an answer: the site is of another version, or something else answers in its place."
        ) from None


@functools.cache
def _adapter(shape: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, shape))


def parsed(request: Request, reply: Reply) -> Any:
    """The answer as plain JSON. Raises BadReply."""
    try:
        return httpx2.Response(200, content=reply.content).json()
    except (JSONDecodeError, UnicodeDecodeError):
        text = reply.content[:80]
        raise BadReply(f"{request.method} {request.path}: the answer is not a lemsite's: {text!r}") from None


def get(path: str, **query: Any) -> Request:
    return Request("GET", path, query, is_repeatable=True)


def once(request: Request) -> Request:
    """The same with a key of its own, so that it can be sent again after a lost answer."""
    headers = {**request.headers, KEY: secrets.token_hex(16)}
    return replace(request, headers=headers, is_repeatable=True)


def fetch(request: Request, shape: type[T], patience: Patience = PATIENCE) -> Steps[T]:
    """One request, and its answer as a type."""
    return understood(request, (yield from ask(Send(request), patience)), shape)


def do(request: Request) -> Steps[None]:
    """A request whose answer holds nothing."""
    yield from ask(Send(request))


def at(template: str, *values: object) -> str:
    """A path with values in it, whatever characters they hold."""
    return template.format(*(quote(str(value), safe="") for value in values))


def list_of(values: object) -> list[str]:
    """One or several values, as text."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [str(values)]
    return [str(value) for value in values]


def pages(request: Request, shape: type[Any], *, limit: int | None = None) -> Steps[None]:
    """Emits the rows of a list, each page when it is needed; `limit` rows at most."""
    left = math.inf if limit is None else limit
    query = dict(request.query)
    while left > 0:
        if left < math.inf:
            query["limit"] = min(int(left), 500)
        page = yield from fetch(replace(request, query=query), shape)
        for row in page.results[: None if left == math.inf else int(left)]:
            yield Emit(row)
        left -= len(page.results)
        cursor = cursor_of(page.next)
        if not cursor:
            return
        query["cursor"] = cursor


def cursor_of(address: str | None) -> str:
    """Only the cursor counts: the address is the site's own idea of where it is."""
    return parse_qs(urlsplit(address or "").query).get("cursor", [""])[0]
