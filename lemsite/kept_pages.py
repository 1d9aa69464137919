"""The public pages as they were last, in memory, for readers who come while the database is away.

Only whole pages that anyone gets: asked for without a cookie or a token, answered with 200, and not private. At most
an hour old when they are shown, so that what was taken back does not stay on show; never while pages can be made.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

MOST_BYTES = 32 << 20
MOST_BYTES_OF_ONE = 1 << 20
SHOWN_FOR_S = 3600
#: headers of the page that say how to read it; what lets it be cached or compared is left out
KEPT_HEADERS = ("Content-Type", "X-Frame-Options", "Vary")
NOT_FOR_ALL = ("private", "no-store")
STALE = '110 - "Response is Stale"'
BEFORE = b'<main id="main"'
NOTICE = (
    '<p class="note warning" role="status">The database does not answer at the moment. This is the page as it was {} '
    "ago; nothing can be changed until it is back.</p>"
)


@dataclass(frozen=True, slots=True)
class Page:
    content: bytes
    headers: dict[str, str]
    made_at: float


class KeptPages:
    """Of one process; used from several threads."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def keep(self, request: HttpRequest, response: HttpResponseBase) -> None:
        if not (_is_plain(request) and not request.headers.get("Cookie") and _is_for_all(response)):
            return
        content = response.content  # type: ignore[attr-defined]  # it is no stream
        if len(content) > MOST_BYTES_OF_ONE:
            return
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        with self._lock:
            self._forget(request.get_full_path())
            self._pages[request.get_full_path()] = Page(content, headers, time.monotonic())
            self._size += len(content)
            while self._size > MOST_BYTES:
                self._forget(next(iter(self._pages)))

    def last(self, request: HttpRequest) -> HttpResponse | None:
        """The page as it was, and how old it is, said on it and in its headers."""
        page = self._pages.get(request.get_full_path()) if _is_plain(request) else None
        if page is None:
            return None
        age_s = int(time.monotonic() - page.made_at)
        if age_s > SHOWN_FOR_S:
            return None
        content = page.content.replace(BEFORE, NOTICE.format(_words(age_s)).encode() + BEFORE, 1)
        response = HttpResponse(content, headers=page.headers | {"Age": str(age_s), "Warning": STALE})
        add_never_cache_headers(response)
        return response

    def _forget(self, path: str) -> None:
        if (old := self._pages.pop(path, None)) is not None:
            self._size -= len(old.content)


def _is_plain(request: HttpRequest) -> bool:
    """A fragment would tell nobody that it is old, and a token may open what others must not see."""
    asks = request.headers
    return request.method == "GET" and "HX-Request" not in asks and "Authorization" not in asks


def _is_for_all(response: HttpResponseBase) -> bool:
    if response.status_code != 200 or response.streaming or response.cookies:
        return False
    # A page that others may embed has a policy of its own, which is not in its headers yet.
    is_own = "X-Frame-Options" in response.headers
    control = response.headers.get("Cache-Control", "")
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    return is_own and is_page and not any(word in control for word in NOT_FOR_ALL)


def _words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
