"""/charts/bars/: two to eight results, result=, by one metric; without any, the best ones of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from leaderboard.analysis.welch import Repeats
from leaderboard.board import BoardQueryError
from leaderboard.charts.bars import Bar, bars
from leaderboard.charts.base import Chart
from leaderboard.metrics import SORTABLE
from leaderboard.models import Result
from leaderboard.presenting.charts.asking import chosen, in_one_scope, is_about_energy, metric_choice
from leaderboard.presenting.charts.choosing import SIDES
from leaderboard.presenting.common import backend_words, batch_words, gpu_words, model_link, result_url
from leaderboard.queries.board import board_results
from leaderboard.queries.charted import CO2, Figure, figure, measured_pairs
from leaderboard.queries.comparing import best_of_models, compared_results
from leaderboard.selection import MAX_COMPARED, Selection, at_most, read_selection

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = metric_choice("metric", "Metric", [metric.name for metric in SORTABLE])
#: bars where the reader chose none
DEFAULT_BARS = 6


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    selection, problems = read_selection(params)
    if "result" in problems:
        raise BoardQueryError({"result": problems["result"]})
    selection = at_most(selection, problems)
    if metric == CO2 and selection.filters.prices.co2_g_per_kwh is None:
        raise BoardQueryError({"metric": f"{metric} needs co2_g_per_kwh, the carbon of your grid"})
    shown = figure(metric, selection.filters.prices)
    results, notes = _chosen(selection) if selection.count else _best(selection, metric, shown)
    having = [result for result in results if getattr(result, shown.column) is not None]
    missing = [f"Not measured for {model_link(one).label} on {gpu_words(one)}." for one in results if one not in having]
    is_energy = is_about_energy(selection.filters, (metric,))
    drawn, shared = _bars(having, shown, is_energy=is_energy)
    more = [problems["result"]] if "result" in problems else []
    return bars(metric, drawn, [*shared, *more, *missing, *notes])


def _chosen(selection: Selection) -> tuple[list[Result], list[str]]:
    """Those that the address names, and the best of the models that it names."""
    found = compared_results(selection.results, AnonymousUser())
    if len(found) < len(selection.results):
        raise Http404
    best = best_of_models(selection.models, selection.filters)
    return [found[pk] for pk in selection.results] + [one for name in selection.models if (one := best.get(name))], []


def _best(selection: Selection, metric: str, shown: Figure) -> tuple[list[Result], list[str]]:
    """The best configurations of the most measured model."""
    query = selection.filters
    pair = measured_pairs(query, shown.column).most_measured((), query.facets.get("hardware", ()))
    if pair is None:
        return [], []
    query = replace(query, facets={**query.facets, SIDES[0]: pair[:1]}, sort=metric, limit=DEFAULT_BARS)
    query, scope_note = in_one_scope(replace(query, descending=shown.is_high_best), (metric,))
    note = f"The best configurations of the model with most results. Choose your own: result=, two to {MAX_COMPARED}."
    return list(board_results(query).results), [note, *filter(None, [scope_note])]


def _bars(results: Sequence[Result], shown: Figure, *, is_energy: bool) -> tuple[list[Bar], list[str]]:
    """The bars under what tells them apart, and a sentence of what they share."""
    parts = [_parts(result) for result in results]
    differing = [place for place in range(5) if len({each[place] for each in parts}) > 1]
    drawn = []
    for result, each in zip(results, parts, strict=True):
        low, high = shown.interval(result)
        n, sd = shown.spread(result)
        named = [each[place] for place in differing or range(5) if each[place]]
        drawn.append(
            Bar(
                name=", ".join(named),
                value=shown.of(result),
                repeats=Repeats(n, shown.of(result), sd),
                low=low,
                high=high,
                scope=result.energy_scope if is_energy else None,
                url=result_url(result),
            )
        )
    shared = [part for place, part in enumerate(parts[0]) if place not in differing and part] if parts else []
    return drawn, [f"All: {', '.join(shared)}."] if shared and differing else []


def _parts(result: Result) -> tuple[str, ...]:
    batch = batch_words(result)
    batch = f"batch {batch}" if batch and "concurrent" not in batch else batch
    return model_link(result).label, gpu_words(result), backend_words(result), result.precision, batch
