"""What the marks of a figure say, to compare with its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leaderboard.charts.base import Chart


def marks(chart: Chart, across: str = "x", up: str = "y") -> Iterator[tuple[int, Any, Any]]:
    """(row of the table, x, y) of every mark that stands for a row, in the order of the traces."""
    for trace in chart.traces:
        for place, row in enumerate(trace.get("customdata", ())):
            yield row, trace[across][place], trace[up][place]


def cells(chart: Chart) -> Iterator[tuple[int, Any, Any, Any]]:
    """(row of the table, x, y, z) of every cell of a heatmap that stands for a row."""
    for trace in chart.traces:
        for j, numbers in enumerate(trace["customdata"]):
            for i, row in enumerate(numbers):
                if row is not None:
                    yield row, trace["x"][i], trace["y"][j], trace["z"][j][i]


def column(chart: Chart, name: str) -> list[Any]:
    place = [each.name for each in chart.table.columns].index(name)
    return [row[place] for row in chart.table.rows]
