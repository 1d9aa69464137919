"""/charts/parallel/: a set of axes; the limits of the leaderboard, <metric>_min and <metric>_max, are the ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.urls import reverse

from leaderboard.board import BoardQuery, BoardQueryError, parse_board_query
from leaderboard.charts.base import Chart
from leaderboard.charts.parallel import Ranges, parallel
from leaderboard.presenting.charts.asking import chosen, in_one_scope, lack_note, notes_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.queries.points import points

if TYPE_CHECKING:
    from django.http import QueryDict

SETS = {
    "efficiency": (
        "throughput_tokens_per_s",
        "tokens_per_joule",
        "avg_power_w",
        "cost_per_million_tokens_usd",
    ),
    "latency": ("throughput_tokens_per_s", "tpot_ms_mean", "tokens_per_joule", "avg_power_w"),
    "first-token": ("throughput_tokens_per_s", "ttft_ms_p50", "itl_ms_p50", "tokens_per_joule"),
    "memory": ("throughput_tokens_per_s", "peak_memory_mb", "avg_power_w", "tokens_per_joule"),
}
AXES = Choice(
    "axes",
    "Axes",
    (
        ("efficiency", "Speed, efficiency, power, cost"),
        ("latency", "Speed, TPOT, efficiency, power"),
        ("first-token", "Speed, TTFT, ITL, efficiency"),
        ("memory", "Speed, memory, power, efficiency"),
    ),
)


def make(params: QueryDict) -> Chart:
    metrics = SETS[chosen(params, AXES)]
    query = parse_board_query(params)
    ranges = _ranges(query, metrics)
    limits = {key: limit for key, limit in query.limits.items() if key[0] not in metrics}
    wide, scope_note = in_one_scope(replace(query, limits=limits), metrics)
    found = points(wide, metrics)
    urls = [reverse("leaderboard:result", args=[point.id]) for point in found.points]
    return parallel(
        found.points, metrics, ranges, urls=urls, notes=notes_of(wide, found, scope_note, lack_note(wide, found))
    )


def asked_axes(params: QueryDict) -> Sequence[str]:
    """The metrics whose ranges the page asks for."""
    try:
        return SETS[chosen(params, AXES)]
    except BoardQueryError:
        return SETS[AXES.options[0][0]]


def _ranges(query: BoardQuery, metrics: Sequence[str]) -> Ranges:
    found = {}
    for name in metrics:
        low, high = query.limits.get((name, "min")), query.limits.get((name, "max"))
        if low is not None or high is not None:
            found[name] = (low, high)
    return found
