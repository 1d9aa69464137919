"""What one week brought, as the database knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Coalesce

from leaderboard.board import DEFAULT_MIN_TRUST
from leaderboard.metrics import RANKED, Better
from leaderboard.models import (
    Dispute,
    DisputeState,
    Hardware,
    LanguageModel,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    Visibility,
    WeeklyDigest,
)
from leaderboard.queries.community import public_disputes

#: the metrics whose new bests a digest names; those of energy are compared within one scope only
BEST_METRICS = {"tokens_per_joule": True, "throughput_tokens_per_s": False, "itl_ms_p50": False, "ttft_ms_p50": False}
SETTLED = (DisputeState.UPHELD, DisputeState.DISMISSED)
_WAS_PUBLIC = (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED)

#: model, hardware, GPU count (0: not stated), energy scope ("" where it does not matter)
Group = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Week:
    """From its Monday on, in UTC."""

    monday: date

    @property
    def start(self) -> datetime:
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=7)

    @property
    def within(self) -> tuple[datetime, datetime]:
        """For `__range`, whose ends both count."""
        return self.start, self.end - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class NewBest:
    metric: str
    group: Group
    value: float
    before: float

    @property
    def factor(self) -> float:
        """How many times better than the one before; above 1."""
        return self.value / self.before if RANKED[self.metric] == Better.HIGHER else self.before / self.value


def digests() -> QuerySet[WeeklyDigest]:
    """The newest first."""
    return WeeklyDigest.objects.order_by("-week")


def results_published_in(week: Week) -> QuerySet[Result]:
    return Result.objects.ranked().filter(submission__published_at__range=week.within)


def first_published_at() -> datetime | None:
    found = Submission.objects.public().aggregate(first=Min("published_at"))
    first: datetime | None = found["first"]
    return first


def results_by_pair(week: Week) -> list[tuple[int, int, int]]:
    """(model, hardware, results), the most results first."""
    rows = results_published_in(week).order_by().values_list("model", "hardware").annotate(n=Count("*"))
    return list(rows.order_by("-n", "model", "hardware"))


def pairs_seen_before(week: Week, models: set[int]) -> set[tuple[int, int]]:
    """(model, hardware) of results published before the week."""
    rows = Result.objects.ranked().filter(submission__published_at__lt=week.start, model__in=models)
    return set(rows.order_by().values_list("model", "hardware").distinct())


def new_bests(week: Week) -> Iterator[NewBest]:
    """Groups whose best result of this week beats all that was published before it and is ranked today."""
    for metric in BEST_METRICS:
        trusted = Result.objects.ranked().filter(trust__gte=DEFAULT_MIN_TRUST, **{f"{metric}__gt": 0})
        this_week = _best_of_groups(trusted.filter(submission__published_at__range=week.within), metric)
        models = {group[0] for group in this_week}
        earlier = trusted.filter(submission__published_at__lt=week.start, model__in=models)
        before = _best_of_groups(earlier, metric)
        for group, value in this_week.items():
            if group in before and (found := NewBest(metric, group, value, before[group])).factor > 1:
                yield found


def result_with(best: NewBest, value: float) -> UUID | None:
    """The result of the group that has this value; of several the first by id."""
    model, hardware, gpu_count, scope = best.group
    rows = Result.objects.ranked().filter(
        model=model, hardware=hardware, trust__gte=DEFAULT_MIN_TRUST, **{best.metric: value}
    )
    rows = rows.filter(gpu_count=gpu_count) if gpu_count else rows.filter(gpu_count=None)
    if BEST_METRICS[best.metric]:
        rows = rows.filter(energy_scope=scope)
    return rows.order_by("pk").values_list("pk", flat=True).first()


def disputes_settled_in(week: Week) -> QuerySet[Dispute]:
    return public_disputes().filter(resolved_at__range=week.within, state__in=SETTLED).order_by("resolved_at", "pk")


def taken_away_in(week: Week) -> Mapping[str, int]:
    """action -> public submissions that it took out of the tables."""
    rows = ReviewEvent.objects.filter(
        created_at__range=week.within,
        action__in=(ReviewAction.WITHDRAW, ReviewAction.DELETE, ReviewAction.INVALIDATE),
        from_status__in=_WAS_PUBLIC,
        submission__visibility=Visibility.PUBLIC,
    )
    return dict(rows.order_by().values_list("action").annotate(n=Count("submission", distinct=True)))


def catalogue_names() -> dict[str, list[str]]:
    """What the catalogue holds now."""
    return {
        "models": list(LanguageModel.objects.order_by("name").values_list("name", flat=True)),
        "hardware": list(Hardware.objects.order_by("slug").values_list("slug", flat=True)),
    }


def _best_of_groups(results: QuerySet[Result], metric: str) -> dict[Group, float]:
    best: Any = Max if RANKED[metric] == Better.HIGHER else Min
    columns = ("model", "hardware", "gpus", *(("energy_scope",) if BEST_METRICS[metric] else ()))
    rows = results.annotate(gpus=Coalesce("gpu_count", 0)).order_by().values_list(*columns).annotate(best=best(metric))
    return {(row[0], row[1], row[2], row[3] if len(row) > 4 else ""): row[-1] for row in rows}
