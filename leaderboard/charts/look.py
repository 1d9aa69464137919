"""What all charts look like: axes with units, marks that read in grey, margins. Colours are names of tokens."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.metrics import BY_NAME

SMALL, MEDIUM, LARGE, TALL = 280, 420, 560, 760
#: heights that the style sheet reserves, in px
HEIGHTS = (SMALL, MEDIUM, LARGE, TALL)

_COLOURS = tuple(f"series-{place}" for place in range(1, 7))
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "triangle-down", "hexagon")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_PATTERNS = ("", "/", ".", "x", "-", "|", "\\", "+")


@dataclass(frozen=True, slots=True)
class Mark:
    """How one series is told from the others: by colour, and without colour by symbol, dash or pattern."""

    color: str
    symbol: str
    dash: str
    pattern: str


def mark(place: int) -> Mark:
    """The look of the series at this place, from 0 on; colour and symbol together repeat after 24."""
    return Mark(
        color=_COLOURS[place % len(_COLOURS)],
        symbol=_SYMBOLS[place % len(_SYMBOLS)],
        dash=_DASHES[place % len(_DASHES)],
        pattern=_PATTERNS[place % len(_PATTERNS)],
    )


def plain(text: str) -> str:
    """`text` as Plotly writes it, which would read `<b>` and `<a href>` in it."""
    return html.escape(text, quote=False)


def lines(*parts: str) -> str:
    """Hover text, a line for each part that is not empty; it is read out too."""
    return "<br>".join(plain(part) for part in parts if part)


def with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit and unit not in label else label


def metric_label(name: str) -> str:
    """The metric and its unit, as an axis or a column head says it."""
    metric = BY_NAME[name]
    return with_unit(metric.label, metric.unit)


def axis(title: str, *, is_log: bool = False, **more: Any) -> dict[str, Any]:
    """One axis; `title` names its unit. Other keywords are Plotly's."""
    shown: dict[str, Any] = {
        "title": {"text": plain(title), "standoff": 10},
        "automargin": True,
        "gridcolor": "line-soft",
        "linecolor": "line",
        "zerolinecolor": "line",
        "tickcolor": "line",
        "ticks": "outside",
        "ticklen": 4,
    }
    if is_log:
        # Ticks in full: people look for 200, and Plotly would write a small 2 between 100 and 1000.
        shown |= {"type": "log", "dtick": "D2", "tickformat": ",~r"}
    return {**shown, **more}


def metric_axis(name: str, *, is_log: bool = False, **more: Any) -> dict[str, Any]:
    return axis(metric_label(name), is_log=is_log, **{"tickformat": ",~r", **more})


def is_wide(values: Sequence[float]) -> bool:
    """Whether these figures need a log axis: all above zero, and the greatest more than twenty times the least."""
    return bool(values) and min(values) > 0 and max(values) > 20 * min(values)


def layout(*, x: Mapping[str, Any], y: Mapping[str, Any], height: int = MEDIUM, **more: Any) -> dict[str, Any]:
    """The layout of a figure with one pair of axes; `height` is one of HEIGHTS, other keywords are Plotly's.

    `narrow` among them is laid over the rest below 600 px of width.
    """
    if height not in HEIGHTS:
        raise ValueError(f"the page reserves no place of {height} px, only of {HEIGHTS}")
    return {
        "height": height,
        "margin": {"l": 60, "r": 16, "t": 12, "b": 52, "pad": 2},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "muted", "size": 12.5},
        "hoverlabel": {"bgcolor": "surface", "bordercolor": "control", "font": {"color": "text"}, "align": "left"},
        "hovermode": "closest",
        "dragmode": "zoom",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "xaxis": dict(x),
        "yaxis": dict(y),
        **more,
    }
