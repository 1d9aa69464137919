"""The charts on the page of one result: its cycles, and what was recorded meanwhile, where there is any."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import QueryDict

from leaderboard.chart_pages import ChartBlock
from leaderboard.models import Result
from leaderboard.presenting.charts import cycles, power
from leaderboard.presenting.charts.block import chart_block
from leaderboard.presenting.charts.named import PARAMETER
from leaderboard.presenting.result import CYCLE_METRICS

MIN_CYCLES = 2


def charts_of(result: Result) -> list[ChartBlock]:
    """Whoever may see the result sees them; addresses are those of public ones alone. A simulation has none."""
    return [] if result.submission.is_simulated else list(_charts(result))


def _charts(result: Result) -> Iterator[ChartBlock]:
    params = QueryDict(mutable=True)
    params[PARAMETER] = str(result.pk)
    metric = _metric(result)
    if metric:
        own = params.copy()
        if metric != cycles.METRIC.options[0][0]:
            own["metric"] = metric
        yield chart_block(cycles.cycles_of([result], metric), own, level=2, is_public=result.is_ranked)
    recorded = power.power_of([result])
    if not recorded.is_empty:
        yield chart_block(recorded, params, level=2, is_public=result.is_ranked)


def _metric(result: Result) -> str:
    """The first of the usual metrics that the cycles have, or ""."""
    rows = list(result.measurements.all())
    for name in CYCLE_METRICS:
        if sum(getattr(row, name) is not None for row in rows) >= MIN_CYCLES:
            return name
    return ""
