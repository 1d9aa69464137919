"""Static files past Django: small, the same for everybody, and asked for beside every page."""

from __future__ import annotations

from wsgiref.types import WSGIEnvironment

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from lemsite.body_limit import Receive, Scope, Send
from lemsite.observing.noted import KEY

ROUTE = "static"
#: what of a request decides about its answer
HEADERS = frozenset({b"accept-encoding", b"if-modified-since", b"if-none-match", b"range"})
PART_BYTES = 65_536


class StaticFiles:
    """Answers for the collected files on the event loop, where they need not wait for a thread behind slow pages.

    Source: WhiteNoise, whose middleware stays among Django's. In development, where files change and are looked up
    with each request, and for whatever was not collected, it answers alone.
    """

    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = WhiteNoiseMiddleware().files

    def __contains__(self, path: str) -> bool:
        return path in self._files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[KEY].route = ROUTE
        response = self._files[scope["path"]].get_response(scope["method"], _environ(scope))
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        if response.file is not None:
            with response.file as file:
                while part := file.read(PART_BYTES):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})


def _environ(scope: Scope) -> WSGIEnvironment:
    return {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in scope["headers"]
        if name in HEADERS
    }
