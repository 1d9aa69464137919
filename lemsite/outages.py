"""What visitors get while a service that the site needs is away: pages as they were, or a plain word and a time.

docs/reliability.md says what is promised.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from lemsite.errors import TITLES
from lemsite.kept_pages import KeptPages
from lemsite.lib.api_errors import error_body
from lemsite.lib.outages import Outage, outage_of, tell


class Outages:
    """Middleware. A reader gets the page as it was last, where that is known; everyone else 503 or 507."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._pages = KeptPages()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if hasattr(response, "outage"):
            return self._pages.last(request) or response
        self._pages.keep(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        outage = outage_of(exception)
        if outage is None:
            return None
        tell(outage, exception)
        return outage_response(request, outage)


def outage_response(request: HttpRequest, outage: Outage) -> HttpResponse:
    """Made of nothing that could be away itself: no session, no user, no query."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        body = error_body(outage.status, outage.message)
        body["error"]["code"] = outage.code
        response = JsonResponse(body, status=outage.status)
    else:
        told = {"status": outage.status, "title": TITLES[outage.status], "message": outage.message}
        response = HttpResponse(render_to_string("errors/error.html", told), status=outage.status)
    response["Retry-After"] = str(outage.retry_after_s)
    add_never_cache_headers(response)
    response.outage = outage  # type: ignore[attr-defined]  # for the middleware
    # Django would log each one; of an outage the log tells once in a while.
    response._has_been_logged = True  # type: ignore[attr-defined]  # what Django's log_response() looks for
    return response
