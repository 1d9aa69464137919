"""Which results a leaderboard shows, in which order.

The default view reads BestResult: the best cell of each (model, hardware, GPU count, energy scope) within the
reader's filters. It walks the metric's index from the best score on and keeps the first cell of each group, so a page
costs the same at a thousand and at a million results. Filters that a cell does not carry (batch size, limits) walk
the results themselves in the same way. docs/performance.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, In, LessThanOrEqual

from leaderboard.board import SIZES, BoardQuery, Cursor, Prices
from leaderboard.metrics import GPU_SECONDS, RANKED, Better, cost_usd, electricity_usd
from leaderboard.models import Backend, BestResult, Hardware, LanguageModel, Result, Trust
from lemsite.lib.asked_once import once

#: the facets that BestResult carries
CELL_FACETS = frozenset(
    {"model", "family", "size", "hardware", "gpu_count", "backend", "precision", "trust", "energy_scope"}
)
#: a table shows the best of these; `group_gpus` is the GPU count with 0 for unknown
GROUP = ("model", "hardware", "energy_scope", "group_gpus")
#: columns that tables never show: long, and only on a result's own page
HEAVY = ("origins", "notes", "config", "environment", "warnings", "hardware__sources", "hardware__note")
#: rows read at first for each group wanted
ROWS_PER_GROUP = 10
UNKNOWN = "unknown"
COST = "cost_per_million_tokens_usd"


#: the value that orders a row, and its result
Key = tuple[float, UUID]


@dataclass(frozen=True, slots=True)
class BoardResults:
    results: Sequence[Result]
    #: where the next page begins, None on the last
    next_cursor: Cursor | None


def board_results(query: BoardQuery, only: Sequence[str] = ()) -> BoardResults:
    """One page of results in the order asked for. Two queries, however many rows there are.

    `only`: the columns that are read, where not all of them are shown.
    """
    keys = _page(query, query.limit + 1)
    shown = keys[: query.limit]
    results = Result.objects.filter(pk__in=[pk for _, pk in shown])
    named = results.select_related("model", "hardware", "backend").only(*only) if only else with_names(results)
    rows = named.order_by().in_bulk()
    last = shown[-1] if len(keys) > query.limit else None
    return BoardResults(
        results=[rows[pk] for _, pk in shown if pk in rows],
        next_cursor=Cursor(last[0], last[1], query.rows_before + query.limit) if last else None,
    )


def all_results(query: BoardQuery) -> QuerySet[Result]:
    """Every ranked result that passes the filters and has the metric, in order; for exports."""
    rows = _result_rows(query)
    return with_names(rows.ordered)


def filtered_results(query: BoardQuery, *, without: str = "") -> QuerySet[Result]:
    """The ranked results that pass every filter, less that of the facet `without`."""
    results = Result.objects.ranked().filter(facet_filter(query, without=without))
    for (column, edge), limit in query.limits.items():
        results = results.filter(_limit(query.prices, column, edge, limit))
    return results


def _limit(prices: Prices, column: str, edge: str, limit: float) -> Q:
    """A limit on cost is one on the stored column behind the reader's own price, where there is one."""
    factor = 1.0
    if column == COST and prices.usd_per_gpu_hour is not None:
        column, factor = GPU_SECONDS, cost_usd(1, prices.usd_per_gpu_hour) or 0.0
    elif column == COST and prices.usd_per_kwh is not None:
        column = "energy_per_output_token_j"
        factor = electricity_usd(1, prices.usd_per_kwh, prices.effective_pue) or 0.0
    if factor == 0:
        # What costs nothing is within any limit from above, and any from below that is not positive.
        return Q(**{f"{column}__isnull": False}) if (limit >= 0) == (edge == "max") or limit == 0 else Q(pk__in=[])
    compare = GreaterThanOrEqual if edge == "min" else LessThanOrEqual
    return Q(compare(Walked(F(column)), limit / factor))


