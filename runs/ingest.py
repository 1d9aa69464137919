"""POST /api/ingest: live messages in, acknowledged after the commit. A raw ASGI application, for speed.

Replies have the published contract's form: {"ok": true, "kind"} or {"error"}.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from accounts.models import Scope
from accounts.services.tokens import find_token
from lemsite.lib import metrics
from runs.broadcast import broadcaster
from runs.wire import BadMessage, Parsed, parse_message
from runs.writer import Outcome, Writer, WriterBusy

ASGIScope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 8 << 20
MAX_BATCH = 10_000
#: messages one token may send: so many a second, with bursts of up to that many seconds' worth
MESSAGES_PER_S, BURST_S = 20_000, 10
TOKEN_KNOWN_S = 15.0
#: a commit that takes longer is not waited for: the sender is told to send again
STORED_WITHIN_S = 10.0
MAX_TOKENS_KNOWN = 1_000
NO_TOKEN = "The header X-Ingest-Token is missing or wrong."  # noqa: S105 - a sentence

writer = Writer(broadcaster.publish)


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after_s = status, message, retry_after_s


@dataclass(slots=True)
class Sender:
    """Whom a token stands for, and what it has left to send."""

    owner_id: int | None
    known_until: float
    allowance: float = MESSAGES_PER_S * BURST_S
    counted_at: float = 0.0

    def take(self, messages: int) -> None:
        """Raises Refused with 429 when the sender is too fast."""
        now = time.monotonic()
        full = MESSAGES_PER_S * BURST_S
        self.allowance = min(self.allowance + (now - self.counted_at) * MESSAGES_PER_S, full)
        self.counted_at = now
        if messages > self.allowance:
            wait_s = int((messages - self.allowance) / MESSAGES_PER_S) + 1
            message = f"More than {MESSAGES_PER_S:,} messages a second; wait {wait_s} s."
            raise Refused(429, message, retry_after_s=wait_s)
        self.allowance -= messages


_senders: dict[str, Sender] = {}


async def ingest(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """The ASGI application of POST /api/ingest."""
    broadcaster.attach()
    try:
        if scope["method"] != "POST":
            raise Refused(405, "Only POST.")
        headers = dict(scope["headers"])
        sender = await _sender(headers)
        body = await _read_body(headers, receive)
        status, answer = 200, await _take_in(body, headers.get(b"content-type", b""), sender)
        retry_after_s = None
    except Refused as refused:
        status, answer, retry_after_s = refused.status, {"error": refused.message}, refused.retry_after_s
        metrics.count_refused_ingest(status)
    await _answer(send, status, answer, retry_after_s)


async def _take_in(body: bytes, content_type: bytes, sender: Sender) -> dict[str, Any]:
    if content_type.startswith((b"application/x-ndjson", b"application/ndjson", b"application/jsonl")):
        return await _take_batch([_load_line(line) for line in body.splitlines() if line.strip()], sender)
    value = _load(body)
    if isinstance(value, list):
        return await _take_batch(value, sender)
    sender.take(1)
    try:
        parsed = parse_message(value)
    except BadMessage as error:
        metrics.ingest_malformed.inc()
        raise Refused(400, str(error)) from None
    outcome = (await _store([parsed], sender))[0]
    (metrics.ingest_unknown_run if outcome else metrics.ingest_accepted).inc()
    if outcome is not None:
        raise Refused(404, outcome)
    return {"ok": True, "kind": parsed.kind}


async def _take_batch(values: Sequence[Any], sender: Sender) -> dict[str, Any]:
    """Row by row: what is right is stored, the reply names the rest."""
    if len(values) > MAX_BATCH:
        raise Refused(413, f"A batch holds up to {MAX_BATCH:,} messages; this one has {len(values):,}.")
    sender.take(len(values))
    good: list[tuple[int, Parsed]] = []
    rejected: list[dict[str, Any]] = []
    for index, value in enumerate(values):
        try:
            if isinstance(value, BadMessage):
                raise value
            good.append((index, parse_message(value)))
        except BadMessage as error:
            rejected.append({"index": index, "error": str(error)})
    metrics.ingest_malformed.inc(len(rejected))
    if good:
        outcomes = await _store([parsed for _, parsed in good], sender)
        pairs = zip(good, outcomes, strict=True)
        unknown = sum(outcome is not None for outcome in outcomes)
        metrics.ingest_accepted.inc(len(good) - unknown)
        metrics.ingest_unknown_run.inc(unknown)
        rejected += [{"index": index, "error": outcome} for (index, _), outcome in pairs if outcome is not None]
    rejected.sort(key=lambda one: one["index"])
    return {"ok": True, "accepted": len(values) - len(rejected), "rejected": rejected}


async def _store(messages: Sequence[Parsed], sender: Sender) -> list[Outcome]:
    try:
        async with asyncio.timeout(STORED_WITHIN_S):
            return await asyncio.wrap_future(writer.submit(messages, sender.owner_id))
    except WriterBusy:
        raise Refused(503, "Too much waits to be stored; send again in a second.", retry_after_s=1) from None
    except (DatabaseError, InterfaceError, TimeoutError):
        raise _database_away() from None


def _database_away() -> Refused:
    return Refused(503, "The database does not answer; send again.", retry_after_s=2)


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        what = "The body is empty" if not body.strip() else f"The body is not JSON: {str(error)[:120]}"
        raise Refused(400, f"{what}.") from None


def _load_line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadMessage(f"The line is not JSON: {str(error)[:120]}.")


async def _read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    too_large = Refused(413, f"A body may have up to {MAX_BODY_BYTES >> 20} MiB; send smaller batches.")
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise too_large
    parts: list[bytes] = []
    more, size = True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The body ended early.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise too_large
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _sender(headers: Mapping[bytes, bytes]) -> Sender:
    """The shared secret of INGEST_TOKEN, or an API token with the scope ingest, in either header."""
    plain = headers.get(b"x-ingest-token", b"").decode("latin-1").strip()
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    if not plain and authorization[:7].lower() == "bearer ":
        plain = authorization[7:].strip()
    if not plain:
        raise Refused(401, NO_TOKEN)
    known = _senders.get(plain)
    if known is not None and known.known_until > time.monotonic():
        return known
    owner_id = None if _is_shared_secret(plain) else await _owner_of(plain)
    if len(_senders) > MAX_TOKENS_KNOWN:
        _senders.clear()
    sender = known or Sender(owner_id, 0.0, counted_at=time.monotonic())
    sender.owner_id, sender.known_until = owner_id, time.monotonic() + TOKEN_KNOWN_S
    _senders[plain] = sender
    return sender


def _is_shared_secret(plain: str) -> bool:
    secret: str = settings.INGEST_TOKEN
    return bool(secret) and hmac.compare_digest(plain.encode(), secret.encode())


async def _owner_of(plain: str) -> int:
    try:
        async with asyncio.timeout(STORED_WITHIN_S):
            owner_id = await sync_to_async(_find_owner, thread_sensitive=False)(plain)
    except (DatabaseError, InterfaceError, TimeoutError):
        raise _database_away() from None
    if owner_id is None:
        _senders.pop(plain, None)
        raise Refused(401, NO_TOKEN)
    return owner_id


def _find_owner(plain: str) -> int | None:
    close_old_connections()
    try:
        token = find_token(plain)
        return token.user_id if token is not None and token.allows(Scope.INGEST) else None
    finally:
        close_old_connections()


async def _answer(send: Send, status: int, answer: Mapping[str, Any], retry_after_s: int | None) -> None:
    body = orjson.dumps(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
