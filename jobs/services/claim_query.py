"""The queries of a claim: the free GPUs of a host, the next job that fits them, how much of its owner's runs already.

Django takes ten times longer to write the middle one than the database to answer it, so it is written once for each
kind of host and kept; what differs from claim to claim is put in. The others are short enough to stand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django_q.models import OrmQ

from jobs.limits import RUNNING_PER_PERSON
from jobs.models import Agent, Attempt, Gpu, Job, JobKind, JobState
from jobs.services.fitting import Card, declined_since, failed_on, fits
from jobs.services.plain_sql import RowsOf, stored_uuid
from jobs.times import times

ACTIVE_JOBS = (JobState.OFFERED, JobState.RUNNING)
#: stand in the kept query where each claim has its own moments and its own host
NOW, DECLINED_SINCE = datetime(1, 1, 2, tzinfo=UTC), datetime(1, 1, 3, tzinfo=UTC)
ANY_AGENT = UUID("00000000-0000-4000-8000-000000000000")
JOB = RowsOf(Job)

#: simulated or not, labels, executors, and of each GPU its hardware, name and memory
Kind = tuple[bool, tuple[str, ...], tuple[str, ...], tuple[tuple[int | None, str, int], ...]]


FREE_GPUS = """
SELECT gpu.id, gpu.uuid, gpu.hardware_id, gpu.name, gpu.memory_mib
FROM jobs_gpu gpu LEFT JOIN jobs_gpuhold hold ON hold.gpu_id = gpu.id
WHERE gpu.agent_id = %s AND gpu.is_present AND gpu.quarantined_at IS NULL AND hold.id IS NULL
ORDER BY gpu.id
"""
LOCK_OWNER = "SELECT id FROM accounts_user WHERE id = %s FOR NO KEY UPDATE"
#: PostgreSQL takes a queue for short that was empty when it last counted, and would sort all of it for each claim; the
#: index on state, priority and id has it in order
IN_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; "
COUNT_ACTIVE = """
SELECT count(*) FROM jobs_job WHERE owner_id = %s AND kind = 'llem' AND state IN ('offered', 'running')
"""


class FreeGpu(NamedTuple):
    """What a claim needs to know of a GPU."""

    pk: int
    uuid: str
    hardware_id: int | None
    name: str
    memory_mib: int


def free_gpus(agent: Agent) -> list[FreeGpu]:
    """GPUs that are there, in service, and that no attempt has."""
    with connection.cursor() as cursor:
        cursor.execute(FREE_GPUS, [stored_uuid(agent.pk)])
        return list(starmap(FreeGpu, cursor.fetchall()))


def lock_owner_and_count(owner_id: int) -> int:
    """How many benchmarks of a person hosts have now; whoever else asks waits until the transaction ends."""
    with connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            cursor.execute(LOCK_OWNER, [owner_id])
        # Not in one statement: it would count what was there before it waited.
        cursor.execute(COUNT_ACTIVE, [owner_id])
        count: int = cursor.fetchone()[0]
        return count


def next_jobs(agent: Agent, executors: Sequence[str], gpus: Iterable[Card], now: datetime) -> Iterator[Job]:
    """The job that comes next for a host, if there is one; what the host failed before is left out."""
    return _ask(_next_for(_kind(agent, executors, gpus)), agent, now)


def failed_jobs(agent: Agent, executors: Sequence[str], gpus: Iterable[Card], now: datetime) -> Iterator[Job]:
    """The jobs that a host could run and failed before."""
    return _ask(_failed_for(_kind(agent, executors, gpus)), agent, now)


def _ask(query: tuple[str, tuple[Any, ...]], agent: Agent, now: datetime) -> Iterator[Job]:
    sql, values = query
    in_order = IN_ORDER if connection.vendor == "postgresql" else ""
    since = now - timedelta(seconds=times().declined_s)
    adapt = connection.ops.adapt_datetimefield_value
    own = {adapt(NOW): adapt(now), adapt(DECLINED_SINCE): adapt(since), stored_uuid(ANY_AGENT): stored_uuid(agent.pk)}
    with connection.cursor() as cursor:
        cursor.execute(in_order + sql, [own.get(value, value) for value in values])
        for _ in range(in_order.count(";")):
            cursor.nextset()
        rows = cursor.fetchall()
    for row in rows:
        job = JOB.read(row[: JOB.count])
        job.last_number = row[JOB.count]  # type: ignore[attr-defined]  # annotated by the query
        yield job


def _kind(agent: Agent, executors: Sequence[str], gpus: Iterable[Card]) -> Kind:
    cards = tuple((gpu.hardware_id, gpu.name, gpu.memory_mib) for gpu in gpus)
    return agent.is_simulated, tuple(agent.labels), tuple(executors), tuple(sorted(cards, key=repr))


@lru_cache(maxsize=512)
def _next_for(kind: Kind) -> tuple[str, tuple[Any, ...]]:
    agent, fitting = _fitting(kind)
    return _written(fitting.exclude(failed_on(agent))[:1])


@lru_cache(maxsize=512)
def _failed_for(kind: Kind) -> tuple[str, tuple[Any, ...]]:
    agent, fitting = _fitting(kind)
    return _written(fitting.filter(failed_on(agent)))


def _written(jobs: QuerySet[Job]) -> tuple[str, tuple[Any, ...]]:
    sql, values = jobs.query.sql_with_params()
    return sql, tuple(values)


def _fitting(kind: Kind) -> tuple[Agent, QuerySet[Job]]:
    is_simulated, labels, executors, cards = kind
    agent = Agent(pk=ANY_AGENT, is_simulated=is_simulated, labels=list(labels))
    gpus = [Gpu(hardware_id=hardware_id, name=name, memory_mib=mib) for hardware_id, name, mib in cards]
    fitting = _claimable().filter(fits(agent, executors, gpus)).exclude(declined_since(agent, DECLINED_SINCE))
    last = Attempt.objects.filter(job=OuterRef("pk")).order_by("-number").values("number")[:1]
    numbered = fitting.annotate(last_number=Subquery(last)).order_by("-priority", "pk")
    return agent, numbered.select_for_update(of=("self",), skip_locked=True, no_key=True)


def _claimable() -> QuerySet[Job]:
    """Queued jobs with a ticket that is free, without those of people of whom enough runs."""
    active = Job.objects.filter(state__in=ACTIVE_JOBS, kind=JobKind.LLEM, owner__isnull=False)
    busy = active.values("owner").annotate(n=Count("pk")).filter(n__gte=RUNNING_PER_PERSON).values("owner")
    return Job.objects.filter(
        Exists(OrmQ.objects.filter(pk=OuterRef("ticket_id"), lock__lte=NOW)),
        ~Q(owner__in=busy) | Q(owner=None) | Q(kind=JobKind.RACE),
        state=JobState.QUEUED,
        available_at__lte=NOW,
    )
