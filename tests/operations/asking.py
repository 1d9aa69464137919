"""Requests through the ASGI application, as a server makes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from prometheus_client.registry import REGISTRY

from lemsite.asgi import application

STRANGER = ("203.0.113.9", 50_000)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


async def ask(path, *, method="GET", headers=None, body=b"", client=STRANGER, app=application) -> Answer:
    path, _, query = path.partition("?")
    sent = {"host": "testserver", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": client,
        "server": ("testserver", 80),
    }
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    messages = []

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop()

    async def send(message):
        messages.append(message)

    await app(scope, receive, send)
    start = messages[0]
    head = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], head, b"".join(one.get("body", b"") for one in messages[1:]))


def counted(name, **labels) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
