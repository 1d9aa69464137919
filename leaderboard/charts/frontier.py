"""The answer among its alternatives: the frontier of the goal against one limit, over a sample of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from leaderboard import format as fmt
from leaderboard.analysis.frontier import pareto
from leaderboard.analysis.points import Point
from leaderboard.charts import look, naming
from leaderboard.charts.base import Chart, Column, Table
from leaderboard.metrics import BY_NAME, Better

SLUG = "frontier"


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two figures: its metric, and its name and unit as the page writes them."""

    metric: str
    label: str
    unit: str

    @property
    def is_high_best(self) -> bool:
        return BY_NAME[self.metric].better == Better.HIGHER

    @property
    def title(self) -> str:
        return look.with_unit(self.label, self.unit)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands out, the answer and the reader's limit on x, and what is said below."""

    best: UUID | None = None
    limit: float | None = None
    #: the pages of the results
    urls: Mapping[UUID, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def frontier_chart(points: Sequence[Point], axes: tuple[Axis, Axis], shown: Shown) -> Chart:
    """`points` all have both figures; those of a sample include the whole frontier."""
    x, y = axes
    points, edge = _frontier_first(points, axes)
    best = [place for place, point in enumerate(points) if point.id == shown.best]
    line = [place for place in range(edge) if place not in best]
    others = [place for place in range(edge, len(points)) if place not in best]
    values = [(_value(point, x), _value(point, y)) for point in points]
    traces = [
        _marks(points, others, axes, {"name": "others", "color": "muted", "symbol": "circle-open", "size": 5}),
        _steps(values[:edge], x),
        _marks(points, line, axes, {"name": "on the frontier", "color": "series-1", "symbol": "diamond", "size": 10}),
        _marks(points, best, axes, {"name": "the answer", "color": "accent", "symbol": "star", "size": 19}),
        *_limit(values, shown.limit, x),
    ]
    return Chart(
        slug=SLUG,
        title=f"{y.label} against {x.label}",
        summary=_summary(points[:edge], axes, shown.limit),
        traces=[trace for trace in traces if trace["x"]],
        layout=look.layout(
            x=look.axis(x.title, is_log=look.is_wide([value for value, _ in values])),
            y=look.axis(y.title, is_log=look.is_wide([value for _, value in values])),
            height=look.MEDIUM,
        ),
        table=_table(points, edge, axes, shown.urls),
        notes=shown.notes,
    )


def _frontier_first(points: Sequence[Point], axes: tuple[Axis, Axis]) -> tuple[list[Point], int]:
    """The frontier by rising x, then the others, and how many are on it: people look for it first in the table."""
    x, y = axes
    values = [(_value(point, x), _value(point, y)) for point in points]
    edge = pareto(values, x.is_high_best, y.is_high_best)
    rest = sorted(set(range(len(points))).difference(edge), key=lambda place: (values[place], place))
    return [points[place] for place in (*edge, *rest)], len(edge)


def _value(point: Point, axis: Axis) -> float:
    return float(point.values[axis.metric] or 0)


def _marks(
    points: Sequence[Point], places: Sequence[int], axes: tuple[Axis, Axis], mark: Mapping[str, Any]
) -> dict[str, Any]:
    x, y = axes
    shown = {name: mark[name] for name in ("color", "symbol", "size")}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": mark["name"],
        "x": [points[place].values[x.metric] for place in places],
        "y": [points[place].values[y.metric] for place in places],
        "customdata": list(places),
        "hovertext": [naming.hover(points[place], (x.metric, y.metric)) for place in places],
        "hoverinfo": "text",
        "marker": {**shown, "line": {"color": "text" if mark["symbol"] == "star" else "surface", "width": 1}},
    }


def _steps(values: Sequence[tuple[float, float]], x: Axis) -> dict[str, Any]:
    """Between two measured points there is no third: up to the next one, what one gets is this one."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "frontier",
        "x": [x_value for x_value, _ in values],
        "y": [y_value for _, y_value in values],
        "line": {"color": "series-1", "width": 1.5, "dash": "dash", "shape": "vh" if x.is_high_best else "hv"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _limit(values: Sequence[tuple[float, float]], limit: float | None, x: Axis) -> list[dict[str, Any]]:
    if limit is None or not values:
        return []
    heights = [y for _, y in values]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"your limit, {fmt.exact(limit)} {x.unit}".rstrip(),
            "x": [limit, limit],
            "y": [min(heights), max(heights)],
            "line": {"color": "warn", "width": 2, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]


def _summary(edge: Sequence[Point], axes: tuple[Axis, Axis], limit: float | None) -> str:
    x, y = axes
    if not edge:
        return f"No result with both {y.label} and {x.label} passes the filters."
    first, last = (f"{_figure(edge[place], x)} with {_figure(edge[place], y)}" for place in (0, -1))
    ends = f"It goes from {first} to {last}." if len(edge) > 1 else f"It has {first}."
    words = f"{fmt.count(len(edge), 'configuration')} on the frontier: none is better in both figures. {ends}"
    if limit is None:
        return words
    return f"{words} The dotted line is your limit of {fmt.exact(limit)} {x.unit}".rstrip() + "."


def _figure(point: Point, axis: Axis) -> str:
    return f"{fmt.number(point.values[axis.metric])} {axis.unit}".rstrip()


def _table(points: Sequence[Point], edge: int, axes: tuple[Axis, Axis], urls: Mapping[UUID, str]) -> Table:
    x, y = axes
    return Table(
        columns=[
            *naming.COLUMNS,
            Column(x.metric, x.label, x.unit),
            Column(y.metric, y.label, y.unit),
            Column("on_frontier", "On the frontier"),
        ],
        rows=[
            [*naming.cells(point), point.values[x.metric], point.values[y.metric], "yes" if place < edge else "no"]
            for place, point in enumerate(points)
        ],
        urls=[urls.get(point.id, "") for point in points],
    )
