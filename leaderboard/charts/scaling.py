"""A figure over the number of GPUs beside what perfect scaling from the smallest number would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import Line, Reading, figure_words, log_axis_of, trace
from leaderboard.metrics import BY_NAME

SLUG, TITLE = "scaling", "Scaling over GPU count"
#: twice the GPUs, twice the figure; every other metric is the same at any number
GROWING = frozenset({"throughput_tokens_per_s", "total_throughput_tokens_per_s", "requests_per_s"})
MAX_LINES = 4


@dataclass(frozen=True, slots=True)
class Scaled:
    """A reading beside what its line began with; `efficiency` is its share of the ideal, 1 at the beginning."""

    reading: Reading
    ideal: float

    @property
    def efficiency(self) -> float | None:
        return self.reading.value / self.ideal if self.ideal else None


def against_ideal(metric: str, readings: Sequence[Reading]) -> list[Scaled]:
    """Readings by rising GPU count; the ideal is drawn from the first."""
    first = readings[0]
    return [
        Scaled(reading, first.value * (reading.at / first.at if metric in GROWING else 1.0)) for reading in readings
    ]


def scaling(metric: str, lines: Sequence[Line], notes: Sequence[str] = ()) -> Chart:
    rows: list[tuple[Value, ...]] = []
    urls: list[str] = []
    traces: list[dict[str, Any]] = []
    scaled = [against_ideal(metric, line.readings) for line in lines]
    for place, line in enumerate(lines):
        at = [reading.at for reading in line.readings]
        traces.append(trace(line, place, metric, first_row=len(rows), at=at))
        traces.append(_ideal(line, place, scaled[place]))
        for one in scaled[place]:
            reading = one.reading
            share = None if one.efficiency is None else one.efficiency * 100
            rows.append((line.name, int(reading.at), reading.value, reading.low, reading.high, one.ideal, share,
                         reading.results))  # fmt: skip
            urls.append(reading.url)
    head = BY_NAME[metric]
    counts = [reading.at for line in lines for reading in line.readings]
    values = [value for group in scaled for one in group for value in (one.reading.value, one.ideal)]
    return Chart(
        slug=SLUG,
        title=f"{head.label} over GPU count",
        summary=_summary(metric, lines, scaled),
        traces=traces,
        layout=look.layout(
            x=look.axis("GPUs", **(log_axis_of(counts) if counts else {})),
            y=look.metric_axis(metric, is_log=look.is_wide(values) or (metric in GROWING and bool(counts))),
            showlegend=True,
        ),
        table=Table(_columns(metric), rows, urls),
        notes=notes,
    )


def _columns(metric: str) -> tuple[Column, ...]:
    head = BY_NAME[metric]
    return (
        Column("configuration", "Configuration"),
        Column("gpu_count", "GPUs"),
        Column(metric, head.label, head.unit),
        Column("ci95_low", "95 % low", head.unit),
        Column("ci95_high", "95 % high", head.unit),
        Column("ideal", "Ideal", head.unit),
        Column("efficiency_percent", "Efficiency", "%"),
        Column("results", "Results"),
    )


def _ideal(line: Line, place: int, scaled: Sequence[Scaled]) -> dict[str, Any]:
    """A thin grey line; it is in the table as a column, so it has no rows of its own."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "ideal",
        "legendgroup": "ideal",
        "showlegend": place == 0,
        "x": [one.reading.at for one in scaled],
        "y": [one.ideal for one in scaled],
        "line": {"color": "faint", "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }


def _summary(metric: str, lines: Sequence[Line], scaled: Sequence[Sequence[Scaled]]) -> str:
    longest = max(range(len(lines)), key=lambda place: len(lines[place].readings), default=None)
    if longest is None or len(scaled[longest]) < 2:
        return "No configuration is measured at two numbers of GPUs."
    first, last = scaled[longest][0].reading, scaled[longest][-1].reading
    share = scaled[longest][-1].efficiency
    figures = f"{figure_words(first.value, metric)} on {fmt.count(int(first.at), 'GPU')}"
    told = f"{figures}, {figure_words(last.value, metric)} on {int(last.at)} ({lines[longest].name})"
    if share is None:
        return f"{told}."
    of = "of what perfect scaling would give" if metric in GROWING else "of the first"
    return f"{told}: {fmt.number(share * 100, 2)} % {of}."
