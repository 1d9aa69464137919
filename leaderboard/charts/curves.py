"""Lines of measured values with their intervals, as sweeps, scaling and histories draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts.look import lines, mark, plain
from leaderboard.metrics import BY_NAME, Better


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of one result at one place of a line, the best of `results` that were measured there."""

    at: float
    value: float
    #: 95 % interval over the result's own repeats, None where it has too few
    low: float | None = None
    high: float | None = None
    results: int = 1
    runs: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One configuration along the readings, in the order of the axis."""

    name: str
    readings: Sequence[Reading]


def trace(line: Line, place: int, metric: str, *, first_row: int, at: Sequence[float | str]) -> dict[str, Any]:
    """The line with its marks; rows of the table from `first_row` on are its readings, `at` is where they stand."""
    look = mark(place)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plain(line.name),
        "x": [plain(each) if isinstance(each, str) else each for each in at],
        "y": [reading.value for reading in line.readings],
        "error_y": error_bars(line.readings),
        "line": {"color": look.color, "dash": look.dash, "width": 2},
        "marker": {"color": look.color, "symbol": look.symbol, "size": 9},
        "customdata": list(range(first_row, first_row + len(line.readings))),
        "hovertext": [_hover(line.name, reading, metric, at[i]) for i, reading in enumerate(line.readings)],
        "hoverinfo": "text",
    }


def error_bars(readings: Sequence[Reading]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if reading.high is None else reading.high - reading.value for reading in readings],
        "arrayminus": [0 if reading.low is None else reading.value - reading.low for reading in readings],
        "thickness": 1.5,
        "width": 4,
    }


def figure_words(value: float, metric: str) -> str:
    unit = BY_NAME[metric].unit
    return f"{fmt.number(value)} {unit}".rstrip()


def interval_words(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95 % interval {fmt.number(low)} to {fmt.number(high)}"


def _hover(name: str, reading: Reading, metric: str, at: float | str) -> str:
    where = at if isinstance(at, str) else fmt.exact(at)
    return lines(
        name,
        f"{where}: {figure_words(reading.value, metric)}",
        interval_words(reading.low, reading.high),
        f"best of {reading.results:,} results" if reading.results > 1 else "",
    )


def ticks(values: Sequence[float], most: int = 8) -> list[float]:
    """Of the values measured, those that an axis of logarithms names: the first, and others far enough apart."""
    ordered = sorted(set(values))
    if len(ordered) <= 1 or ordered[0] <= 0:
        return ordered
    apart = (ordered[-1] / ordered[0]) ** (1 / most) * (1 - 1e-9)
    kept = [ordered[0]]
    for value in ordered[1:]:
        if value >= kept[-1] * apart:
            kept.append(value)
    return kept


def log_axis_of(values: Sequence[float]) -> dict[str, Any]:
    """What an axis of logarithms needs beside its title: the measured values as its ticks."""
    shown = ticks(values)
    return {
        "type": "log",
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [fmt.exact(int(value) if value == int(value) else value) for value in shown],
    }


def in_words(label: str) -> str:
    """A label inside a sentence: "batch size", but "GPU count"."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def factor_words(metric: str, first: float, last: float) -> str:
    """How the figure moves between two values: "cuts J/token by 8.9x", "raises Tokens/J 2.1x"."""
    label = BY_NAME[metric].label
    if first <= 0 or last <= 0:
        return f"moves {label} from {figure_words(first, metric)} to {figure_words(last, metric)}"
    factor = max(first, last) / min(first, last)
    if factor < 1.005:
        return f"leaves {label} as it is"
    amount = f"{fmt.number(factor, 2)}x" if factor >= 1.995 else f"{fmt.number((factor - 1) * 100, 2)} %"
    if last > first:
        return f"raises {label} {amount}" if factor >= 1.995 else f"raises {label} by {amount}"
    if factor < 1.995:
        amount = f"{fmt.number((1 - 1 / factor) * 100, 2)} %"
    return f"cuts {label} by {amount}"


def best_of(metric: str, readings: Sequence[Reading]) -> Reading:
    """The best reading; of equal ones the first. There is at least one."""
    sign = 1 if BY_NAME[metric].better == Better.HIGHER else -1
    return max(readings, key=lambda reading: sign * reading.value)
