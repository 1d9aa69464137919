"""/charts/cycles/?result=…: one metric over the cycles of up to eight results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from leaderboard.charts.base import Chart
from leaderboard.charts.cycles import Cycles, cycles
from leaderboard.models import Measurement, Result
from leaderboard.presenting.charts.asking import chosen, metric_choice
from leaderboard.presenting.charts.named import CHOOSE, detail_of, named_results, title_of
from leaderboard.presenting.common import result_url
from leaderboard.presenting.result import CYCLE_METRICS

if TYPE_CHECKING:
    from django.http import QueryDict

MOST_RESULTS = 8
METRIC = metric_choice(
    "metric", "Metric", (*CYCLE_METRICS, "ttft_ms_p50", "ttft_ms_p90", "itl_ms_p50", "tpot_ms_mean", "peak_memory_mb")
)


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    results = named_results(params, MOST_RESULTS)
    chart = cycles_of(results, metric)
    return chart if results else replace(chart, summary=CHOOSE)


def cycles_of(results: Sequence[Result], metric: str) -> Chart:
    rows = Measurement.objects.filter(result__in=[result.pk for result in results]).order_by("cycle")
    values: dict[object, list[float | None]] = {}
    for result, value in rows.values_list("result", metric):
        values.setdefault(result, []).append(value)
    shown = [
        Cycles(title_of(one), detail_of(one), result_url(one), one.energy_scope, values.get(one.pk, ()))
        for one in results
    ]
    return cycles(shown, metric)
