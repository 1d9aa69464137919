"""Is this process alive, and is it ready for visitors? For load balancers, supervisors and monitoring.

/health is liveness: it answers 200 while this process can answer at all, since a restart is what follows when it does
not, and no restart brings a database back. It tells of the database and of the queue, and waits for neither.
/ready is readiness: 503 while visitors are better sent to another process.
/metrics is for Prometheus, and for nobody else.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lemsite import __version__
from lemsite.lib import draining
from lemsite.observing import exposition, probes

PATHS = frozenset({"/health", "/health/", "/ready", "/ready/", "/metrics", "/metrics/"})
#: supervisors give up after a second
HEALTH_WITHIN_S = 0.5
NEEDS = "needs"
#: the question of a proxy that has nowhere better to send visitors while a service is away: not drained, that is all
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer depends on; the same from Django and from the ASGI application."""

    path: str
    query: str
    headers: Mapping[str, str]
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"


def answer(asked: Asked) -> Answer:
    name = asked.path.strip("/")
    if name == "health":
        return health_answer()
    return metrics_answer(asked) if name == "metrics" else ready_answer(asked)


def health_answer() -> Answer:
    report: dict[str, Any] = {"status": "ok", "version": __version__, "database": True, "queue": None}
    if probes.database.is_well(HEALTH_WITHIN_S):
        report["queue"] = probes.database.answer(HEALTH_WITHIN_S)
    else:
        report |= {"status": "degraded", "database": False}
    return _json(200, report)


def ready_answer(asked: Asked) -> Answer:
    if draining.is_draining():
        return _json(503, {"status": "draining"})
    wanted = parse_qs(asked.query).get(NEEDS, [""])[-1]
    if wanted == NOTHING:
        return _json(200, {"status": "ready", "version": __version__, "checks": {}})
    needs = [name for name in wanted.split(",") if name] or list(probes.SERVICES)
    if unknown := [name for name in needs if name not in probes.SERVICES]:
        message = f"needs: {unknown[0][:40]!r} is none of {', '.join(probes.SERVICES)}, {NOTHING}."
        return _json(400, {"error": {"code": "bad_request", "message": message, "fields": {NEEDS: message}}})
    for probe in probes.SERVICES.values():
        probe.begin()
    checks = {name: probe.is_well() for name, probe in probes.SERVICES.items()}
    is_ready = all(checks[name] for name in needs)
    status = "unavailable" if not is_ready else "ready" if all(checks.values()) else "degraded"
    return _json(200 if is_ready else 503, {"status": status, "version": __version__, "checks": checks})


def metrics_answer(asked: Asked) -> Answer:
    if not may_read_metrics(asked):
        return _json(404, {"error": {"code": "not_found", "message": "There is nothing here.", "fields": {}}})
    return Answer(200, exposition.exposition(), exposition.CONTENT_TYPE)


def may_read_metrics(asked: Asked) -> bool:
    """With the token of METRICS_TOKEN, or from a network of METRICS_ALLOW; without either setting, nobody."""
    scheme, _, given = asked.headers.get("authorization", "").partition(" ")
    token: str = settings.METRICS_TOKEN
    if token and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    if "x-forwarded-for" in asked.headers and not settings.TRUSTED_PROXY:
        # The address is then a proxy's, and anybody may stand behind it.
        return False
    try:
        address = ip_address(asked.address)
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ALLOW)


@require_safe
def watched(request: HttpRequest) -> HttpResponse:
    """The same for Django; a running site answers these paths before that (lemsite.asgi)."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    found = answer(Asked(request.path, request.META["QUERY_STRING"], headers, request.META.get("REMOTE_ADDR", "")))
    response = HttpResponse(found.body, status=found.status, content_type=found.content_type)
    response["Cache-Control"] = "no-store"
    return response


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(body).encode())
