"""The answer to a question: the best configuration, the best of each model, the frontier, and what a limit costs.

All of it is exact: walks through the goal's index from the best on, or, where a limit lets few results through, through
that limit's. No more rows are read than are shown, but for those few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, OrderBy, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from leaderboard.analysis.nearest import nearest
from leaderboard.metrics import BY_NAME, RANKED, Better
from leaderboard.models import LanguageModel, Result
from leaderboard.queries.board import Walked, facet_filter, filtered_results, with_names
from leaderboard.queries.considered import Considered, LimitCount, consider, count_limit, first_stated
from leaderboard.queries.frontier import Spot, frontier, sorted_frontier
from leaderboard.question import COST, Limit, Question

#: what a frontier is drawn against where no limit says: the first that half of the results state
AXES = ("itl_ms_p50", "tpot_ms_mean", "tpot_ms_p50", "itl_ms_mean", "ttft_ms_p50", "throughput_tokens_per_s")
#: so many candidates are read and sorted sooner than found in the goal's index
FEW = 15_000
#: rows of the page's table
MAX_MODELS = 50
MAX_SPOTS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    #: as asked, and in one energy scope
    question: Question
    scoped: Question
    considered: Considered
    limits: Sequence[LimitCount]
    best: Result | None
    #: the best of each model, best first; `models` is how many there are
    of_models: Sequence[Result]
    models: int
    #: the metric that the frontier is drawn against
    axis: str
    #: by rising axis, whatever the limit on the axis
    frontier: Sequence[Result]
    #: the best if this limit did not hold
    without: Mapping[Limit, Result] = field(default_factory=dict)
    #: a limited figure that no result states, and the answer by the nearest that some do
    unstated: str = ""
    nearest: str = ""
    instead: Answer | None = None


def answer(question: Question) -> Answer:
    scoped, considered = consider(question)
    search = _Search(scoped, considered, [count_limit(scoped, key) for key in scoped.board.limits])
    leaders = search.leaders()
    without = search.without()
    axis, free = search.axis(leaders, without)
    unstated = next((count.column for count in search.limits if not count.stated and considered.results), "")
    spots = _thinned(search.frontier(axis, free)) if axis and not unstated else []
    substitute = first_stated(scoped, nearest(unstated)) if unstated else ""
    rows = _read([*leaders[:MAX_MODELS], *without.values(), *(spot[2] for spot in spots)])
    return Answer(
        question=question,
        scoped=scoped,
        considered=considered,
        limits=search.limits,
        best=rows[leaders[0]] if leaders else None,
        of_models=[rows[pk] for pk in leaders[:MAX_MODELS]],
        models=len(leaders),
        axis=axis,
        frontier=[rows[spot[2]] for spot in spots],
        without={key: rows[pk] for key, pk in without.items()},
        unstated=unstated,
        nearest=substitute,
        instead=answer(_asked_of(question, unstated, substitute)) if substitute else None,
    )


def _asked_of(question: Question, unstated: str, substitute: str) -> Question:
    """The same limit on another latency, unless that has one of its own."""
    ((key, limit),) = [(key, limit) for key, limit in question.board.limits.items() if key[0] == unstated]
    kept = question.without(key)
    return kept if any(column == substitute for column, _ in kept.board.limits) else kept.limited(substitute, limit)


@dataclass(frozen=True, slots=True)
class _Search:
    """One question in one energy scope, with the counts that say which index to walk."""

    question: Question
    considered: Considered
    limits: Sequence[LimitCount]

    def leaders(self) -> list[UUID]:
        """The best result of each model within the limits, best first."""
        best_first = _best_first(self.question)
        if self._is_few(self.limits):
            by_value = _best_first(self.question, walks=False)
            place = Window(RowNumber(), partition_by=Walked(F("model")), order_by=by_value)
            rows = _candidates(self.question, _driver(self.limits)).annotate(place=place).filter(place=1)
            return list(rows.order_by(*best_first).values_list("pk", flat=True))
        best = _candidates(self.question).filter(model=OuterRef("pk")).order_by(*best_first).values("pk")[:1]
        ids = set(_models(self.question).annotate(best=Subquery(best)).values_list("best", flat=True)) - {None}
        return list(Result.objects.filter(pk__in=ids).order_by(*best_first).values_list("pk", flat=True))

    def without(self) -> dict[Limit, UUID]:
        """What would be the best if one limit did not hold."""
        found = {}
        for key in self.question.constraints:
            kept = [count for count in self.limits if count.key != key]
            few = self._is_few(kept)
            rows = _candidates(self.question.without(key), _driver(kept) if few else None)
            best = rows.order_by(*_best_first(self.question, walks=not few)).values_list("pk", flat=True).first()
            if best is not None:
                found[key] = best
        return found

    def axis(self, leaders: Sequence[UUID], without: Mapping[Limit, UUID]) -> tuple[str, list[Limit]]:
        """What to draw the frontier against, and the limits that do not hold on it.

        It is the limit that holds back most: the one without which the best is best. Where nothing is within the
        limits, it is the one that the fewest results keep.
        """
        question, goal = self.question, self.question.ranked.ranking
        if question.against and question.stored(question.against) != goal:
            return question.against, [key for key in question.constraints if key[0] == question.against]
        binding = [count for count in self.limits if count.key in without and count.stated]
        if binding and leaders:
            values = dict(Result.objects.filter(pk__in=without.values()).values_list("pk", goal))
            sign = 1 if RANKED[goal] == Better.HIGHER else -1
            hardest = max(binding, key=lambda count: sign * values[without[count.key]])
            return hardest.column, [hardest.key]
        if binding:
            rarest = min(binding, key=lambda count: count.met)
            return rarest.column, [rarest.key]
        axes = [axis for axis in AXES if question.stored(axis) != goal]
        most = -(-self.considered.results // 2)
        return first_stated(question, axes, most) or first_stated(question, axes), []

    def frontier(self, axis: str, free: Sequence[Limit]) -> list[Spot]:
        """By rising `axis`, which may be the inverse of the column that stands for it."""
        x = self.question.stored(axis)
        spots = self._spots(x, self.question.without(*free), free)
        return spots if RANKED[x] == BY_NAME[axis].better else spots[::-1]

    def _spots(self, x: str, question: Question, free: Sequence[Limit]) -> list[Spot]:
        y = question.ranked.ranking
        driver = _driver([count for count in self.limits if count.key not in free])
        if driver is None:
            return frontier(_candidates(question), x, y)
        # Of few, a walk would pass most rows in vain.
        rows = _candidates(question, driver).filter(**{f"{x}__isnull": False})
        return sorted_frontier(rows.values_list(x, y, "pk"), x, y)

    def _is_few(self, limits: Sequence[LimitCount]) -> bool:
        return min([self.considered.with_goal, *(count.met for count in limits)]) <= FEW


def _models(question: Question) -> QuerySet[LanguageModel]:
    """Those that have a result which passes the filters: of others no row is looked at."""
    column = question.ranked.ranking
    passing = Result.objects.ranked().filter(facet_filter(question.board), **{f"{column}__isnull": False})
    return LanguageModel.objects.filter(pk__in=set(passing.order_by().values_list("model", flat=True).distinct()))


def _candidates(question: Question, driver: LimitCount | None = None) -> QuerySet[Result]:
    """Those within the filters and limits that have the goal's figure; `driver` is the limit whose index is walked."""
    rows = filtered_results(question.ranked).filter(**{f"{question.ranked.ranking}__isnull": False}).order_by()
    if driver is None:
        return rows
    return rows.filter(Q(**{f"{driver.column}__{'lte' if driver.edge == 'max' else 'gte'}": driver.limit}))


def _driver(limits: Sequence[LimitCount]) -> LimitCount | None:
    """The limit that the fewest keep, where it is one on a column that has an index."""
    narrow = [count for count in limits if count.column in RANKED and count.column != COST and count.met <= FEW]
    return min(narrow, key=lambda count: count.met, default=None)


def _best_first(question: Question, *, walks: bool = True) -> list[OrderBy]:
    column = question.ranked.ranking
    value: Any = F(column) if walks else Walked(F(column))
    return [OrderBy(key, descending=RANKED[column] == Better.HIGHER) for key in (value, F("pk"))]


def _thinned(spots: Sequence[Spot]) -> list[Spot]:
    """All of them, or so many evenly: both ends stay."""
    if len(spots) <= MAX_SPOTS:
        return list(spots)
    step = (len(spots) - 1) / (MAX_SPOTS - 1)
    return [spots[round(i * step)] for i in range(MAX_SPOTS)]


def _read(ids: Sequence[UUID]) -> dict[UUID, Result]:
    return with_names(Result.objects.filter(pk__in=set(ids))).in_bulk()
