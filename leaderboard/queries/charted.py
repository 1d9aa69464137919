"""Ranked results grouped for charts: the database picks the best of each cell, so that few rows come out of many."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber

from leaderboard.board import BoardQuery, Prices
from leaderboard.metrics import BY_NAME, GPU_SECONDS, Better, co2_g, cost_usd, electricity_usd
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.queries.board import COST, Walked, filtered_results
from leaderboard.queries.facets import data_version

CACHE_S = 24 * 3600
CO2 = "co2_g_per_million_tokens"
#: what a chart needs of a result beside its figures
_NEEDED = (
    "model_name", "hardware_name", "backend_name", "backend_version", "gpu_count", "precision", "batch_size",
    "concurrency", "energy_scope", "runs", "statistics", "throughput_tokens_per_s",
)  # fmt: skip
_NAMES = (
    "model__name", "model__title", "model__parameters_total_b", "model__parameters_active_b", "hardware__slug",
    "hardware__name", "backend__slug", "backend__name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric at the reader's prices: a stored column times a factor. The column is NULL where there is no figure."""

    metric: str
    column: str
    factor: float = 1.0

    @property
    def is_high_best(self) -> bool:
        return BY_NAME[self.metric].better == Better.HIGHER

    def of(self, result: Result) -> float:
        value: float = getattr(result, self.column)
        return value * self.factor

    def interval(self, result: Result) -> tuple[float | None, float | None]:
        """The 95 % interval over the repeats of one result."""
        one = result.statistics.get(self.column) or {}
        low, high = one.get("ci95_low"), one.get("ci95_high")
        return (None, None) if low is None or high is None else (low * self.factor, high * self.factor)

    def spread(self, result: Result) -> tuple[int, float | None]:
        """Repeats and their standard deviation."""
        one = result.statistics.get(self.column) or {}
        sd = one.get("sd")
        return one.get("n") or result.runs or 1, None if sd is None else sd * self.factor


def figure(metric: str, prices: Prices) -> Figure:
    """Prices of GPU time and of electricity are in proportion to a stored column, and so are their intervals."""
    if metric == COST and prices.usd_per_gpu_hour is not None:
        return Figure(metric, GPU_SECONDS, cost_usd(1, prices.usd_per_gpu_hour) or 0.0)
    energy = "energy_per_output_token_j"
    if metric == COST and prices.usd_per_kwh is not None:
        return Figure(metric, energy, electricity_usd(1, prices.usd_per_kwh, prices.effective_pue) or 0.0)
    if metric == CO2:
        return Figure(metric, energy, co2_g(1, prices.co2_g_per_kwh or 0.0, prices.effective_pue) or 0.0)
    return Figure(metric, metric)


