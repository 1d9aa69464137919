"""How many results a question is about, and how many of them say what it asks for. Index walks alone, no rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Count, Q, QuerySet

from leaderboard.board import FACETS
from leaderboard.metrics import BY_NAME, GPU_SECONDS, RANKED, Better
from leaderboard.models import Result
from leaderboard.presenting.board import priced_value
from leaderboard.queries.board import UNKNOWN, facet_filter, filtered_results, trust_filter
from leaderboard.question import COST, JOULES, Limit, Question

SCOPES = ("gpu", "node", "wall", "")


@dataclass(frozen=True, slots=True)
class LimitCount:
    """One limit alone, among the results considered."""

    column: str
    edge: str
    limit: float
    #: results that state this figure at all, and those within the limit
    stated: int
    met: int
    #: the best that any of them reaches, None where none states it
    reached: float | None

    @property
    def key(self) -> Limit:
        return self.column, self.edge


@dataclass(frozen=True, slots=True)
class Considered:
    """Those that pass every filter and the trust level, of the energy scope compared, whatever the limits."""

    results: int
    #: of these, those that have the figure the goal is about
    with_goal: int
    #: those that only the trust filter keeps out, of any scope
    hidden_by_trust: int
    #: "gpu", "node", "wall", "" for unstated; None where the question compares none or the reader chose several
    scope: str | None
    #: passing, but of another scope
    other_scopes: int


def consider(question: Question) -> tuple[Question, Considered]:
    """The question in one energy scope, that of most results unless the reader chose, and its counts."""
    board = question.board
    visible = trust_filter(board)
    counts = (
        Result.objects.ranked()
        .filter(facet_filter(board, without="trust"))
        .aggregate(
            all=Count("energy_scope"),
            **{f"scope_{scope}": Count("energy_scope", filter=visible & Q(energy_scope=scope)) for scope in SCOPES},
        )
    )
    by_scope = {scope: counts[f"scope_{scope}"] for scope in SCOPES}
    passing = sum(by_scope.values())
    scope, scoped = None, question
    if question.is_about_energy and "energy_scope" not in board.facets:
        scope = max(SCOPES, key=lambda name: by_scope[name])
        scoped = question.narrowed(energy_scope=scope or UNKNOWN)
    elif question.is_about_energy and len(board.facets["energy_scope"]) == 1:
        scope = board.facets["energy_scope"][0].replace(UNKNOWN, "")
    results = passing if scope is None else by_scope.get(scope, 0)
    considered = Considered(
        results=results,
        with_goal=_stating(scoped, scoped.ranked.ranking).count(),
        hidden_by_trust=counts["all"] - passing,
        scope=scope,
        other_scopes=passing - results,
    )
    return scoped, considered


def count_limit(question: Question, key: Limit) -> LimitCount:
    column, edge = key
    limit, stored = question.board.limits[key], question.stored(column)
    stating = _stating(question, stored)
    best_first = f"-{stored}" if RANKED.get(stored) == Better.HIGHER else stored
    best = stating.order_by(best_first).values(column, JOULES, COST, GPU_SECONDS).first()
    return LimitCount(
        column,
        edge,
        limit,
        stated=stating.count(),
        met=_keeping(question, key).count(),
        reached=priced_value(best.get, BY_NAME[column], question.ranked.prices) if best else None,
    )


def _keeping(question: Question, key: Limit) -> QuerySet[Result]:
    """Within this limit, whatever the others. A limit on cost is one on what the reader's price makes a cost of."""
    column, edge = key
    limit = question.board.limits[key]
    if column == COST:
        return filtered_results(replace(question.ranked, limits={key: limit})).order_by()
    return _facets_only(question).filter(**{f"{column}__{'lte' if edge == 'max' else 'gte'}": limit})


def first_stated(question: Question, columns: Iterable[str], at_least: int = 1) -> str:
    """The first of `columns` that so many of the results considered state, "" where none is."""
    return next((name for name in columns if _stating(question, question.stored(name)).count() >= at_least), "")


def emptying_facets(question: Question) -> list[str]:
    """The filters each of which would leave something if it were taken away, where all together leave nothing."""
    board = question.board
    narrowing = [name for name in FACETS if name in board.facets]
    return [name for name in narrowing if Result.objects.ranked().filter(facet_filter(board, without=name)).exists()]


def _facets_only(question: Question) -> QuerySet[Result]:
    return Result.objects.ranked().filter(facet_filter(question.board)).order_by()


def _stating(question: Question, stored: str) -> QuerySet[Result]:
    return _facets_only(question).filter(**{f"{stored}__isnull": False})
