"""What only Django knows of a request: the name of its route, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from lemsite.observing.noted import KEY, Noted


def note_route(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Leaves both in the scope, for the access log and the metrics."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        noted = getattr(request, "scope", {}).get(KEY)
        if isinstance(noted, Noted):
            noted.route = route_of(request)
            noted.user_id = user_id_of(request)
        return response

    return middleware


def route_of(request: HttpRequest) -> str:
    """Never the path: there is no end of paths, and some hold secrets."""
    match = request.resolver_match
    if match is None:
        static = f"/{settings.STATIC_URL.lstrip('/')}"
        return "static" if request.path_info.startswith(static) else "unmatched"
    return "admin" if "admin" in match.app_names else match.view_name


def user_id_of(request: HttpRequest) -> int | None:
    """Of who is signed in, where the view asked for it: asking here would read the session of every request."""
    user = request.__dict__.get("_cached_user")
    if user is None and not isinstance(request.__dict__.get("user"), SimpleLazyObject):
        user = request.__dict__.get("user")
    return getattr(user, "pk", None)
