"""The real site in this process, as a transport of the client: no socket, and the test's own database."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from accounts.models import Scope
from accounts.services.tokens import create_token
from gpuagent.client import AsyncClient, Client

URL = "http://localhost"


class InProcess(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    def __init__(self) -> None:
        self._wsgi = httpx2.WSGITransport(app=WSGIHandler(), wsgi_errors=io.StringIO())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        # Django keeps a connection of its own for programs with an event loop, and the test's rows are not on it.
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return self._answer(request, content)
        finally:
            asyncio._set_running_loop(loop)

    def _answer(self, request: httpx2.Request, content: bytes) -> httpx2.Response:
        # A copy in plain: what is compressed would be unpacked twice on its way through here.
        headers = [(name, value) for name, value in request.headers.multi_items() if name != "accept-encoding"]
        whole = httpx2.Request(request.method, request.url, headers=headers, content=content)
        with _connection_kept():
            answer = self._wsgi.handle_request(whole)
            body = answer.read()
            answer.close()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)


@contextmanager
def _connection_kept() -> Iterator[None]:
    """The end of a request must not end the test's transaction; Django's own test client does the same."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def token(user, *scopes: str) -> str:
    return create_token(user=user, name="client", scopes=scopes or Scope.values)[1]


def client(user=None, *scopes: str) -> Client:
    return Client(URL, token(user, *scopes) if user else "", transport=InProcess())


def async_client(user=None, *scopes: str) -> AsyncClient:
    return AsyncClient(URL, token(user, *scopes) if user else "", transport=InProcess())
