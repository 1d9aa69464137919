"""Is the site well? For load balancers, monitoring and people in a hurry."""

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.models import OrmQ

from lemsite import __version__

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, else 503. A queue that grows old means that the worker is gone."""
    report: dict[str, Any] = {"status": "ok", "version": __version__, "database": True, "queue": None}
    try:
        report["queue"] = _background_queue()
    except DatabaseError:
        logger.exception("The database does not answer")
        report |= {"status": "unavailable", "database": False}
    return JsonResponse(report, status=200 if report["database"] else 503)


def _background_queue() -> dict[str, Any]:
    """Tasks that are due, and for how many seconds the oldest has been. A running task is locked into the future."""
    now = timezone.now()
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=now)
    found = due.aggregate(waiting=Count("pk"), since=Min("lock"))
    oldest_s = (now - found["since"]).total_seconds() if found["since"] else 0.0
    return {"waiting": found["waiting"], "oldest_waiting_s": round(oldest_s, 1)}
