"""Efficiency against speed: a mark for each configuration, and the frontier that none of them beats."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.analysis.frontier import pareto
from leaderboard.analysis.points import Point
from leaderboard.charts import look, naming
from leaderboard.charts.base import Chart, Column, Table
from leaderboard.metrics import BY_NAME, Better

SLUG = "scatter"
TITLE = "Efficiency against speed"
SMALLEST_PX, LARGEST_PX = 8.0, 30.0
SIZE_NOTE = "The area of a mark grows with the model's parameters; unknown is the smallest."


@dataclass(frozen=True, slots=True)
class Plane:
    """The metrics across and up."""

    x: str
    y: str

    def values(self, point: Point) -> tuple[float, float]:
        return float(point.values[self.x] or 0), float(point.values[self.y] or 0)


def scatter(
    points: Sequence[Point], plane: Plane, by: str = "", *, urls: Sequence[str] = (), notes: Sequence[str] = ()
) -> Chart:
    """`points` in `plane`, whose figures each of them has.

    Series by `by`, one of naming.GROUPS; without it by the first of them that tells the points apart.
    """
    x, y = plane.x, plane.y
    by = by or next((name for name in naming.GROUPS if len(naming.series_of(points, name)) > 1), "backend")
    frontiers = _frontiers(points, plane)
    on_frontier = {place for places in frontiers.values() for place in places}
    traces = [
        *_marks(points, plane, by),
        *(_line(points, places, plane, scope if len(frontiers) > 1 else "") for scope, places in frontiers.items()),
    ]
    return Chart(
        slug=SLUG,
        title=TITLE if (x, y) == ("throughput_tokens_per_s", "tokens_per_joule") else _title(x, y),
        summary=_summary(points, on_frontier, plane),
        traces=traces,
        layout=look.layout(
            x=look.metric_axis(x, is_log=look.is_wide(_values(points, x))),
            y=look.metric_axis(y, is_log=look.is_wide(_values(points, y))),
            height=look.LARGE,
        ),
        table=_table(points, on_frontier, plane, urls),
        notes=[SIZE_NOTE, *notes] if points else notes,
    )


def _title(x: str, y: str) -> str:
    return f"{BY_NAME[y].label} against {BY_NAME[x].label}"


def _values(points: Sequence[Point], name: str) -> list[float]:
    return [value for point in points if (value := point.values[name]) is not None]


def _frontiers(points: Sequence[Point], plane: Plane) -> dict[str, list[int]]:
    """energy scope -> places on its frontier: energies of two scopes are never held against each other."""
    found = {}
    for scope in sorted({point.energy_scope for point in points}):
        places = [place for place, point in enumerate(points) if point.energy_scope == scope]
        values = [plane.values(points[place]) for place in places]
        best = pareto(values, _higher(plane.x), _higher(plane.y))
        found[scope] = [places[i] for i in best]
    return found


def _higher(name: str) -> bool:
    return BY_NAME[name].better == Better.HIGHER


def _marks(points: Sequence[Point], plane: Plane, by: str) -> Iterator[Mapping[str, Any]]:
    sizes = _sizes(points)
    for number, (name, places) in enumerate(naming.series_of(points, by)):
        mark = look.mark(number)
        yield {
            "type": "scatter",
            "mode": "markers",
            "name": look.plain(name),
            "x": [points[place].values[plane.x] for place in places],
            "y": [points[place].values[plane.y] for place in places],
            "customdata": places,
            "hovertext": [naming.hover(points[place], (plane.x, plane.y)) for place in places],
            "hoverinfo": "text",
            "marker": {
                "color": mark.color,
                "symbol": mark.symbol,
                "size": [sizes[place] for place in places],
                "opacity": 0.8,
                "line": {"color": "surface", "width": 1},
            },
        }


def _sizes(points: Sequence[Point]) -> list[float]:
    """Diameters in px, whose areas are in proportion to the parameters of the models."""
    greatest = max((point.parameters_total_b or 0 for point in points), default=0) or 1
    return [
        round(max(LARGEST_PX * math.sqrt((point.parameters_total_b or 0) / greatest), SMALLEST_PX), 1)
        for point in points
    ]


def _line(points: Sequence[Point], places: Sequence[int], plane: Plane, scope: str) -> dict[str, Any]:
    """Steps, for between two measured points there is no third: what one gets there is the next point that does."""
    values = [plane.values(points[place]) for place in places]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"Frontier, {naming.SCOPES[scope]}" if scope in naming.SCOPES and scope else "Frontier",
        "x": [value for value, _ in values],
        "y": [value for _, value in values],
        "line": {
            "color": "text",
            "width": 1.5,
            "dash": "dash" if scope in ("", "gpu") else "dot",
            "shape": "vh" if _higher(plane.x) else "hv",
        },
        "hoverinfo": "skip",
    }


def _summary(points: Sequence[Point], on_frontier: set[int], plane: Plane) -> str:
    if not points:
        return "No result with both figures passes the filters."
    best_x, best_y = (_best(points, name) for name in (plane.x, plane.y))
    return (
        f"{fmt.count(len(points), 'configuration')}, {len(on_frontier)} of them on the frontier, where no other is "
        f"better in both. Best {BY_NAME[plane.y].label}: {_words(best_y, plane.y)}. "
        f"Best {BY_NAME[plane.x].label}: {_words(best_x, plane.x)}."
    )


def _best(points: Sequence[Point], name: str) -> Point:
    pick = max if _higher(name) else min
    return pick(points, key=lambda point: point.values[name] or 0)


def _words(point: Point, name: str) -> str:
    value = f"{fmt.number(point.values[name])} {BY_NAME[name].unit}"
    return f"{point.model_title} on {naming.hardware(point)} ({naming.configuration(point)}) with {value}"


def _table(points: Sequence[Point], on_frontier: set[int], plane: Plane, urls: Sequence[str]) -> Table:
    columns = [
        *naming.COLUMNS,
        Column("parameters_total_b", "Parameters", "10^9"),
        naming.metric_column(plane.x),
        naming.metric_column(plane.y),
        Column("on_frontier", "On the frontier"),
    ]
    rows = [
        [
            *naming.cells(point),
            point.parameters_total_b,
            point.values[plane.x],
            point.values[plane.y],
            "yes" if place in on_frontier else "no",
        ]
        for place, point in enumerate(points)
    ]
    return Table(columns, rows, urls)
