"""/charts/scatter/: any two metrics, x= and y=, coloured by colour=."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from leaderboard.board import BoardQueryError, parse_board_query
from leaderboard.charts import naming
from leaderboard.charts.base import Chart
from leaderboard.charts.scatter import Plane, scatter
from leaderboard.presenting.charts.asking import chosen, in_one_scope, lack_note, metric_choice, notes_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.queries.points import points

if TYPE_CHECKING:
    from django.http import QueryDict

SPEEDS = (
    "throughput_tokens_per_s",
    "total_throughput_tokens_per_s",
    "requests_per_s",
    "ttft_ms_p50",
    "ttft_ms_p90",
    "itl_ms_p50",
    "itl_ms_p90",
    "tpot_ms_mean",
    "avg_power_w",
    "peak_memory_mb",
)
EFFICIENCIES = (
    "tokens_per_joule",
    "energy_per_output_token_j",
    "total_tokens_per_joule",
    "cost_per_million_tokens_usd",
    "avg_power_w",
    "throughput_tokens_per_s",
    "quality_composite",
)
X = metric_choice("x", "Across", SPEEDS)
Y = metric_choice("y", "Up", EFFICIENCIES)
COLOUR = Choice("colour", "Colour and mark", (("auto", "What differs"), *naming.GROUPS.items()))


def make(params: QueryDict) -> Chart:
    x, y, by = (chosen(params, choice) for choice in (X, Y, COLOUR))
    if x == y:
        raise BoardQueryError({"y": f"{y} is across already"})
    query, scope_note = in_one_scope(parse_board_query(params), (x, y))
    found = points(query, (x, y))
    urls = [reverse("leaderboard:result", args=[point.id]) for point in found.points]
    notes = notes_of(query, found, scope_note, lack_note(query, found))
    return scatter(found.points, Plane(x, y), "" if by == "auto" else by, urls=urls, notes=notes)
