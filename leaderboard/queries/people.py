"""What everyone may know of someone's contributions: public submissions alone, whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth

from accounts.models import User
from leaderboard.models import OPEN, Dispute, DisputeState, Result, Submission, SubmissionStatus, Visibility

MONTHS = 24
STANDING = (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED)


@dataclass(frozen=True, slots=True)
class TrustRecord:
    """How someone's public results fared."""

    #: trust level -> results that stand
    levels: Mapping[int, int]
    withdrawn: int
    invalidated: int
    disputes_running: int
    disputes_upheld: int
    disputes_dismissed: int


def public_people() -> QuerySet[User]:
    """Who has a page: not the deleted, and nobody whose account is closed."""
    return User.objects.filter(is_active=True, deleted_at=None)


def public_submissions_of(person: User) -> QuerySet[Submission]:
    return Submission.objects.public().filter(owner=person)


def public_results_of(person: User) -> QuerySet[Result]:
    """Newest first, with what a row of a list says."""
    return (
        _public_results(person)
        .select_related("model", "hardware", "backend", "submission")
        .defer("config", "environment", "origins", "notes", "warnings")
        .order_by("-submission__published_at", "submission_id", "position")
    )


def _public_results(person: User) -> QuerySet[Result]:
    """Joined, not as a sub-query: the person's submissions lie together in an index."""
    withdrawn = Q(submission__status=SubmissionStatus.WITHDRAWN, submission__published_at__isnull=False)
    return Result.objects.filter(
        Q(submission__status__in=OPEN) | withdrawn,
        submission__owner=person,
        submission__visibility=Visibility.PUBLIC,
        submission__deleted_at=None,
    )


def trust_record(person: User) -> TrustRecord:
    counted = _public_results(person).order_by().values_list("submission__status", "trust").annotate(n=Count("pk"))
    status: Counter[str] = Counter()
    levels: Counter[int] = Counter()
    for state, trust, number in counted:
        status[state] += number
        if state in STANDING:
            levels[trust] += number
    disputes = Dispute.objects.filter(result__submission__in=public_submissions_of(person)).aggregate(
        running=Count("pk", filter=Q(state__in=(DisputeState.OPEN, DisputeState.TAKEN_UP))),
        upheld=Count("pk", filter=Q(state=DisputeState.UPHELD)),
        dismissed=Count("pk", filter=Q(state=DisputeState.DISMISSED)),
    )
    return TrustRecord(
        levels=dict(levels),
        withdrawn=status[SubmissionStatus.WITHDRAWN],
        invalidated=status[SubmissionStatus.INVALIDATED],
        disputes_running=disputes["running"],
        disputes_upheld=disputes["upheld"],
        disputes_dismissed=disputes["dismissed"],
    )


def results_per_month(person: User, now: datetime) -> list[tuple[date, int]]:
    """(first of the month, public results published in it) for the last two years, empty months included."""
    months = _months(now)
    counted = (
        public_submissions_of(person)
        .filter(published_at__gte=datetime(months[0].year, months[0].month, 1, tzinfo=now.tzinfo))
        .order_by()
        .values_list(TruncMonth("published_at"))
        .annotate(n=Count("results"))
    )
    found = {month.date(): n for month, n in counted}
    return [(month, found.get(month, 0)) for month in months]


def _months(now: datetime) -> list[date]:
    last = now.year * 12 + now.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]
