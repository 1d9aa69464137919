"""Measured configurations for the advisor, and what a reader can choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, QuerySet

from leaderboard.analysis.neighbours import AXES, Measured
from leaderboard.board import BoardQuery
from leaderboard.metrics import RANKED, Better
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.queries.board import filtered_results

#: more of one model on one GPU say nothing new; by id, so it is a random sample
MAX_MEASURED = 3_000
#: models from half to twice the size are asked where the model itself was not measured
SIMILAR_SIZE = 2.0
#: all else that has to be equal for two results to be neighbours
SURROUNDINGS = (
    "hardware", "energy_method", "dataset", "max_input_tokens", "max_output_tokens",
    "request_rate_per_s", "prefix_caching", "speculative_decoding", "tool",
)  # fmt: skip
_COLUMNS = {"backend": "backend__slug"}


@dataclass(frozen=True, slots=True)
class Found:
    """The results that the advice rests on, out of how many there are."""

    measured: Sequence[Measured]
    total: int

    @property
    def is_sampled(self) -> bool:
        return self.total > MAX_MEASURED


def measured(query: BoardQuery) -> Found:
    """Those that pass the filters of `query` and have its figure. Its limits are kept as what fits, so that a pair
    may begin outside them.
    """
    return _found(_with_figure(replace(query, limits={})), query)


def measured_on_similar(query: BoardQuery, model: LanguageModel) -> Found:
    """The same of other models of a similar size; `query` names the GPU."""
    if not model.parameters_total_b:
        return Found([], 0)
    low, high = model.parameters_total_b / SIMILAR_SIZE, model.parameters_total_b * SIMILAR_SIZE
    similar = LanguageModel.objects.filter(parameters_total_b__gte=low, parameters_total_b__lte=high)
    others = list(similar.exclude(pk=model.pk).values_list("pk", flat=True))
    facets = {name: values for name, values in query.facets.items() if name != "model"}
    return _found(_with_figure(replace(query, facets=facets, limits={})).filter(model__in=others), query)


def hardware_measured_with(model: LanguageModel, query: BoardQuery) -> list[tuple[Hardware, int]]:
    """The GPUs with results of this model, those with the most first."""
    rows = filtered_results(replace(query, facets={"model": (model.name,)}, limits={})).order_by()
    counts = dict(rows.values_list("hardware").annotate(n=Count("pk")))
    found = Hardware.objects.filter(pk__in=counts)
    return sorted(((gpu, counts[gpu.pk]) for gpu in found), key=lambda pair: (-pair[1], pair[0].name))


def is_high_best(query: BoardQuery) -> bool:
    """Which way the stored column is better that the figure of `query` is ordered by."""
    return RANKED[query.ranking] == Better.HIGHER


def _with_figure(query: BoardQuery) -> QuerySet[Result]:
    return filtered_results(query).filter(**{f"{query.ranking}__isnull": False})


def _found(results: QuerySet[Result], query: BoardQuery) -> Found:
    measured = _read(results, query)
    return Found(measured, len(measured) if len(measured) < MAX_MEASURED else results.count())


def _read(results: QuerySet[Result], query: BoardQuery) -> list[Measured]:
    limited = tuple(dict.fromkeys(column for column, _ in query.limits))
    axes = tuple(_COLUMNS.get(axis, axis) for axis in AXES)
    columns = ("pk", "model__name", "pipeline_parallel", "energy_scope", query.ranking, *axes, *SURROUNDINGS, *limited)
    fits = _fits(query.limits)
    found = []
    for row in results.order_by("pk").values(*columns)[:MAX_MEASURED]:
        settings = {axis: row[_COLUMNS.get(axis, axis)] for axis in AXES}
        found.append(
            Measured(
                id=row["pk"],
                model=row["model__name"],
                settings={axis: value for axis, value in settings.items() if value not in (None, "")},
                scope=row["energy_scope"],
                surroundings=tuple(row[name] for name in SURROUNDINGS),
                pipeline_parallel=row["pipeline_parallel"],
                figure=row[query.ranking],
                fits=fits(row),
            )
        )
    return found


def _fits(limits: Mapping[tuple[str, str], float]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row is known to be within the limits; what was not measured is not known to be."""

    def fits(row: Mapping[str, Any]) -> bool:
        for (column, edge), limit in limits.items():
            value = row[column]
            if value is None or (value < limit if edge == "min" else value > limit):
                return False
        return True

    return fits
