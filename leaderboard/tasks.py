"""What runs in the background; every function is safe to run twice."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.db import connections
from django.http import QueryDict
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from leaderboard.board import BoardQueryError, parse_board_query
from leaderboard.models import Dump, FacetCounts
from leaderboard.queries.facets import count_and_keep
from leaderboard.services import batches, hugging_face
from leaderboard.services.digests import write_missing_digests
from leaderboard.services.dumps import is_dump_due, make_dump
from leaderboard.services.hugging_face import is_push_set
from leaderboard.services.rescoring import is_rescoring_due, rescore_published

logger = logging.getLogger(__name__)

UNUSED = timedelta(days=7)
#: name -> (function, minutes between two runs)
SCHEDULES = {
    "leaderboard: read uploads that wait": ("leaderboard.tasks.read_waiting_batches", 1),
    "leaderboard: check with a new check set": ("leaderboard.tasks.rescore_published_results", 10),
    "leaderboard: write the nightly dump": ("leaderboard.tasks.write_nightly_dump", 30),
    "leaderboard: write the weekly digest": ("leaderboard.tasks.write_weekly_digests", 60),
}
#: another batch is begun only in this time of one task, which django-q ends after Q_CLUSTER's timeout
WORK_FOR_S = 60.0


def read_batch(batch_id: str) -> None:
    """Read one upload of many files."""
    batches.read_batch(UUID(batch_id))


def read_waiting_batches(work_for_s: float = WORK_FOR_S) -> None:
    """Once a minute: read what no living task reads, such as after a restart."""
    until = time.monotonic() + work_for_s
    for pk in list(batches.waiting_batches(timezone.now()).order_by("created_at").values_list("pk", flat=True)):
        if time.monotonic() > until:
            return
        try:
            batches.read_batch(pk)
        except Exception:
            # One batch that breaks its task must not keep the others from being read; it is given up after a while.
            logger.exception("Batch %s could not be read", pk)


def rescore_published_results(work_for_s: float = WORK_FOR_S) -> None:
    """Every ten minutes: check what an older check set judged, if there is any, a submission at a time."""
    until = time.monotonic() + work_for_s
    while is_rescoring_due() and time.monotonic() < until:
        rescore_published(limit=1)


def write_nightly_dump() -> None:
    """Every half hour: the dump of the night, unless it is there; it is pushed as a task of its own."""
    if not is_dump_due(timezone.now()):
        return
    dump = make_dump()
    if is_push_set():
        async_task("leaderboard.tasks.push_dump", dump.pk)


def push_dump(pk: int) -> None:
    """Once for each dump: what fails is put right by the push of the next night."""
    dump = Dump.objects.filter(pk=pk, pushed_at=None).first()
    if dump is not None:
        hugging_face.push_dump(dump)


def write_weekly_digests() -> None:
    """Once an hour: the digests of weeks that are over and have none."""
    write_missing_digests(timezone.now())


def ensure_schedules(using: str = "default") -> None:
    """After each migrate. Two schedules, should two processes migrate at once, do no more than one."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, (function, minutes) in SCHEDULES.items():
        if not Schedule.objects.using(using).filter(name=name).exists():
            Schedule.objects.using(using).create(
                name=name, func=function, schedule_type=Schedule.MINUTES, minutes=minutes
            )


def recount_facets(url: str) -> None:
    """Count the facets of one state of the filters again, and forget states nobody asked for in a week."""
    try:
        query = parse_board_query(QueryDict(url.lstrip("?")))
    except BoardQueryError:
        return
    count_and_keep(query)
    FacetCounts.objects.filter(counted_at__lt=timezone.now() - UNUSED).delete()
