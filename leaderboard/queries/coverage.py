"""The catalogue beside what was measured of it: models and GPUs, the most measured first, and the best of each pair."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Max, Q, QuerySet

from leaderboard.board import BoardQuery
from leaderboard.models import BestResult, Hardware, LanguageModel
from leaderboard.queries.board import CELL_FACETS, facet_filter, filtered_results, model_condition
from leaderboard.queries.facets import MODEL_FACETS

Entry = TypeVar("Entry", LanguageModel, Hardware)


@dataclass(frozen=True, slots=True)
class Side(Generic[Entry]):
    """The models or the GPUs that are shown, out of how many pass the filters."""

    entries: Sequence[Entry]
    total: int


def models_of(query: BoardQuery, measured: Sequence[str], most: int) -> Side[LanguageModel]:
    """The measured models (names, the most measured first), then others of the catalogue that pass the filters."""
    condition = Q()
    for name in MODEL_FACETS:
        if name in query.facets:
            condition &= model_condition(name, query.facets[name])
    rows = LanguageModel.objects.filter(condition)
    if query.q:
        rows = rows.filter(name__in=measured)
    return _side(rows, "name", measured, most)


def hardware_of(query: BoardQuery, measured: Sequence[str], most: int) -> Side[Hardware]:
    """The measured GPUs (slugs, the most measured first), then others of the catalogue that pass the filters."""
    rows = Hardware.objects.all()
    if "hardware" in query.facets:
        rows = rows.filter(slug__in=query.facets["hardware"])
    if query.q:
        rows = rows.filter(slug__in=measured)
    return _side(rows, "slug", measured, most)


def _side(rows: QuerySet[Entry], key: str, measured: Sequence[str], most: int) -> Side[Entry]:
    place = {name: i for i, name in enumerate(measured)}
    names = sorted(rows.values_list(key, flat=True), key=lambda name: place.get(name, len(place)))
    shown = names[:most]
    entries = {getattr(entry, key): entry for entry in rows.filter(**{f"{key}__in": shown})}
    return Side([entries[name] for name in shown if name in entries], len(names))


def best_scores(
    query: BoardQuery, metric: str, models: Collection[int], hardware: Collection[int]
) -> Mapping[tuple[int, int], float]:
    """(model, hardware) -> the highest value of a stored metric of which more is better, within the filters."""
    among = Q(model__in=models, hardware__in=hardware)
    if set(query.facets) <= CELL_FACETS and not query.limits:
        cells = BestResult.objects.filter(facet_filter(query), among, metric=metric).order_by()
        best = list(cells.values_list("model", "hardware").annotate(best=Max("score")))
    else:
        results = filtered_results(query).filter(among, **{f"{metric}__isnull": False}).order_by()
        best = list(results.values_list("model", "hardware").annotate(best=Max(metric)))
    return {(model, gpu): value for model, gpu, value in best}
