"""One metric over the cycles of one or more results: each cycle, the mean, its 95 % interval, the CV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.metrics import BY_NAME
from leaderboard.statistics import MIN_REPEATS_FOR_INTERVAL, Summary, summarise

SLUG = "cycles"
TITLE = "Cycle by cycle"
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Cycles:
    """The values of one result, by cycle from 1 on; None where the cycle lacks it."""

    title: str
    detail: str
    url: str
    scope: str
    values: Sequence[float | None]

    @property
    def known(self) -> list[tuple[int, float]]:
        return [(number, value) for number, value in enumerate(self.values, start=1) if value is not None]


def cycles(results: Sequence[Cycles], metric: str, notes: Sequence[str] = ()) -> Chart:
    """A strip of cycles per result over a box of its quartiles, the interval of the mean beside it."""
    shown = [result for result in results if result.known]
    rows = _rows(shown)
    return Chart(
        slug=SLUG,
        title=f"{TITLE}: {BY_NAME[metric].label}",
        summary=_summary(shown, metric),
        traces=_traces(shown, metric, rows),
        layout=look.layout(
            x=look.axis(
                "",
                tickmode="array",
                tickvals=list(range(len(shown))),
                ticktext=_names(shown),
                range=[-0.6, len(shown) - 0.4],
                showgrid=False,
                zeroline=False,
            ),
            y=look.metric_axis(metric),
            narrow={"xaxis": {"ticktext": [str(place + 1) for place in range(len(shown))]}} if len(shown) > 1 else {},
        ),
        table=_table(shown, metric, rows),
        notes=[*_scope_notes(shown), *notes],
    )


def _numbered(place: int, shown: Sequence[Cycles]) -> str:
    return f"{place + 1}. {shown[place].title}" if len(shown) > 1 else shown[place].title


def _legend(place: int, shown: Sequence[Cycles]) -> str:
    """What tells a result from the others, short enough for a phone."""
    is_same = len({result.title for result in shown}) == 1
    return f"{place + 1}. {shown[place].detail if is_same else shown[place].title}"


def _names(shown: Sequence[Cycles]) -> list[str]:
    """Below the axis there is room for three names; the legend has those of more."""
    if len(shown) > MOST_NAMED:
        return [str(place + 1) for place in range(len(shown))]
    return [look.lines(_numbered(place, shown), result.detail) for place, result in enumerate(shown)]


def _rows(results: Sequence[Cycles]) -> list[list[int]]:
    """For each result, the rows of the table that its cycles are in."""
    rows, first = [], 0
    for result in results:
        rows.append(list(range(first, first + len(result.known))))
        first += len(result.known)
    return rows


def _traces(results: Sequence[Cycles], metric: str, rows: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for place, result in enumerate(results):
        mark = look.mark(place)
        values = [value for _, value in result.known]
        summary = summarise(values)
        if len(values) >= MIN_REPEATS_FOR_INTERVAL:
            traces.append(_box(place, values, mark))
        strip = _strip(place, result, metric, rows[place])
        names = {"name": look.plain(_legend(place, results)), "showlegend": len(results) > 1}
        traces += [strip | names, _mean(place, summary, metric)]
    return traces


def _box(place: int, values: Sequence[float], mark: look.Mark) -> dict[str, Any]:
    return {
        "type": "box",
        "name": "",
        "showlegend": False,
        "x0": place,
        "y": list(values),
        "boxpoints": False,
        "hoverinfo": "skip",
        "width": 0.5,
        "fillcolor": f"{mark.color}/0.12",
        "line": {"color": mark.color, "width": 1},
    }


def _strip(place: int, result: Cycles, metric: str, rows: Sequence[int]) -> dict[str, Any]:
    """The cycles from left to right, so that a drift over time is seen."""
    known = result.known
    mark = look.mark(place)
    step = 0.4 / max(len(known) - 1, 1)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [place - 0.2 + step * order if len(known) > 1 else place for order in range(len(known))],
        "y": [value for _, value in known],
        "customdata": list(rows),
        "hovertext": [
            look.lines(result.title, f"cycle {number}", f"{fmt.number(value, 5)} {BY_NAME[metric].unit}")
            for number, value in known
        ],
        "hoverinfo": "text",
        "marker": {"color": mark.color, "symbol": mark.symbol, "size": 9, "line": {"color": "surface", "width": 1}},
    }


def _mean(place: int, summary: Summary, metric: str) -> dict[str, Any]:
    low, high = summary.ci95_low, summary.ci95_high
    bars = {}
    if low is not None and high is not None:
        bars = {
            "error_y": {"type": "data", "array": [high - summary.mean], "color": "text", "thickness": 1.5, "width": 8}
        }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Mean and its 95 % interval",
        "legendgroup": "mean",
        "showlegend": place == 0,
        "x": [place + 0.34],
        "y": [summary.mean],
        "hovertext": [look.lines(*_words(summary, metric))],
        "hoverinfo": "text",
        "marker": {"color": "text", "symbol": "line-ew-open", "size": 16, "line": {"color": "text", "width": 2}},
        **bars,
    }


def _words(summary: Summary, metric: str) -> list[str]:
    unit = BY_NAME[metric].unit
    words = [f"mean {fmt.number(summary.mean, 5)} {unit} over {fmt.count(summary.n, 'cycle')}"]
    if summary.ci95_low is not None and summary.ci95_high is not None:
        words.append(f"95 % interval {fmt.number(summary.ci95_low, 5)} to {fmt.number(summary.ci95_high, 5)} {unit}")
    if summary.cv is not None:
        words.append(f"CV {fmt.number(100 * summary.cv, 2)} %")
    return words


def _summary(results: Sequence[Cycles], metric: str) -> str:
    if not results:
        return f"No cycle of {BY_NAME[metric].label} is stored for what was asked."
    parts = []
    for result in results:
        words = _words(summarise([value for _, value in result.known]), metric)
        parts.append(f"{result.title}: {', '.join(words)}.")
    return " ".join(parts)


def _scope_notes(results: Sequence[Cycles]) -> list[str]:
    notes = ["A cycle is one independent repeat of the whole measurement; boxes are quartiles."] if results else []
    if len({result.scope for result in results}) > 1:
        notes.append("The results were measured in different energy scopes, which are not comparable.")
    return notes


def _table(results: Sequence[Cycles], metric: str, rows: Sequence[Sequence[int]]) -> Table:
    label = BY_NAME[metric]
    columns = (
        Column("result", "Result"),
        Column("configuration", "Configuration"),
        Column("cycle", "Cycle"),
        Column(metric, label.label, label.unit),
        Column("energy_scope", "Energy scope"),
    )
    lines: list[list[Value]] = [
        [result.title, result.detail, number, value, result.scope]
        for result in results
        for number, value in result.known
    ]
    urls = [result.url for result, of_result in zip(results, rows, strict=True) for _ in of_result]
    return Table(columns, lines, urls)
