"""The figures of a comparison: values with intervals, best first, and what the repeats say of their differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from django.http import QueryDict

from leaderboard import metrics
from leaderboard.analysis.comparing import Figure, differences
from leaderboard.analysis.welch import Repeats
from leaderboard.board import Prices
from leaderboard.chart_pages import ChartBlock
from leaderboard.charts.bars import Bar, bars
from leaderboard.comparing_pages import FigureBlock
from leaderboard.metrics import Better, Metric
from leaderboard.models import Result
from leaderboard.presenting.board import cell_value
from leaderboard.presenting.charts.block import chart_block
from leaderboard.presenting.common import backend_words, batch_words, gpu_words, model_link, result_url
from leaderboard.presenting.comparing_words import LETTERS, letters, statement
from leaderboard.selection import DEFAULT_METRICS, MIN_COMPARED, Selection

ENERGY = frozenset(
    {
        "tokens_per_joule", "total_tokens_per_joule", "energy_per_output_token_j", "energy_per_total_token_j",
        "avg_power_w", "co2_g_per_million_tokens",
    }
)  # fmt: skip
COST = "cost_per_million_tokens_usd"


def compared_metrics(selection: Selection, results: Sequence[Result]) -> list[Metric]:
    """Those that the reader chose; else of the usual ones those that two of the results have."""
    if selection.metrics:
        return [metrics.BY_NAME[name] for name in selection.metrics]
    prices = selection.filters.prices
    usual = [metrics.BY_NAME[name] for name in DEFAULT_METRICS]
    return [m for m in usual if sum(cell_value(one, m, prices) is not None for one in results) >= MIN_COMPARED]


def figures_of(metric: Metric, results: Sequence[Result], prices: Prices) -> list[Figure | None]:
    return [_figure(metric, result, prices) for result in results]


def _figure(metric: Metric, result: Result, prices: Prices) -> Figure | None:
    value = cell_value(result, metric, prices)
    if value is None:
        return None
    is_energy = metric.name in ENERGY or (metric.name == COST and prices.is_electricity_only)
    return Figure(value, _repeats(metric, result, value, prices), result.energy_scope if is_energy else None)


def _repeats(metric: Metric, result: Result, value: float, prices: Prices) -> Repeats | None:
    """Over the cycles. What is in proportion to a measured figure has its spread: J per token for CO2 and
    electricity.
    """
    of = "energy_per_output_token_j"
    is_energy_price = metric.name == COST and prices.is_electricity_only
    name = of if metric.name == "co2_g_per_million_tokens" or is_energy_price else metric.name
    one = result.statistics.get(name) or {}
    n, mean, sd = one.get("n") or result.runs, one.get("mean"), one.get("sd")
    if not n:
        return None
    if mean is None or sd is None:
        return Repeats(n, value)
    return Repeats(n, value, sd * abs(value / mean) if name != metric.name and mean else sd)


def item_title(result: Result) -> str:
    return f"{model_link(result).label} on {gpu_words(result)}"


def figure_block(metric: Metric, results: Sequence[Result], prices: Prices) -> FigureBlock:
    figures = figures_of(metric, results, prices)
    is_high = metric.better == Better.HIGHER
    missing = [place for place, figure in enumerate(figures) if figure is None]
    return FigureBlock(
        name=metric.name,
        statements=[statement(difference, figures, metric) for difference in differences(figures, is_high)],
        missing=f"Not measured for {letters(missing)}." if missing else "",
        chart=_chart(metric, results, figures),
    )


def _chart(metric: Metric, results: Sequence[Result], figures: Sequence[Figure | None]) -> ChartBlock:
    """The kind "bars", with the letters of this page; its address shows the same results."""
    names = _names(results)
    chosen = [_bar(metric, names[place], results[place], figure) for place, figure in enumerate(figures) if figure]
    direction = "More is better." if metric.better == Better.HIGHER else "Less is better."
    chart = bars(metric.name, chosen)
    said = f"{metric.meaning[:1].upper()}{metric.meaning[1:]}. {direction}"
    chart = replace(chart, summary=said if chosen else f"None of them has {metric.label}.")
    params = QueryDict(urlencode([*(("result", str(result.pk)) for result in results), ("metric", metric.name)]))
    return chart_block(chart, params, level=3, key=metric.name.replace("_", "-"))


def _names(results: Sequence[Result]) -> list[str]:
    """The letter, and of the configuration what tells it from the others."""
    parts = [_parts(result) for result in results]
    differing = [place for place, values in enumerate(zip(*parts, strict=True)) if len(set(values)) > 1] or [0]
    told = [", ".join(each[place] for place in differing if each[place]) for each in parts]
    return [f"{letter}: {words}" for letter, words in zip(LETTERS, told, strict=False)]


def _parts(result: Result) -> tuple[str, ...]:
    batch = batch_words(result)
    return (
        model_link(result).label,
        gpu_words(result),
        backend_words(result),
        result.precision,
        f"batch {batch}" if result.batch_size is not None else batch,
    )


def _bar(metric: Metric, name: str, result: Result, figure: Figure) -> Bar:
    one = result.statistics.get(metric.name) or {}
    return Bar(
        name=name,
        value=figure.value,
        repeats=figure.repeats or Repeats(1, figure.value),
        low=one.get("ci95_low"),
        high=one.get("ci95_high"),
        scope=figure.scope or "",
        url=result_url(result),
    )
