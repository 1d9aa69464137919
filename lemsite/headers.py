"""Response headers that Django has no setting for."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

Send = Callable[[dict[str, Any]], Any]
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def isolation_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep other sites from embedding our files; a view that is made for embedding sets its own value."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


#: for answers that never see Django: events, streams and refused bodies
RAW_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS.encode()),
)


class Hardened:
    """Gives an answer without a policy the strictest. What Django answers has one, and is left as it is."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        async def hardened(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                if RAW_HEADERS[0][0] not in present:
                    added = [header for header in RAW_HEADERS if header[0] not in present]
                    message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self.application(scope, receive, hardened)
