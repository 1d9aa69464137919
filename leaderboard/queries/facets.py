"""How many results stand behind each choice of each facet, kept per data version.

Counting a million rows takes longer than a page may. So the counts of a state of the filters are stored with the
data version they were made for; a state whose stored counts are older is answered with them at once and counted
again in the background. A state that nobody has asked for yet is counted at once while the table is small; on a large
one the first page has the choices without their counts, and the counts follow.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django_q.tasks import async_task

from leaderboard.board import FACETS, SIZES, BoardQuery
from leaderboard.metrics import RANKED
from leaderboard.models import Backend, DataVersion, FacetCounts, Hardware, LanguageModel, Result, Trust
from leaderboard.queries.board import COST, UNKNOWN, filtered_results, trust_filter
from lemsite.lib.asked_once import once

CACHE_S = 24 * 3600
#: counts that took longer are worth a row that all processes share
WORTH_STORING_S = 0.05
#: so many results can be counted while a reader waits (about 0.2 s)
COUNTED_AT_ONCE = 100_000
RECOUNT_EVERY_S = 60
COLUMNS = {
    "hardware": "hardware",
    "gpu_count": "gpu_count",
    "backend": "backend",
    "precision": "precision",
    "batch_size": "batch_size",
    "trust": "trust",
    "energy_scope": "energy_scope",
}
MODEL_FACETS = ("family", "size", "model")


@dataclass(frozen=True, slots=True)
class Counts:
    """facet -> value -> results; and the totals of the whole state."""

    facets: Mapping[str, Mapping[str, int]]
    total: int
    #: results that have the metric sorted by
    measured: int
    models: int
    hardware: int
    #: False while only the choices are known; the numbers are then those of the unfiltered table
    is_counted: bool = True
    #: False while newer counts are being made: a page with these must not be kept
    is_current: bool = True

    def hidden_by_trust(self, query: BoardQuery) -> int:
        """Results that pass everything but the trust filter."""
        return sum(self.facets["trust"].values()) - self.total


@dataclass(frozen=True, slots=True)
class _Kept:
    """The counts of one state of the filters, whatever it is sorted by."""

    facets: Mapping[str, Mapping[str, int]]
    total: int
    models: int
    hardware: int
    #: ranked metric -> results that have it
    measured: Mapping[str, int]

    def for_sort(self, query: BoardQuery) -> Counts:
        return Counts(self.facets, self.total, self.measured[query.ranking], self.models, self.hardware)


def data_version() -> int:
    return once("data version", _data_version)


def _data_version() -> int:
    return DataVersion.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def facet_counts(query: BoardQuery) -> Counts:
    """The counts of this state: fresh when they are at hand or quick, else the last ones, refreshed behind."""
    version, signature = data_version(), _signature(query)
    fresh = cache.get(_cache_key(signature, version))
    if fresh is not None:
        return _Kept(**fresh).for_sort(query)
    stored = FacetCounts.objects.filter(signature=signature).first()
    if stored is None:
        return _choices_only(query) or count_and_keep(query)
    counts = _Kept(**stored.counts).for_sort(query)
    if stored.version == version:
        cache.set(_cache_key(signature, version), stored.counts, CACHE_S)
        return counts
    if _is_small(stored):
        return count_and_keep(query)
    _recount_behind(query)
    return replace(counts, is_current=False)


def count_and_keep(query: BoardQuery) -> Counts:
    """Count now; keep the counts for this process, and for all of them where counting was slow."""
    version, signature = data_version(), _signature(query)
    started = time.perf_counter()
    kept = _count(query)
    plain = asdict(kept)
    cache.set(_cache_key(signature, version), plain, CACHE_S)
    if time.perf_counter() - started > WORTH_STORING_S:
        FacetCounts.objects.update_or_create(signature=signature, defaults={"version": version, "counts": plain})
    return kept.for_sort(query)


def count_facets(query: BoardQuery) -> Counts:
    """Count every facet over the results that pass all the other filters."""
    return _count(query).for_sort(query)


def _choices_only(query: BoardQuery) -> Counts | None:
    """What the unfiltered table offers, where that is too large to count while the reader waits."""
    stored = FacetCounts.objects.filter(signature=_signature(BoardQuery())).first()
    if stored is None or _is_small(stored):
        return None
    _recount_behind(query)
    return replace(_Kept(**stored.counts).for_sort(query), is_counted=False, is_current=False)


def _is_small(stored: FacetCounts) -> bool:
    """Whether the state's results can be counted while the reader waits."""
    return bool(sum(stored.counts["facets"]["trust"].values()) <= COUNTED_AT_ONCE)


