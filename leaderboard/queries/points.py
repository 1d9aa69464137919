"""Ranked results as points for charts, in a number that a page can carry."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.analysis.points import Point, Points
from leaderboard.board import BoardQuery
from leaderboard.metrics import BY_NAME
from leaderboard.models import Result
from leaderboard.presenting.board import cell_value
from leaderboard.queries.board import filtered_results

MAX_POINTS = 2_000


def points(query: BoardQuery, metrics: Sequence[str], most: int = MAX_POINTS) -> Points:
    """The results that pass the filters of `query` and have all of `metrics`, at the reader's prices."""
    needed = {BY_NAME[name].ranking: name for name in metrics}
    results = filtered_results(query).filter(**{f"{column}__isnull": False for column in needed})
    rows = results.select_related("model", "hardware", "backend").order_by("pk")
    return Points([_point(row, query, metrics) for row in rows[:most]], results.count())


def _point(result: Result, query: BoardQuery, metrics: Sequence[str]) -> Point:
    model, hardware, backend = result.model, result.hardware, result.backend
    return Point(
        id=result.pk,
        model=model.name if model else result.model_name,
        model_title=model.title if model else result.model_name,
        family=model.family if model else "",
        parameters_total_b=model.parameters_total_b if model else None,
        parameters_active_b=model.parameters_active_b if model else None,
        hardware=hardware.slug if hardware else "",
        hardware_name=hardware.name if hardware else result.hardware_name,
        gpu_count=result.gpu_count,
        backend=backend.slug if backend else "",
        backend_name=backend.name if backend else result.backend_name,
        backend_version=result.backend_version,
        precision=result.precision,
        batch_size=result.batch_size,
        concurrency=result.concurrency,
        energy_scope=result.energy_scope,
        trust=result.trust,
        runs=result.runs,
        values={name: cell_value(result, BY_NAME[name], query.prices) for name in metrics},
    )
