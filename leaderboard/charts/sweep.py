"""One parameter on the x axis, a metric on the y axis, a line for each configuration."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import Line, best_of, factor_words, figure_words, in_words, log_axis_of, trace
from leaderboard.metrics import BY_NAME

SLUG, TITLE = "sweep", "Parameter sweep"
#: a phone's legend takes no more
MAX_LINES = 6


def sweep(metric: str, parameter: tuple[str, str], lines: Sequence[Line], notes: Sequence[str] = ()) -> Chart:
    """`parameter` is how it is called and its unit; lines have their readings by rising value."""
    label, unit = parameter
    rows: list[tuple[Value, ...]] = []
    urls: list[str] = []
    traces = []
    for place, line in enumerate(lines):
        at = [reading.at for reading in line.readings]
        traces.append(trace(line, place, metric, first_row=len(rows), at=at))
        for reading in line.readings:
            rows.append(
                (line.name, reading.at, reading.value, reading.low, reading.high, reading.results, reading.runs)
            )
            urls.append(reading.url)
    places = [reading.at for line in lines for reading in line.readings]
    values = [reading.value for line in lines for reading in line.readings]
    return Chart(
        slug=SLUG,
        title=f"{BY_NAME[metric].label} by {in_words(label)}",
        summary=_summary(metric, parameter, lines),
        traces=traces,
        layout=look.layout(
            x=look.axis(look.with_unit(label, unit), **(log_axis_of(places) if places else {})),
            y=look.metric_axis(metric, is_log=look.is_wide(values)),
            showlegend=True,
        ),
        table=Table(_columns(metric, parameter), rows, urls),
        notes=notes,
    )


def _columns(metric: str, parameter: tuple[str, str]) -> tuple[Column, ...]:
    (label, unit), head = parameter, BY_NAME[metric]
    return (
        Column("configuration", "Configuration"),
        Column("parameter", label, unit),
        Column(metric, head.label, head.unit),
        Column("ci95_low", "95 % low", head.unit),
        Column("ci95_high", "95 % high", head.unit),
        Column("results", "Results"),
        Column("repeats", "Repeats of the one drawn"),
    )


def _summary(metric: str, parameter: tuple[str, str], lines: Sequence[Line]) -> str:
    label, unit = parameter
    swept = [line for line in lines if len(line.readings) > 1]
    if not swept:
        return f"No configuration is measured at two values of {in_words(label)}."
    line = max(swept, key=lambda line: len(line.readings))
    first, last = line.readings[0], line.readings[-1]
    span = f"{label} {fmt.exact(first.at)} to {fmt.exact(last.at)}{f' {unit}' if unit else ''}"
    moved = f"{span} {factor_words(metric, first.value, last.value)} ({line.name})."
    best = best_of(metric, line.readings)
    if best in (first, last):
        return moved
    return f"{moved} Best is {figure_words(best.value, metric)} at {fmt.exact(best.at)}."
