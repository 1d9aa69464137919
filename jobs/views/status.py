"""The site's own record: whether everything that it promises of jobs holds at this moment."""

from __future__ import annotations

from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.models import TERMINAL, Job, JobState
from jobs.queries.audit import audit
from jobs.queries.looked_at import latest_audit

#: the checks read whole tables, so readers share one answer for a while
CHECKED_EVERY_S = 60


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    found = cache.get("jobs-status")
    if found is None:
        found = _look()
        cache.set("jobs-status", found, CHECKED_EVERY_S)
    response = render(request, "jobs/status.html", {"status": found})
    response["Cache-Control"] = "no-cache"
    return response


def _look() -> dict[str, object]:
    invariants = audit()
    counts = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    over = [(str(state.label), counts.get(state, 0)) for state in TERMINAL]
    open_ones = [(str(state.label), counts.get(state, 0)) for state in JobState if state not in TERMINAL]
    return {
        "checked_at": timezone.now(),
        "daily": latest_audit(),
        "invariants": invariants,
        "all_hold": all(invariant.holds for invariant in invariants),
        "counts": [*open_ones, *over],
        "jobs": sum(counts.values()),
    }
