"""The ASGI application: websockets to Channels, live events and static files past Django, the rest to Django."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
stock_handler = get_asgi_application()

# Below this line the apps are loaded, and modules with models may be imported.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator, WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from lemsite.body_limit import BodyLimit  # noqa: E402
from lemsite.handler import OneHopHandler  # noqa: E402
from lemsite.headers import Hardened  # noqa: E402
from lemsite.health import PATHS as WATCHED_PATHS  # noqa: E402
from lemsite.lib import draining  # noqa: E402
from lemsite.observing.asgi import INGEST, STREAM, WATCHED, Observed, ObservedSocket  # noqa: E402
from lemsite.observing.noted import KEY  # noqa: E402
from lemsite.observing.watching import watching  # noqa: E402
from lemsite.static_route import StaticFiles  # noqa: E402
from runs.ingest import ingest  # noqa: E402
from runs.routing import websocket_urlpatterns  # noqa: E402
from runs.stream import stream, stream_key  # noqa: E402

INGEST_PATHS = frozenset({"/api/ingest", "/api/ingest/"})

django = stock_handler if settings.LEMSITE_HANDLER == "stock" else OneHopHandler(settings.LEMSITE_HANDLER_THREADS)
static_files = StaticFiles()


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Events come and go by the thousand: past Django's middleware and threads, twelve times as many fit."""
    path = scope["path"]
    if draining.is_draining():
        send = _last_on_connection(send)
    if path in INGEST_PATHS:
        scope[KEY].route = INGEST
        await ingest(scope, receive, send)
    elif path in WATCHED_PATHS:
        scope[KEY].route = WATCHED
        await watching(scope, receive, send)
    elif path in static_files:
        await static_files(scope, receive, send)
    elif stream_key(path) is not None:
        scope[KEY].route = STREAM
        await stream(scope, receive, send)
    else:
        await django(scope, receive, send)


def _last_on_connection(send: Any) -> Any:
    """A client or proxy that keeps connections open asks another process the next time."""

    async def closing(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        await send(message)

    return closing


# The last route takes what no other does: without it the router raises, and the log fills with tracebacks.
refusal = re_path(r"", WebsocketDenier.as_asgi())  # type: ignore[arg-type]  # the types know Django's views only
websocket = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, refusal]))  # type: ignore[list-item]

application = ProtocolTypeRouter(
    {
        "http": Observed(Hardened(BodyLimit(http, max_bytes=settings.LEMSITE_MAX_BODY_BYTES))),
        "websocket": ObservedSocket(OriginValidator(websocket, settings.WEBSOCKET_ORIGINS)),
    }
)
