"""Refuses request bodies that are too large, before anything reads them into memory."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lemsite.errors import TITLES, too_large_message
from lemsite.lib.api_errors import error_body

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# How much of a refused body is read and dropped, so that the client is listening when the answer comes: one that is
# still sending when the connection closes sees a reset instead of the answer.
DRAIN_FACTOR = 4


class BodyTooLarge(Exception):
    """The body has grown past the limit while it was being read; `more` of it is to come."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


class BodyLimit:
    """Answers 413 in place of the application when a request is longer than `max_bytes`."""

    def __init__(self, application: Application, *, max_bytes: int) -> None:
        self.application = application
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if _declared_length(headers) > self.max_bytes:
            # A client that asked with "Expect: 100-continue" is waiting, and has sent nothing yet.
            await self._refuse(scope, receive, send, more=b"expect" not in headers)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise BodyTooLarge(more=message.get("more_body", False))
            return message

        try:
            await self.application(scope, counted, send)
        except BodyTooLarge as error:
            await self._refuse(scope, receive, send, more=error.more)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, more: bool) -> None:
        dropped = 0
        while more and dropped < DRAIN_FACTOR * self.max_bytes:
            message = await receive()
            dropped += len(message.get("body", b""))
            more = message.get("more_body", False)
        content_type, body = _answer(scope["path"])
        headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _declared_length(headers: dict[bytes, bytes]) -> int:
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


def _answer(path: str) -> tuple[bytes, bytes]:
    message = too_large_message()
    if path.startswith("/api/"):
        return b"application/json", json.dumps(error_body(413, message)).encode()
    title = TITLES[413]
    page = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{message}</p>"
    return b"text/html; charset=utf-8", page.encode()