def facet_filter(query: BoardQuery, *, without: str = "") -> Q:
    """The facets and the search as one condition on columns that Result and BestResult share."""
    condition = _search(query.q)
    if without != "trust":
        condition &= trust_filter(query)
    for name, values in query.facets.items():
        if name not in (without, "trust"):
            condition &= _facet(name, values)
    return condition


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows to rank: the column that orders them, the key that breaks ties, and whether a high value is best."""

    rows: QuerySet[Any]
    column: str
    key: str
    high_is_best: bool
    best_first: bool

    @property
    def better(self) -> QuerySet[Any]:
        """The rows of the same filters that beat the outer row."""
        edge = "gt" if self.high_is_best else "lt"
        value, key = OuterRef(self.column), OuterRef(self.key)
        return self.rows.filter(
            Q(**{f"{self.column}__{edge}": value}) | Q(**{self.column: value, f"{self.key}__{edge}": key})
        )

    @property
    def ordered(self) -> QuerySet[Any]:
        """Both order columns in one direction, so that the index serves the order."""
        sign = "-" if self.high_is_best == self.best_first else ""
        return self.rows.order_by(f"{sign}{self.column}", f"{sign}{self.key}")

    def after(self, cursor: Cursor | None) -> _Rows:
        if cursor is None:
            return self
        edge = "lt" if self.high_is_best == self.best_first else "gt"
        beyond = Q(**{f"{self.column}__{edge}": cursor.score}) | Q(
            **{self.column: cursor.score, f"{self.key}__{edge}": cursor.result}
        )
        near = Q(**{f"{self.column}__{edge}e": cursor.score})
        return replace(self, rows=self.rows.filter(near & beyond))

    def best_of_group(self) -> _Rows:
        same_group = {name: OuterRef(name) for name in GROUP}
        return replace(self, rows=self.rows.filter(~Exists(self.better.filter(**same_group))))

    def best_among(self, keys: list[Key]) -> list[Key]:
        best = self.best_of_group().rows.filter(**{f"{self.key}__in": [key for _, key in keys]})
        kept = set(best.values_list(self.key, flat=True))
        return [(value, key) for value, key in keys if key in kept]


def _page(query: BoardQuery, size: int) -> list[Key]:
    on_cells = query.view == "best" and not query.limits and set(query.facets) <= CELL_FACETS
    rows = _cell_rows(query) if on_cells else _result_rows(query)
    if query.view == "best" and query.best_first:
        return _first_of_groups(rows, query.cursor, size)
    if query.view == "best":
        rows = rows.best_of_group()
    return list(rows.after(query.cursor).ordered.values_list(rows.column, rows.key)[:size])


def _first_of_groups(rows: _Rows, cursor: Cursor | None, size: int) -> list[Key]:
    """The best row of each group, best first: on the way down, the first row of a group is its best.

    A popular group has thousands of rows near the top, and asking the database for each whether a better one
    exists takes seconds.
    """
    is_first_page, step = cursor is None, size * ROWS_PER_GROUP
    seen: set[tuple[Any, ...]] = set()
    found: list[Key] = []
    while len(found) < size:
        chunk = list(rows.after(cursor).ordered.values_list(rows.column, rows.key, *GROUP)[:step])
        firsts = []
        for value, key, *group in chunk:
            if tuple(group) not in seen:
                seen.add(tuple(group))
                firsts.append((value, key))
        found += firsts if is_first_page else _still_best(rows, firsts, size - len(found))
        if len(chunk) < step:
            break
        cursor, step = Cursor(*chunk[-1][:2]), step * 4
    return found[:size]


def _still_best(rows: _Rows, keys: list[Key], wanted: int) -> list[Key]:
    """On later pages, the best of a group may have been on an earlier one: ask, but for no more than are wanted."""
    found: list[Key] = []
    for start in range(0, len(keys), wanted):
        found += rows.best_among(keys[start : start + wanted])
        if len(found) >= wanted:
            break
    return found


def _cell_rows(query: BoardQuery) -> _Rows:
    cells = BestResult.objects.filter(facet_filter(query), metric=query.ranking).annotate(group_gpus=F("gpu_count"))
    return _Rows(cells, "score", "result_id", high_is_best=True, best_first=query.best_first)


def _result_rows(query: BoardQuery) -> _Rows:
    results = filtered_results(query).filter(**{f"{query.ranking}__isnull": False})
    results = results.annotate(group_gpus=Coalesce("gpu_count", 0))
    is_high = RANKED[query.ranking] == Better.HIGHER
    return _Rows(results, query.ranking, "pk", high_is_best=is_high, best_first=query.best_first)


def trust_filter(query: BoardQuery) -> Q:
    """The levels ticked, or everything from the least level on."""
    if "trust" in query.facets:
        return Q(trust__in=[Trust.from_code(code) for code in query.facets["trust"]])
    return Q(trust__gte=query.min_trust)


def _facet(name: str, values: Sequence[str]) -> Q:
    if name in ("gpu_count", "batch_size"):
        return _count_facet(name, values)
    if name in ("precision", "energy_scope"):
        return Q(**{f"{name}__in": ["" if value == UNKNOWN else value for value in values]})
    column = name if name in ("hardware", "backend") else "model"
    return _one_of(column, once(("ids", name, *values), lambda: _ids(_named(name, values))))


def _named(name: str, values: Sequence[str]) -> QuerySet[Any]:
    """The rows of the catalogue that a facet asks for."""
    if name in ("hardware", "backend"):
        target = Hardware if name == "hardware" else Backend
        return target.objects.filter(slug__in=values)
    return LanguageModel.objects.filter(model_condition(name, values))


def _count_facet(name: str, values: Sequence[str]) -> Q:
    """Unknown counts are NULL in results and 0 in cells."""
    condition = Q(**{f"{name}__in": [int(value) for value in values if value != UNKNOWN]})
    if UNKNOWN in values:
        condition |= Q(**{f"{name}__isnull": True}) | Q(**{name: 0})
    return condition


def model_condition(name: str, values: Sequence[str]) -> Q:
    """The models that a facet about models asks for."""
    if name == "model":
        return Q(name__in=values)
    if name == "family":
        return Q(family__in=values)
    condition = Q(parameters_total_b=None) if UNKNOWN in values else Q()
    for value in values:
        if value == UNKNOWN:
            continue
        low, high = SIZES[value]
        condition |= Q(parameters_total_b__gte=low, parameters_total_b__lt=high if math.isfinite(high) else 1e9)
    return condition


def _search(q: str) -> Q:
    """Every word is part of the name of the model, its family or organisation, the hardware or the backend."""
    condition = Q()
    for word in q.split():
        models = LanguageModel.objects.filter(
            Q(name__icontains=word) | Q(title__icontains=word) | Q(family__icontains=word)
        )
        hardware = Hardware.objects.filter(Q(name__icontains=word) | Q(slug__icontains=word))
        backends = Backend.objects.filter(Q(name__icontains=word) | Q(slug__icontains=word))
        condition &= (
            _one_of("model", _ids(models)) | _one_of("hardware", _ids(hardware)) | _one_of("backend", _ids(backends))
        )
    return condition


def _ids(rows: QuerySet[Any]) -> list[int]:
    """The catalogue is small: its ids in the statement plan better than a sub-query."""
    return list(rows.order_by().values_list("pk", flat=True))


def _one_of(name: str, ids: Sequence[int]) -> Q:
    return Q(In(Walked(F(name)), ids)) if len(ids) > 1 else Q(**{f"{name}__in": ids})


class Walked(Func):
    """A column that SQLite must not look up in an index of its own.

    It takes any index that narrows the rows, fetches all of them and sorts, where a walk in the order asked for
    would end after a page. PostgreSQL knows from its statistics which is shorter.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="+%(expressions)s", **context)


def with_names(results: QuerySet[Result]) -> QuerySet[Result]:
    return results.select_related("model", "hardware", "backend").defer(*HEAVY)
