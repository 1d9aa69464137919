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


def _spread_of(metric: Metric, prices: Prices) -> str:
    """The measured figure whose repeats say how far this one spreads: prices have none of their own.

    CO2 and the price of electricity are in proportion to the energy per token. The price of GPU time is in inverse
    proportion to throughput: its relative spread is the same as long as it is small.
    """
    if metric.name == "co2_g_per_million_tokens" or (metric.name == COST and prices.is_electricity_only):
        return "energy_per_output_token_j"
    return "throughput_tokens_per_s" if metric.name == COST else metric.name


def _repeats(metric: Metric, result: Result, value: float, prices: Prices) -> Repeats | None:
    one = result.statistics.get(_spread_of(metric, prices)) or {}
    n, mean, sd = one.get("n") or result.runs, one.get("mean"), one.get("sd")
    if not n:
        return None
    return Repeats(n, value, sd * abs(value / mean) if mean and sd is not None else None)


def _interval(metric: Metric, result: Result, value: float, prices: Prices) -> tuple[float | None, float | None]:
    """The 95 % interval; of a figure with the spread of another one, as wide around it in percent."""
    name = _spread_of(metric, prices)
    one = result.statistics.get(name) or {}
    low, high, mean = one.get("ci95_low"), one.get("ci95_high"), one.get("mean")
    if low is None or high is None or not mean:
        return None, None
    if name == metric.name:
        return low, high
    half = abs(value / mean) * (high - low) / 2
    return value - half, value + half


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
        chart=_chart(metric, results, figures, prices),
    )


def _chart(metric: Metric, results: Sequence[Result], figures: Sequence[Figure | None], prices: Prices) -> ChartBlock:
    """The kind "bars", with the letters of this page; its address shows the same results."""
    names = _names(results)
    chosen = [
        _bar(names[place], results[place], figure, _interval(metric, results[place], figure.value, prices))
        for place, figure in enumerate(figures)
        if figure
    ]
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


def _bar(name: str, result: Result, figure: Figure, interval: tuple[float | None, float | None]) -> Bar:
    return Bar(
        name=name,
        value=figure.value,
        repeats=figure.repeats or Repeats(1, figure.value),
        low=interval[0],
        high=interval[1],
        scope=figure.scope,
        url=result_url(result),
    )
