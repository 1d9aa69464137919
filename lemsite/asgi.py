"""The ASGI application: websockets to Channels, live events to their own small applications, the rest to Django."""

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
from runs.ingest import ingest  # noqa: E402
from runs.routing import websocket_urlpatterns  # noqa: E402
from runs.stream import stream, stream_key  # noqa: E402

INGEST_PATHS = frozenset({"/api/ingest", "/api/ingest/"})

django = stock_handler if settings.LEMSITE_HANDLER == "stock" else OneHopHandler(settings.LEMSITE_HANDLER_THREADS)


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Events come and go by the thousand: past Django's middleware and threads, twelve times as many fit."""
    path = scope["path"]
    if path in INGEST_PATHS:
        await ingest(scope, receive, send)
    elif stream_key(path) is not None:
        await stream(scope, receive, send)
    else:
        await django(scope, receive, send)


# The last route takes what no other does: without it the router raises, and the log fills with tracebacks.
refusal = re_path(r"", WebsocketDenier.as_asgi())  # type: ignore[arg-type]  # the types know Django's views only
websocket = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, refusal]))  # type: ignore[list-item]

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(http, max_bytes=settings.LEMSITE_MAX_BODY_BYTES),
        "websocket": OriginValidator(websocket, settings.WEBSOCKET_ORIGINS),
    }
)