def having(query: BoardQuery, *columns: str) -> QuerySet[Result]:
    """The results that pass the filters and have all of these columns."""
    return filtered_results(query).filter(**{f"{column}__isnull": False for column in columns}).order_by()


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many results each model has on each GPU: (model, hardware) -> count, by name and slug."""

    counts: Mapping[tuple[str, str], int]
    #: (model, hardware) -> how many values of the column that a chart goes along; all 1 where there is none
    places: Mapping[tuple[str, str], int]
    #: name or slug -> how pages write it
    titles: Mapping[str, str]

    def by(self, side: int) -> list[tuple[str, int]]:
        """The models (0) or the GPUs (1), the most measured first."""
        totals: dict[str, int] = {}
        for pair, count in self.counts.items():
            totals[pair[side]] = totals.get(pair[side], 0) + count
        return sorted(totals.items(), key=lambda item: (-item[1], item[0]))

    def most_measured(self, model: Sequence[str], hardware: Sequence[str]) -> tuple[str, str] | None:
        """The pair with most places, then with most results, among these models and GPUs where any are named."""
        fitting = [
            pair for pair in self.counts if (not model or pair[0] in model) and (not hardware or pair[1] in hardware)
        ]
        return min(fitting, key=lambda pair: (-self.places[pair], -self.counts[pair], pair), default=None)


def measured_pairs(query: BoardQuery, column: str = "", along: str = "") -> Pairs:
    """The results that have this column, or all; counted once for each state of the data and of the filters.

    `along` is gpu_count or batch_size, which the indexes hold.
    """
    state = hashlib.sha256(f"{column} {along} {query.url()}".encode()).hexdigest()
    key = f"pairs:{data_version()}:{state}"
    found: Pairs | None = cache.get(key)
    if found is None:
        found = _count_pairs(query, column, along)
        cache.set(key, found, CACHE_S)
    return found


def _count_pairs(query: BoardQuery, column: str, along: str) -> Pairs:
    if column:
        # Walked: the index of the metric holds both, while the one that is in their order would read every row.
        rows = having(query, column).annotate(m=Walked(F("model")), h=Walked(F("hardware")))
    else:
        rows = filtered_results(query).order_by().annotate(m=F("model"), h=F("hardware"))
    counted = list(
        rows.values_list("m", "h").annotate(n=Count("*"), places=Count(along, distinct=True) if along else Value(1))
    )
    models = LanguageModel.objects.in_bulk({row[0] for row in counted if row[0]})
    gpus = Hardware.objects.in_bulk({row[1] for row in counted if row[1]})
    known = [row for row in counted if row[0] in models and row[1] in gpus]
    names = [(models[model].name, gpus[hardware].slug) for model, hardware, *_ in known]
    return Pairs(
        {pair: row[2] for pair, row in zip(names, known, strict=True)},
        {pair: row[3] for pair, row in zip(names, known, strict=True)},
        {model.name: model.title for model in models.values()} | {gpu.slug: gpu.name for gpu in gpus.values()},
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Results that share some columns, and how many values of another one they have."""

    key: tuple[Any, ...]
    places: int
    results: int


def groups(rows: QuerySet[Result], same: Sequence[str], along: str) -> list[Group]:
    """The groups of equal columns `same`, those with most values of `along` first."""
    counted = rows.values_list(*same).annotate(places=Count(along, distinct=True), n=Count("*"))
    found = [Group(tuple(row[: len(same)]), row[-2], row[-1]) for row in counted]
    return sorted(found, key=lambda group: (-group.places, -group.results, str(group.key)))


def in_groups(rows: QuerySet[Result], same: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> QuerySet[Result]:
    """The rows of these groups alone."""
    conditions = [
        Q(*(Q((name, value)) if value is not None else Q((f"{name}__isnull", True)) for name, value in pairs))
        for pairs in (list(zip(same, key, strict=True)) for key in keys)
    ]
    return rows.filter(reduce(or_, conditions)) if conditions else rows.none()


def best_rows(rows: QuerySet[Result], cell: Sequence[str], shown: Figure) -> QuerySet[Result]:
    """The best result of each cell of equal columns, with `among`, the number in its cell."""
    order = f"{'-' if shown.is_high_best else ''}{shown.column}"
    ranked = rows.annotate(
        place=Window(RowNumber(), partition_by=list(cell), order_by=[order, "pk"]),
        among=Window(Count("pk"), partition_by=list(cell)),
    )
    return ranked.filter(place=1)


def best_of_each(rows: QuerySet[Result], cell: Sequence[str], shown: Figure) -> list[Result]:
    """The results of `best_rows` with all that a chart needs, and with `mean`, that of their cell."""
    stored = {name for name in (*cell, shown.column) if name not in rows.query.annotations}
    averaged = rows.annotate(mean=Window(Avg(shown.column), partition_by=list(cell)))
    best = best_rows(averaged, cell, shown).select_related("model", "hardware", "backend")
    return list(best.only("model", "hardware", "backend", *_NEEDED, *_NAMES, *stored))
