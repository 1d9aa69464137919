"""Tickets: rows of django-q2's queue `gpu` that make jobs claimable.

No qcluster serves that queue: GPU hosts claim from it over HTTP. A ticket's payload is never read, so a ticket survives
a new SECRET_KEY; the job is the truth, and the reconciler makes a ticket that is missing again.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs.models import Job
from jobs.services import clock
from jobs.services.plain_sql import Statement

QUEUE = "gpu"
FUNCTION = "jobs.tasks.gpu_ticket"
HOLD = "UPDATE django_q_ormq SET lock = %s WHERE id = %s"


class TicketBroker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """django-q2's own broker that also tells the id of the row it made."""

    ticket_id: int | None = None

    def enqueue(self, task: str) -> int:
        ticket_id: int = super().enqueue(task)
        self.ticket_id = ticket_id
        return ticket_id


@transaction.atomic
def issue_ticket(job: Job) -> None:
    """Put a job that has no ticket into the queue, in the caller's transaction: both are there or neither is."""
    broker = TicketBroker(QUEUE)
    async_task(FUNCTION, job.pk, cluster=QUEUE, broker=broker)
    job.ticket_id = broker.ticket_id
    Job.objects.filter(pk=job.pk).update(ticket_id=job.ticket_id)
    if job.available_at > clock.db_now():
        hold_ticket(job, until=job.available_at)


def drop_ticket(job: Job) -> None:
    """Take a job out of the queue."""
    if job.ticket_id is None:
        return
    OrmQ.objects.filter(pk=job.ticket_id).delete()
    job.ticket_id = None
    Job.objects.filter(pk=job.pk).update(ticket_id=None)


def hold_ticket(job: Job, *, until: datetime) -> bool:
    """Keep a ticket from being claimed before `until`; False when there is none."""
    return bool(OrmQ.objects.filter(pk=job.ticket_id).update(lock=until))


def holding(job: Job, *, until: datetime) -> Statement:
    """The statement of `hold_ticket`, to be run with others."""
    return HOLD, [connection.ops.adapt_datetimefield_value(until), job.ticket_id]


def free_ticket(job: Job) -> None:
    """Make a job claimable again, with a new ticket should its own be gone."""
    if job.ticket_id is None or not hold_ticket(job, until=max(job.available_at, clock.db_now())):
        issue_ticket(job)
