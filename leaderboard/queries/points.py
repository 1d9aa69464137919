"""Ranked results as points for charts, in a number that a page can carry.

Where there are more than fit, they are a random sample: ids are random, so those below a threshold are one. It is the
same each time, and costs the same at a thousand and at a million results, but for one count in an index. The Pareto
frontier of the first two metrics is always among the points, since a sample would miss it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.lookups import LessThan

from leaderboard.analysis.points import Point, Points
from leaderboard.board import BoardQuery
from leaderboard.metrics import BY_NAME, GPU_SECONDS, RANKED
from leaderboard.models import Backend, Hardware, LanguageModel, Result
from leaderboard.presenting.board import priced_value
from leaderboard.queries.board import Walked, filtered_results
from leaderboard.queries.frontier import frontier

MAX_POINTS = 2_000
#: rows read at most for each that is wanted, where limits pass few
MAX_READ = 10
IDS = 2**128
NAMES = (
    "pk", "model", "model_name", "hardware", "hardware_name", "gpu_count", "backend", "backend_name",
    "backend_version", "precision", "batch_size", "concurrency", "energy_scope", "trust", "runs",
)  # fmt: skip
PRICED_BY = ("energy_per_output_token_j", "cost_per_million_tokens_usd", GPU_SECONDS)

Row = Mapping[str, Any]


def points(
    query: BoardQuery, metrics: Sequence[str], most: int = MAX_POINTS, always: Iterable[UUID] | None = None
) -> Points:
    """The results that pass the filters of `query` and have all of `metrics`, at the reader's prices.

    `always` names those that a sample must hold; without it that is the frontier.
    """
    columns = list(dict.fromkeys(stored_column(query, name) for name in metrics))
    results = filtered_results(query).filter(**{f"{column}__isnull": False for column in columns})
    # Facets and the first metric are in one index, so that this count reads no row.
    in_reach = filtered_results(replace(query, limits={})).filter(**{f"{columns[0]}__isnull": False}).count()
    # Each limit keeps some half; where that is wrong by far, a second look is worth it.
    share = min(1.0, most * min(2 ** len(query.limits), MAX_READ) / max(in_reach, 1))
    rows = _rows(_share_of(results, share), metrics)
    if share < 1 and len(rows) < most / 2:
        share = min(1.0, share * most / max(len(rows), 1), MAX_READ * most / in_reach)
        rows = _rows(_share_of(results, share), metrics)
    if share == 1 and len(rows) <= most:
        return Points(_points(rows, query, metrics), len(rows))
    total = round(len(rows) / share)
    rows = sorted(rows, key=itemgetter("pk"))[:most]
    wanted = set(_frontier_ids(results, columns) if always is None else always)
    rows += _rows(results.filter(pk__in=wanted - {row["pk"] for row in rows}), metrics)
    return Points(_points(rows, query, metrics), max(total, len(rows)), is_estimated=share < 1)


def stored_column(query: BoardQuery, metric: str) -> str:
    """The stored column whose order this metric has at the reader's prices."""
    return replace(query, sort=metric).ranking if BY_NAME[metric].is_sortable else metric


def _share_of(results: QuerySet[Result], share: float) -> QuerySet[Result]:
    return results.filter(LessThan(Walked(F("pk")), UUID(int=int(share * IDS)))) if share < 1 else results


def _rows(results: QuerySet[Result], metrics: Sequence[str]) -> list[Row]:
    """What points are made of: a tenth of the time that whole results take."""
    stored = {field.name for field in Result._meta.concrete_fields}
    return list(results.order_by().values(*{*NAMES, *PRICED_BY, *stored.intersection(metrics)}))


def _frontier_ids(results: QuerySet[Result], columns: Sequence[str]) -> list[UUID]:
    ranked = [column for column in columns if column in RANKED][:2]
    return [pk for _, _, pk in frontier(results, *ranked)] if len(ranked) == 2 else []


def _points(rows: Sequence[Row], query: BoardQuery, metrics: Sequence[str]) -> list[Point]:
    """By id, so that the same data is the same file whatever order the database reads it in."""
    catalogue = _Catalogue(rows)
    return [catalogue.point(row, query, metrics) for row in sorted(rows, key=itemgetter("pk"))]


class _Catalogue:
    """The models, GPUs and backends of some results: some hundreds, read once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.models = LanguageModel.objects.in_bulk({row["model"] for row in rows})
        self.hardware = Hardware.objects.in_bulk({row["hardware"] for row in rows})
        self.backends = Backend.objects.in_bulk({row["backend"] for row in rows})

    def point(self, row: Row, query: BoardQuery, metrics: Sequence[str]) -> Point:
        model = self.models.get(row["model"])
        hardware = self.hardware.get(row["hardware"])
        backend = self.backends.get(row["backend"])
        return Point(
            id=row["pk"],
            model=model.name if model else row["model_name"],
            model_title=model.title if model else row["model_name"],
            family=model.family if model else "",
            parameters_total_b=model.parameters_total_b if model else None,
            parameters_active_b=model.parameters_active_b if model else None,
            hardware=hardware.slug if hardware else "",
            hardware_name=hardware.name if hardware else row["hardware_name"],
            gpu_count=row["gpu_count"],
            backend=backend.slug if backend else "",
            backend_name=backend.name if backend else row["backend_name"],
            backend_version=row["backend_version"],
            precision=row["precision"],
            batch_size=row["batch_size"],
            concurrency=row["concurrency"],
            energy_scope=row["energy_scope"],
            trust=row["trust"],
            runs=row["runs"],
            values={name: priced_value(row.get, BY_NAME[name], query.prices) for name in metrics},
        )