def _recount_behind(query: BoardQuery) -> None:
    if cache.add(f"recount:{_signature(query)}", True, timeout=RECOUNT_EVERY_S):
        async_task("leaderboard.tasks.recount_facets", query.url())


def _count(query: BoardQuery) -> _Kept:
    facets: dict[str, dict[str, int]] = {}
    for name, column in COLUMNS.items():
        facets[name] = _named(name, _count_by(filtered_results(query, without=name), column))
    results = filtered_results(query)
    by_model = _count_by(results, "model")
    facets |= _count_model_facets(query, by_model)
    gpus = query.facets.get("hardware", tuple(facets["hardware"]))
    return _Kept(
        facets={name: facets[name] for name in FACETS},
        total=sum(by_model.values()),
        models=len(by_model),
        hardware=sum(slug in facets["hardware"] for slug in gpus),
        measured=results.aggregate(**{metric: Count(metric) for metric in RANKED}),
    )


def _count_by(results: QuerySet[Result], column: str) -> dict[Any, int]:
    return dict(results.order_by().values_list(column).annotate(n=Count("*")))


def _count_model_facets(query: BoardQuery, by_model: dict[Any, int]) -> dict[str, dict[str, int]]:
    """Family and size follow from the model, so one count by model serves all facets with the same filters."""
    models = {model.pk: model for model in LanguageModel.objects.only("name", "family", "parameters_total_b")}
    by_filter = {"": by_model}
    counts: dict[str, Counter[str]] = {}
    for name in MODEL_FACETS:
        without = name if name in query.facets else ""
        if without not in by_filter:
            by_filter[without] = _count_by(filtered_results(query, without=without), "model")
        counts[name] = Counter()
        for pk, n in by_filter[without].items():
            counts[name][_model_value(name, models[pk])] += n
    return {name: dict(counter) for name, counter in counts.items()}


def _model_value(name: str, model: LanguageModel) -> str:
    if name == "model":
        return model.name
    if name == "family":
        return model.family
    size = model.parameters_total_b
    return next((key for key, (low, high) in SIZES.items() if size is not None and low <= size < high), UNKNOWN)


def _named(name: str, counts: Mapping[Any, int]) -> dict[str, int]:
    """The counts under the values that the query string uses."""
    if name in ("hardware", "backend"):
        target = Hardware if name == "hardware" else Backend
        slugs = dict(target.objects.values_list("pk", "slug"))
        return {slugs[pk]: n for pk, n in counts.items()}
    if name == "trust":
        return {Trust(level).code: n for level, n in counts.items()}
    return {UNKNOWN if value in (None, "") else str(value): n for value, n in counts.items()}


def _signature(query: BoardQuery) -> str:
    """Equal for states with equal counts: order of the rows aside, and columns."""
    facets = sorted((name, sorted(values)) for name, values in query.facets.items())
    state: list[Any] = [facets, sorted(query.limits.items()), query.q, int(query.min_trust)]
    if any(column == COST for column, _ in query.limits):
        state.append(list(astuple(query.prices)))
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def _cache_key(signature: str, version: int) -> str:
    return f"facets:{version}:{signature}"


def hidden_by_trust(query: BoardQuery) -> int:
    """How many results pass everything but the trust filter."""
    return once(("hidden by trust", query.url(), query.prices), lambda: _count_hidden(query))


def _count_hidden(query: BoardQuery) -> int:
    return filtered_results(query, without="trust").exclude(trust_filter(query)).count()
