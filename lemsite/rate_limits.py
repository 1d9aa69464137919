"""How much one address, or one token, may ask for in a minute. Sign-in, writes and live streams have limits beside it.

The address is the one that uvicorn put into REMOTE_ADDR, from TRUSTED_PROXY alone: a header that anyone can send makes
no new one. Counts live in the cache, so with Redis they hold over all processes.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from lemsite.views import error_response

logger = logging.getLogger(__name__)

WINDOW_S = 60
#: what a request counts whose answer is computed from many rows, drawn, or a large file
EXPENSIVE_COST = 4
EXPENSIVE = frozenset({
    "", "advice/", "analysis/", "card.png", "charts/<slug:slug>", "charts/<slug:slug>.csv", "charts/<slug:slug>.json",
    "compare/", "data/<word:version>.parquet", "embed/charts/<slug:slug>", "embed/table/", "hardware/<slug:slug>",
    "hardware/<slug:slug>/card.png", "jobs/<int:pk>/attempts/<int:number>/log.txt", "jobs/new/",
    "models/<word:organisation>/<word:name>", "models/<word:organisation>/<word:name>/card.png",
    "results/<uuid:pk>/card.png", "runs/<word:key>/card.png", "runs/<word:key>/events.<slug:ending>",
    "runs/<word:key>/series.json", "u/<word:name>",
    "api/analysis", "api/benchmarks", "api/benchmarks.csv", "api/benchmarks.json", "api/benchmarks.parquet",
    "api/compare", "api/jobs/estimate", "api/jobs/<int:pk>/log", "api/runs/<word:key>/events", "api/schema",
})  # fmt: skip
#: asked by machines of the operator's own, and by GPU hosts, which have limits of their own
FREE = ("^health", "^ready", "^metrics", "api/agent/")


def read_limit(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """429 with Retry-After for who asks too much; what other requests get does not change."""

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        budget, match = settings.REQUESTS_PER_MINUTE, request.resolver_match
        route = match.route if match else ""
        if not budget or route.startswith(FREE):
            return None
        cost = EXPENSIVE_COST if is_expensive(route) else 1
        if all(_spent(who, cost) <= budget for who in askers(request)):
            return None
        wait_s = WINDOW_S - int(time.time()) % WINDOW_S
        response = error_response(request, 429, f"Too many requests. Go on in {wait_s} s.")
        response["Retry-After"] = str(wait_s)
        response["Cache-Control"] = "no-store"
        return response

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    middleware.process_view = process_view  # type: ignore[attr-defined]  # where Django looks for it
    return middleware


def is_expensive(route: str) -> bool:
    """API paths have a second spelling, with a slash behind them."""
    return route in EXPENSIVE or route.rstrip("/") in EXPENSIVE


def askers(request: HttpRequest) -> Iterator[str]:
    """The address always, so that made-up tokens open no new account; and what bears a token by that."""
    yield network_of(request.META.get("REMOTE_ADDR") or "")
    authorization = request.headers.get("Authorization")
    if authorization:
        yield hashlib.sha256(authorization.encode()).hexdigest()[:32]


def network_of(address: str) -> str:
    """Of IPv6 the /64, which is the least that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _spent(who: str, cost: int) -> int:
    """What was spent in this minute, this request included. Without the cache nobody is refused."""
    key = f"requests:{int(time.time()) // WINDOW_S}:{who}"
    try:
        cache.add(key, 0, 2 * WINDOW_S)
        return cache.incr(key, cost)
    except (RedisError, OSError) as error:
        logger.warning("The request limit is off: the cache does not answer (%s)", type(error).__name__)
    except ValueError:
        pass  # the entry was dropped between the two calls
    return 0
