"""Around everything that is asked of a web process: an id, a count, a duration, a line in the access log."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings

from lemsite.body_limit import Application, Message, Receive, Scope, Send
from lemsite.lib import metrics, request_ids
from lemsite.observing import pool
from lemsite.observing.noted import KEY, Noted

access = logging.getLogger("lemsite.access")

INGEST, STREAM, SOCKET, WATCHED = "api:ingest", "api:run-stream", "ws:run", "watched"
#: the client went before it was answered
CLIENT_GONE = 499
TOO_LARGE = 413
#: paths and routes that take results, and what their answers mean
UPLOAD_ROUTES = {"/api/benchmarks": "api:benchmark-list", "/submit": "leaderboard:submit"}
REFUSAL_REASONS = {
    400: "not_readable", 401: "not_signed_in", 403: "not_allowed", 409: "wrong_moment", 413: "too_large",
    415: "wrong_type", 422: "not_right", 429: "over_quota",
}  # fmt: skip


class Observed:
    """An ASGI application for HTTP, observed. The duration holds the wait for a thread, as the visitor feels it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)
        token = request_ids.begin(request_id)
        noted = scope[KEY] = Noted()
        header = (b"x-request-id", request_id.encode())
        started = time.perf_counter()
        status = CLIENT_GONE
        streams = False

        async def observed(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
                if noted.route == STREAM and status == 200:
                    streams = True
                    metrics.STREAM_VIEWERS.labels("sse").inc()
            await send(message)

        try:
            await self.application(scope, receive, observed)
        except Exception:
            status = 500
            raise
        finally:
            if streams:
                metrics.STREAM_VIEWERS.labels("sse").dec()
            if status == TOO_LARGE:
                # Refused before Django looked for its route.
                noted.route = UPLOAD_ROUTES.get(scope["path"].rstrip("/"), noted.route)
            record(scope["method"], noted, status, time.perf_counter() - started)
            request_ids.end(token)


class ObservedSocket:
    """An ASGI application for websockets, counted while they are open."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = request_ids.begin(request_id_of(scope))
        is_open = False

        async def observed(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.accept":
                is_open = True
                metrics.STREAM_VIEWERS.labels("websocket").inc()
            await send(message)

        try:
            await self.application(scope, receive, observed)
        finally:
            metrics.REQUESTS.labels(SOCKET, "GET", "101" if is_open else "403").inc()
            if is_open:
                metrics.STREAM_VIEWERS.labels("websocket").dec()
            request_ids.end(token)


def request_id_of(scope: Scope) -> str:
    """The trusted proxy's, where it names a sane one. An address that such a proxy told has the port 0 in uvicorn."""
    client = scope.get("client")
    if settings.TRUSTED_PROXY and client and client[1] == 0:
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                return request_ids.sane(value.decode("latin-1"))
    return request_ids.new()


def record(method: str, noted: Noted, status: int, seconds: float) -> None:
    method = metrics.method_label(method)
    metrics.REQUESTS.labels(noted.route, method, str(status)).inc()
    if noted.route != STREAM:
        metrics.REQUEST_DURATION.labels(noted.route).observe(seconds)
    if method == "POST" and noted.route in UPLOAD_ROUTES.values():
        _count_upload(status)
    pool.sample_now_and_then()
    # Live messages come by the thousand, probes by the second: only what is refused is worth a line.
    if settings.ACCESS_LOG and not (noted.route in (INGEST, WATCHED) and status == 200):
        duration_ms = round(seconds * 1000, 1)
        fields = {"method": method, "route": noted.route, "status": status, "duration_ms": duration_ms}
        extra = {**fields, "user_id": noted.user_id}
        access.info("%s %s %s %s ms user %s", method, noted.route, status, duration_ms, noted.user_id, extra=extra)


def _count_upload(status: int) -> None:
    if status < 400:
        metrics.UPLOADS.labels("previewed" if status == 200 else "accepted", "").inc()
    else:
        reason = "fault_of_ours" if status >= 500 else REFUSAL_REASONS.get(status, "other")
        metrics.UPLOADS.labels("refused", reason).inc()
