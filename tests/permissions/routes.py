"""Every path of the project, as the resolver and the ASGI application know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.urls import URLPattern, get_resolver

#: each admin page answers the same: to moderators or superusers alone
ADMIN = "/admin/"
#: answered past Django's resolver (lemsite/asgi.py)
RAW = ("/api/ingest", "/api/runs/<word:key>/stream", "/ws/runs/<word:key>/")


@dataclass(frozen=True)
class Route:
    """One pattern, such as /submissions/<uuid:pk>/, and the names of its parameters."""

    path: str
    parameters: tuple[str, ...]


def all_routes() -> list[Route]:
    """Without the second spelling of API paths, which is the same view."""
    found = {route.path: route for route in _walk(get_resolver(), "/", ())}
    return [
        route
        for path, route in sorted(found.items())
        if not (path.startswith("/api/") and path.endswith("/") and path.rstrip("/") in found)
    ]


def by_area(routes: list[Route]) -> list[list[Route]]:
    """Routes that begin alike together, so that one test's rows serve several of them."""
    return [list(group) for _, group in groupby(routes, key=_area)]


def area_of_first(routes: list[Route]) -> str:
    return _area(routes[0])


def _area(route: Route) -> str:
    """/submissions, /api/benchmarks, /admin/leaderboard."""
    steps = route.path.strip("/").split("/")
    return "/" + "/".join(steps[: 2 if steps[0] in ("api", "admin") else 1])


def _walk(resolver: Any, prefix: str, parameters: tuple[str, ...]) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        own = (*parameters, *pattern.pattern.converters, *pattern.pattern.regex.groupindex)
        names = tuple(dict.fromkeys(own))
        if isinstance(pattern, URLPattern):
            yield Route(path, names)
        else:
            yield from _walk(pattern, path, names)
