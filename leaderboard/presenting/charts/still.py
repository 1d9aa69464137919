"""A chart as the server draws it: marks and lines on two axes, to be read before, and without, any script.

Places are shares of the plane and sizes are pixels, so that one drawing fits every width and its text keeps its size.
Colours are names of tokens, which the style sheet turns into those of the theme.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leaderboard import format as fmt
from leaderboard.chart_pages import Still, StillKey, StillLine, StillMarks, StillTick
from leaderboard.charts.base import Chart

#: between the outermost marks and the edge, as a share of what lies between the marks
PADDING = 0.05
#: about as many ticks as an axis without logarithms has
TICKS = 6
#: beyond so many powers of ten only the powers have ticks
MAX_DECADES = 4
#: so many stand side by side on a phone
TICKS_ON_PHONE = 5
LEGEND_MARK_PX = 11.0
#: pixels of line and gap
DASHES = {"dash": "9 9", "dot": "3 3", "dashdot": "9 3 3 3", "longdash": "15 15", "longdashdot": "15 6 3 6"}

#: anything else in a figure means more than is drawn here
_TRACE_KEYS = {
    "type", "mode", "name", "x", "y", "marker", "line", "showlegend", "legendgroup",
    "customdata", "hovertext", "hoverinfo", "hovertemplate", "meta",
}  # fmt: skip
_AXIS_KEYS = {
    "title", "automargin", "gridcolor", "linecolor", "zerolinecolor", "tickcolor", "ticks", "ticklen", "tickformat",
    "type", "dtick", "tickmode", "tickvals", "ticktext", "rangemode",
}  # fmt: skip
_LAYOUT_KEYS = {
    "height", "margin", "paper_bgcolor", "plot_bgcolor", "font", "hoverlabel", "hovermode", "dragmode",
    "legend", "showlegend", "xaxis", "yaxis",
}  # fmt: skip

#: corners, the turn of the first from the top, and radii one after another for a mark of radius 1
_RINGS = {
    "square": (4, 0.125, (math.sqrt(2),)),
    "diamond": (4, 0.0, (1.3,)),
    "triangle-up": (3, 0.0, (1.2,)),
    "triangle-down": (3, 0.5, (1.2,)),
    "hexagon": (6, 0.0, (1.0,)),
    "star": (10, 0.0, (1.4, 0.54)),
}


def still_of(chart: Chart) -> Still | None:
    """None for what it does not draw: bars, boxes, cells, error bars, panels, axes of names, and nothing at all."""
    if not all(map(_is_plain_trace, chart.traces)):
        return None
    traces = [trace for trace in chart.traces if trace["x"]]
    if not traces or not _are_plain_axes(chart.layout, traces):
        return None
    x, y = (_axis_of(chart.layout[f"{name}axis"], _values(traces, name)) for name in "xy")
    lines = [_line(trace, x, y) if "lines" in trace["mode"] else None for trace in traces]
    marks = [_marks(trace, x, y) if "markers" in trace["mode"] else [] for trace in traces]
    has_keys = chart.layout.get("showlegend", len(traces) > 1)
    return Still(
        x_title=_text(chart.layout["xaxis"]["title"]["text"]),
        y_title=_text(chart.layout["yaxis"]["title"]["text"]),
        x_ticks=x.ticks(),
        y_ticks=[replace(tick, percent=round(100 - tick.percent, 2)) for tick in y.ticks()],
        lines=[line for line in lines if line],
        marks=[group for groups in marks for group in groups],
        keys=[
            StillKey(_text(trace["name"]), line, _key_mark(trace) if groups else None)
            for trace, line, groups in zip(traces, lines, marks, strict=True)
            if has_keys and trace.get("showlegend", True)
        ],
    )


def _is_plain_trace(trace: Mapping[str, Any]) -> bool:
    return trace["type"] == "scatter" and trace.keys() <= _TRACE_KEYS and all(map(_is_number, _values([trace], "xy")))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _are_plain_axes(layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> bool:
    axes = [layout["xaxis"], layout["yaxis"]]
    above_zero = [
        axis.get("type") != "log" or min(_values(traces, name)) > 0 for axis, name in zip(axes, "xy", strict=True)
    ]
    known = all(axis.keys() <= _AXIS_KEYS and axis.get("type") in (None, "log") for axis in axes)
    return layout.keys() <= _LAYOUT_KEYS and known and all(above_zero)


def _values(traces: Sequence[Mapping[str, Any]], names: str) -> list[Any]:
    """Of one axis, or of both: "x", "y" or "xy"."""
    return [value for trace in traces for name in names for value in trace[name]]


def _text(text: str) -> str:
    """What Plotly reads as markup, as plain text."""
    return html.unescape(text)


@dataclass(frozen=True, slots=True)
class _Axis:
    """From `low` to `high`, both powers of ten where `is_log`; `named` are ticks that the figure asks for."""

    low: float
    high: float
    is_log: bool
    named: Mapping[float, str]

    def percent(self, value: float) -> float:
        at = math.log10(value) if self.is_log else value
        return round((at - self.low) / (self.high - self.low) * 100, 2)

    def ticks(self) -> list[StillTick]:
        found = list(self._found())
        has_room = len(found) <= TICKS_ON_PHONE
        return [StillTick(self.percent(value), label, is_main or has_room) for value, label, is_main in found]

    def _found(self) -> Iterator[tuple[float, str, bool]]:
        """Value, label, and whether a phone shows it among many."""
        powers = list(self._powers()) if self.is_log else []
        if self.named:
            yield from ((value, label, place % 2 == 0) for place, (value, label) in enumerate(self.named.items()))
        elif len(powers) > 2:
            yield from ((value, fmt.exact(value), is_power) for value, is_power in powers)
        else:
            yield from ((value, fmt.exact(value), place % 2 == 0) for place, value in enumerate(self._even()))

    def _powers(self) -> Iterator[tuple[float, bool]]:
        """1, 2 and 5 of each power of ten, and whether it is the power itself."""
        steps = (1, 2, 5) if self.high - self.low <= MAX_DECADES else (1,)
        for exponent in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in steps:
                if self.low <= math.log10(step) + exponent <= self.high:
                    yield step * 10.0**exponent, step == 1

    def _even(self) -> Iterator[float]:
        low, high = (10**self.low, 10**self.high) if self.is_log else (self.low, self.high)
        least = (high - low) / TICKS
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
        for number in range(math.ceil(low / step), math.floor(high / step) + 1):
            yield number * step


def _axis_of(axis: Mapping[str, Any], values: Sequence[float]) -> _Axis:
    is_log = axis.get("type") == "log"
    drawn = [math.log10(value) for value in values] if is_log else values
    low, high = min(drawn), max(drawn)
    starts_at_zero = axis.get("rangemode") == "tozero" and low >= 0
    if starts_at_zero:
        low = 0
    room = (high - low) * PADDING or abs(high) * PADDING or 1
    named = zip(axis.get("tickvals", ()), axis.get("ticktext", ()), strict=True)
    return _Axis(low if starts_at_zero else low - room, high + room, is_log, dict(named))


def _line(trace: Mapping[str, Any], x: _Axis, y: _Axis) -> StillLine:
    look = trace["line"]
    steps = {"hv": "H{x}V{y}", "vh": "V{y}H{x}"}.get(look.get("shape"), "L{x} {y}")
    places = [
        (round(x.percent(one) * 10), round(1000 - y.percent(other) * 10))
        for one, other in zip(trace["x"], trace["y"], strict=True)
    ]
    path = "M{} {}".format(*places[0]) + "".join(steps.format(x=left, y=top) for left, top in places[1:])
    return StillLine(look["color"], look.get("width", 2), DASHES.get(look.get("dash", ""), ""), path)


def _marks(trace: Mapping[str, Any], x: _Axis, y: _Axis) -> list[StillMarks]:
    """A group for each size."""
    sizes = trace["marker"].get("size", 6)
    groups: dict[float, list[tuple[float, float]]] = {}
    for place, (one, other) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        size = sizes[place] if isinstance(sizes, list) else sizes
        groups.setdefault(size, []).append((x.percent(one), round(100 - y.percent(other), 2)))
    # The greater ones first, so that the lesser ones lie on top of them.
    return [_group(trace, size, groups[size]) for size in sorted(groups, reverse=True)]


def _key_mark(trace: Mapping[str, Any]) -> StillMarks:
    return _group(trace, LEGEND_MARK_PX, ())


def _group(trace: Mapping[str, Any], size: float, places: Sequence[tuple[float, float]]) -> StillMarks:
    marker = trace["marker"]
    symbol, is_open, _ = marker.get("symbol", "circle").partition("-open")
    is_edged = marker.get("line", {}).get("color") == "text"
    return StillMarks(marker["color"], outline(symbol, size), bool(is_open), is_edged, marker.get("opacity", 1), places)


def outline(symbol: str, size: float) -> str:
    """The SVG path of one of Plotly's symbols around 0, 0; `size` is the diameter in px.

    Raises ValueError for a symbol that no chart has had so far.
    """
    r = size / 2
    if symbol in _RINGS:
        return _ring(r, *_RINGS[symbol])
    if symbol == "cross":
        arm, half = round(r * 1.2, 2), round(r * 0.4, 2)
        return f"M{arm} {half}H{half}V{arm}H{-half}V{half}H{-arm}V{-half}H{-half}V{-arm}H{half}V{-half}H{arm}Z"
    if symbol == "circle":
        return f"M{r:g} 0A{r:g} {r:g} 0 1 1 {-r:g} 0A{r:g} {r:g} 0 1 1 {r:g} 0Z"
    raise ValueError(f"no outline is known for the symbol {symbol!r}")


def _ring(r: float, corners: int, turn: float, radii: Sequence[float]) -> str:
    points = []
    for corner in range(corners):
        angle = math.tau * (corner / corners + turn)
        radius = r * radii[corner % len(radii)]
        points.append(f"{radius * math.sin(angle):.2f} {-radius * math.cos(angle):.2f}")
    return f"M{'L'.join(points)}Z"
