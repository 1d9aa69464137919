"""What moderators see of the queue: how much waits, and of one page of rows all that its columns say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, F, IntegerField, Max, Min, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from leaderboard.models import (
    CommentReport,
    Dispute,
    DisputeState,
    Finding,
    Result,
    ScoreReview,
    ScoreReviewState,
    Submission,
    SubmissionStatus,
    UnknownName,
)
from leaderboard.queries.need import WAITING, Needs, count_needs


def count_waiting() -> int:
    """How much waits for a moderator in all: submissions, disputes, new scores, reports, names. One query."""
    others: tuple[QuerySet[Any], ...] = (
        Dispute.objects.filter(state=DisputeState.OPEN),
        ScoreReview.objects.filter(state=ScoreReviewState.OPEN),
        CommentReport.objects.filter(handled_at=None),
        UnknownName.objects.filter(mapped_at=None),
    )
    submissions = Submission.objects.filter(status__in=WAITING, deleted_at=None)
    total: Any = Count("pk")
    for rows in others:
        total = total + _number_of(rows)
    return int(submissions.aggregate(total=total)["total"])


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@dataclass(slots=True)
class Record:
    """What a person's submissions came to."""

    statuses: Counter[str] = field(default_factory=Counter)
    #: disputes about their results that turned out right
    upheld: int = 0

    def __str__(self) -> str:
        s = self.statuses
        # What was invalidated had been published.
        published = s[SubmissionStatus.PUBLISHED] + s[SubmissionStatus.DISPUTED] + s[SubmissionStatus.INVALIDATED]
        rejected = s[SubmissionStatus.REJECTED]
        counts = ((published, "published"), (rejected, "rejected"), (self.upheld, "disputes upheld"))
        return ", ".join(f"{number} {what}" for number, what in counts if number) or "nothing decided yet"


@dataclass(slots=True)
class QueueRow:
    """What the columns of the queue say about one submission, beside its own fields."""

    needs: Needs = field(default_factory=Counter)
    results: int = 0
    first: Result | None = None
    trust: tuple[int, int] | None = None
    codes: list[str] = field(default_factory=list)
    record: Record | None = None


def queue_rows(submissions: Sequence[Submission]) -> dict[UUID, QueueRow]:
    """All of it for the rows of a page, in a number of queries that does not grow with them."""
    chosen = Submission.objects.filter(pk__in=[submission.pk for submission in submissions])
    needs = count_needs(chosen)
    rows = {submission.pk: QueueRow(needs=needs.get(submission.pk, Counter())) for submission in submissions}
    _add_results(rows)
    codes = Finding.objects.filter(result__submission__in=rows).order_by("severity", "code")
    for pk, _, code in codes.values_list("result__submission", "severity", "code").distinct():
        rows[pk].codes.append(code)
    found = records({submission.owner_id for submission in submissions if submission.owner_id})
    for submission in submissions:
        rows[submission.pk].record = found.get(submission.owner_id) if submission.owner_id else None
    return rows


def _add_results(rows: dict[UUID, QueueRow]) -> None:
    results = Result.objects.filter(submission__in=rows).order_by()
    counted = results.values_list("submission").annotate(n=Count("pk"), low=Min("trust"), high=Max("trust"))
    for pk, number, low, high in counted:
        rows[pk].results, rows[pk].trust = number, (low, high)
    firsts = results.filter(position=0).select_related("model", "hardware")
    for result in firsts.only("submission", "gpu_count", "model_name", "hardware_name", "model", "hardware"):
        rows[result.submission_id].first = result


def records(people: Iterable[int]) -> dict[int, Record]:
    """Person -> their record. Two queries, however many people."""
    found: defaultdict[int, Record] = defaultdict(Record, {person: Record() for person in people})
    given = Submission.objects.filter(owner__in=found, deleted_at=None).order_by()
    for owner, status, number in given.values_list("owner", "status").annotate(n=Count("pk")):
        found[owner].statuses[status] = number
    upheld = Dispute.objects.filter(state=DisputeState.UPHELD, result__submission__owner__in=found).order_by()
    for owner, number in (
        upheld.annotate(owner=F("result__submission__owner")).values_list("owner").annotate(n=Count("pk"))
    ):
        found[owner].upheld = number
    return dict(found)
