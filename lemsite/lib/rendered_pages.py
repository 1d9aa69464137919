"""Rendered pages that are the same for everybody, kept in this process's memory for ten minutes.

Rendering takes most of a page's time, and most readers ask for the same few. A page is kept under its ETag, which
changes with the data, so what is kept is never older than what a browser with that ETag would go on showing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

KEEP_S = 600.0
#: of each process
MAX_BYTES = 32 * 1024 * 1024
View = Callable[..., HttpResponse]
Kept = tuple[float, bytes, dict[str, str]]


class RenderedPages:
    """The pages asked for last, until they are too old or too many; safe in several threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Kept | None:
        with self._lock:
            found = self._pages.get(key)
            if found is None or found[0] < time.monotonic():
                return None
            self._pages.move_to_end(key)
            return found

    def put(self, key: str, content: bytes, headers: dict[str, str]) -> None:
        with self._lock:
            self._drop(key)
            self._pages[key] = (time.monotonic() + KEEP_S, content, headers)
            self._bytes += len(content)
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._pages)))

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        if (dropped := self._pages.pop(key, None)) is not None:
            self._bytes -= len(dropped[1])


pages = RenderedPages()


def kept(etag: Callable[..., str | None]) -> Callable[[View], View]:
    """For a view whose answer to readers without cookies follows from the address and this ETag alone."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # A cookie may be a session, or a message that waits for one reader.
            tag = None if request.COOKIES or request.method != "GET" else etag(request, *args, **kwargs)
            if tag is None:
                return view(request, *args, **kwargs)
            # Links in the page name the host as the reader does.
            key = f"{request.scheme}://{request.get_host()} {tag}"
            if (found := pages.get(key)) is not None:
                _, content, headers = found
                return HttpResponse(content, headers=headers)
            response = view(request, *args, **kwargs)
            if _may_be_kept(response):
                pages.put(key, response.content, dict(response.headers))
            return response

        return answer

    return decorate


def _may_be_kept(response: HttpResponse) -> bool:
    stays = response.status_code == 200 and not response.streaming and not response.cookies
    return stays and "no-store" not in response.headers.get("Cache-Control", "")
