"""Parallel coordinates: a line for each configuration across the axes of several metrics, drawn with plain lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.analysis.points import Point
from leaderboard.charts import look, naming
from leaderboard.charts.base import Chart, Table, Value
from leaderboard.metrics import BY_NAME

SLUG = "parallel"
TITLE = "Parallel coordinates"
#: metric -> (from, to); None is open
Ranges = Mapping[str, tuple[float | None, float | None]]
TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """One upright axis: 0 at its least value and 1 at its greatest, by logarithm where that is wide."""

    metric: str
    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, metric: str, values: Sequence[float]) -> Scale:
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        return cls(metric, low, high, look.is_wide(values))

    def place(self, value: float) -> float:
        if self.high == self.low:
            return 0.5
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, place: float) -> float:
        """The other way round."""
        if self.is_log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)


def is_within(point: Point, ranges: Ranges) -> bool:
    return all(_is_between(point.values[name], *limits) for name, limits in ranges.items())


def parallel(
    points: Sequence[Point],
    metrics: Sequence[str],
    ranges: Ranges,
    *,
    urls: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Chart:
    """`points` have all of `metrics`. Those outside of `ranges` are drawn faintly, and are not in the table."""
    inside = [place for place, point in enumerate(points) if is_within(point, ranges)]
    outside = [point for point in points if not is_within(point, ranges)]
    scales = [Scale.of(name, [float(point.values[name] or 0) for point in points]) for name in metrics]
    shown = [points[place] for place in inside]
    traces = [*_faint(outside, scales), *_lines(shown, scales), *_ranges(scales, ranges)]
    return Chart(
        slug=SLUG,
        title=TITLE,
        summary=_summary(shown, len(points), ranges),
        traces=traces,
        layout=_layout(scales),
        table=Table(
            [*naming.COLUMNS, *(naming.metric_column(name) for name in metrics)],
            [_row(point, metrics) for point in shown],
            [urls[place] for place in inside] if urls else (),
        ),
        notes=[*_notes(outside), *notes],
    )


def _is_between(value: float | None, low: float | None, high: float | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _row(point: Point, metrics: Sequence[str]) -> list[Value]:
    return [*naming.cells(point), *(point.values[name] for name in metrics)]


def _faint(points: Sequence[Point], scales: Sequence[Scale]) -> Iterator[dict[str, Any]]:
    if points:
        x, y = _path(points, scales)
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": "outside the ranges",
            "x": x,
            "y": y,
            "line": {"color": "line", "width": 1},
            "hoverinfo": "skip",
            "connectgaps": False,
        }


def _path(points: Sequence[Point], scales: Sequence[Scale]) -> tuple[list[int | None], list[float | None]]:
    """All lines as one, with a gap after each: a figure of two thousand traces would not draw in time."""
    x: list[int | None] = []
    y: list[float | None] = []
    for point in points:
        x += [*range(len(scales)), None]
        y += [*(round(scale.place(float(point.values[scale.metric] or 0)), 4) for scale in scales), None]
    return x, y


def _lines(points: Sequence[Point], scales: Sequence[Scale]) -> Iterator[dict[str, Any]]:
    by = next((name for name in naming.GROUPS if len(naming.series_of(points, name)) > 1), "backend")
    for number, (name, places) in enumerate(naming.series_of(points, by)):
        mark = look.mark(number)
        group = [points[place] for place in places]
        x, y = _path(group, scales)
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "name": look.plain(name),
            "x": x,
            "y": y,
            "customdata": [row for place in places for row in (*[place] * len(scales), None)],
            "hovertext": [text for point in group for text in (*_hovers(point, scales), "")],
            "hoverinfo": "text",
            "line": {"color": f"{mark.color}/0.7", "dash": mark.dash, "width": 1.3},
            "marker": {"color": mark.color, "symbol": mark.symbol, "size": 5},
            "connectgaps": False,
        }


def _hovers(point: Point, scales: Sequence[Scale]) -> list[str]:
    """One text for each vertex: the figure there, and what it is a figure of."""
    name = look.lines(point.model_title, naming.hardware(point), naming.configuration(point))
    return [f"{look.plain(naming.figure(point, scale.metric))}<br>{name}" for scale in scales]


def _ranges(scales: Sequence[Scale], ranges: Ranges) -> Iterator[dict[str, Any]]:
    """A thick bar over the chosen part of an axis."""
    for number, scale in enumerate(scales):
        if scale.metric not in ranges:
            continue
        low, high = ranges[scale.metric]
        ends = [scale.low if low is None else low, scale.high if high is None else high]
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": "chosen range",
            "showlegend": False,
            "x": [number, number],
            "y": [scale.place(min(max(end, scale.low), scale.high)) for end in ends],
            "line": {"color": "accent", "width": 9},
            "opacity": 0.7,
            "hoverinfo": "skip",
        }


def _layout(scales: Sequence[Scale]) -> dict[str, Any]:
    """The upright axes are grid lines of x; their figures are written beside them."""
    y = look.axis("", visible=False, range=[-0.06, 1.06], fixedrange=True)
    x = look.axis(
        "",
        tickmode="array",
        tickvals=list(range(len(scales))),
        ticktext=["<br>".join(map(look.plain, _label(scale))) for scale in scales],
        range=[-0.25, len(scales) - 0.6],
        side="top",
        ticks="",
        gridcolor="control",
        zeroline=False,
        showline=False,
        fixedrange=True,
        tickangle=0,
    )
    layout = look.layout(x=x, y=y, height=look.LARGE, dragmode=False, annotations=list(_tick_words(scales)))
    below = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.03, "yanchor": "top"}
    return {
        **layout,
        "margin": {"l": 24, "r": 24, "t": 56, "b": 24},
        "legend": below,
        "narrow": {
            "margin": {"t": 64, "l": 8, "r": 8},
            "legend": {"y": -0.03},
            "xaxis": {"tickfont": {"size": 10}, "ticktext": [_phone_label(scale) for scale in scales]},
        },
    }


def _label(scale: Scale) -> list[str]:
    metric = BY_NAME[scale.metric]
    return [metric.label, f"{metric.unit}{', log' if scale.is_log else ''}"]


def _phone_label(scale: Scale) -> str:
    """A word a line, for a quarter of a phone's width."""
    return "<br>".join(look.plain(word) for word in (*BY_NAME[scale.metric].label.split(), BY_NAME[scale.metric].unit))


def _tick_words(scales: Sequence[Scale]) -> Iterator[dict[str, Any]]:
    for number, scale in enumerate(scales):
        for step in range(TICKS):
            place = step / (TICKS - 1)
            yield {
                "x": number,
                "y": place,
                "text": fmt.number(scale.value(place), 3),
                "xanchor": "left",
                "xshift": 6,
                "showarrow": False,
                "font": {"size": 11, "color": "text"},
                "bgcolor": "surface/0.75",
            }


def _summary(shown: Sequence[Point], total: int, ranges: Ranges) -> str:
    if not total:
        return "No result has all of these figures."
    if not ranges:
        return (
            f"{fmt.count(total, 'configuration')}, each a line across the axes. A range on an axis narrows them down."
        )
    words = ", ".join(f"{BY_NAME[name].label} {_range_words(name, *limits)}" for name, limits in ranges.items())
    return f"{len(shown):,} of {fmt.count(total, 'configuration')} within {words}."


def _range_words(name: str, low: float | None, high: float | None) -> str:
    unit = BY_NAME[name].unit
    if low is None:
        return f"at most {fmt.exact(high)} {unit}"
    return f"at least {fmt.exact(low)} {unit}" if high is None else f"from {fmt.exact(low)} to {fmt.exact(high)} {unit}"


def _notes(outside: Sequence[Point]) -> list[str]:
    if not outside:
        return []
    return [f"{fmt.count(len(outside), 'configuration')} outside the ranges: faint, and not in the table."]
