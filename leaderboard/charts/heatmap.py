"""A metric over two axes of the configuration of one model on one GPU, and the cells that nobody has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import figure_words, in_words
from leaderboard.metrics import BY_NAME, Better

SLUG, TITLE = "heatmap", "Heatmap of two settings"
#: more columns leave no room for a number on a phone
MAX_COLUMNS, MAX_ROWS = 6, 16
#: longer words stand aslant below a phone's columns
_LETTERS = 5
MEASURED, REQUEST = "measured", "request this run"


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting: its name in the address, how it is called, and its values as text in their order."""

    name: str
    label: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """The value that is shown, best or mean, of `results`; `url` is the best one's."""

    value: float
    results: int
    url: str = ""


Place = tuple[int, int]


def heatmap(
    metric: str,
    axes: tuple[Axis, Axis],
    cells: Mapping[Place, Cell],
    *,
    subject: str,
    kind: str = "best",
    request_urls: Mapping[Place, str],
    notes: Sequence[str] = (),
) -> Chart:
    """`cells` by (place on x, place on y); `kind` is "best" or "mean"; the others have an address to order a run."""
    x, y = axes
    places = [(i, j) for j in range(len(y.values)) for i in range(len(x.values))] if cells else []
    rows = [_row(place, axes, cells.get(place)) for place in places]
    urls = [cells[place].url if place in cells else request_urls.get(place, "") for place in places]
    return Chart(
        slug=SLUG,
        title=f"{BY_NAME[metric].label} by {in_words(x.label)} and {in_words(y.label)}",
        summary=_summary(metric, axes, cells, subject),
        traces=_traces(metric, axes, cells) if cells else [],
        layout=look.layout(
            x=look.axis(x.label, type="category", showgrid=False, tickangle=0),
            y=look.axis(y.label, type="category", showgrid=False),
            height=look.MEDIUM if len(y.values) <= 8 else look.LARGE,
            narrow={"xaxis": {"tickangle": -45}} if _is_long(x) else {},
        ),
        table=Table(
            _columns(metric, axes, kind),
            rows,
            urls,
        ),
        notes=notes,
    )


def _columns(metric: str, axes: tuple[Axis, Axis], kind: str) -> tuple[Column, ...]:
    (x, y), head = axes, BY_NAME[metric]
    return (
        Column("state", "State"),
        Column(x.name, x.label),
        Column(y.name, y.label),
        Column(metric, f"{head.label}, {kind}", head.unit),
        Column("results", "Results"),
    )


def _is_long(axis: Axis) -> bool:
    return len(axis.values) > 3 and any(len(value) > _LETTERS for value in axis.values)


def _row(place: Place, axes: tuple[Axis, Axis], cell: Cell | None) -> tuple[Value, ...]:
    where = axes[0].values[place[0]], axes[1].values[place[1]]
    return (MEASURED, *where, cell.value, cell.results) if cell else (REQUEST, *where, None, 0)


Grid = list[list[Cell | None]]


def _traces(metric: str, axes: tuple[Axis, Axis], cells: Mapping[Place, Cell]) -> list[dict[str, Any]]:
    """The cells that are measured, and those that are not."""
    x, y = axes
    grid = [[cells.get((i, j)) for i in range(len(x.values))] for j in range(len(y.values))]
    shared = {
        "type": "heatmap",
        "x": [look.plain(value) for value in x.values],
        "y": [look.plain(value) for value in y.values],
        "xgap": 2,
        "ygap": 2,
        "hovertext": [[_hover(metric, axes, (i, j), cell) for i, cell in enumerate(row)] for j, row in enumerate(grid)],
        "hoverinfo": "text",
        "texttemplate": "%{text}",
        "showscale": False,
        "hoverongaps": False,
    }
    return [shared | _measured(metric, grid), shared | _empty(grid)]


def _measured(metric: str, grid: Grid) -> dict[str, Any]:
    return {
        "name": BY_NAME[metric].label,
        "z": [[cell.value if cell else None for cell in row] for row in grid],
        "text": [[short(cell.value) if cell else "" for cell in row] for row in grid],
        "textfont": {"size": 10.5},
        "customdata": _rows_of(grid, is_measured=True),
        "colorscale": [[0, "accent-soft"], [1, "series-1"]],
        "reversescale": BY_NAME[metric].better == Better.LOWER,
    }


def _empty(grid: Grid) -> dict[str, Any]:
    return {
        "name": REQUEST,
        "z": [[None if cell else 0 for cell in row] for row in grid],
        "text": [["" if cell else "+" for cell in row] for row in grid],
        "textfont": {"size": 13, "color": "muted"},
        "customdata": _rows_of(grid, is_measured=False),
        "colorscale": [[0, "line-soft"], [1, "line-soft"]],
    }


def _rows_of(grid: Grid, *, is_measured: bool) -> list[list[int | None]]:
    """The row of the table that each cell stands for, None for cells of the other kind."""
    return [
        [j * len(row) + i if (cell is not None) == is_measured else None for i, cell in enumerate(row)]
        for j, row in enumerate(grid)
    ]


def short(value: float) -> str:
    """A value as a cell has room for it: three digits, and k or M."""
    if abs(value) >= 1e6:
        return f"{fmt.number(value / 1e6, 3)}M"
    return f"{fmt.number(value / 1e3, 3)}k" if abs(value) >= 1e4 else fmt.number(float(value), 3)


def _hover(metric: str, axes: tuple[Axis, Axis], place: Place, cell: Cell | None) -> str:
    where = [f"{axis.label}: {axis.values[place[k]]}" for k, axis in enumerate(axes)]
    if cell is None:
        return look.lines(*where, f"not measured: {REQUEST}")
    return look.lines(*where, figure_words(cell.value, metric), fmt.count(cell.results, "result"))


def _summary(metric: str, axes: tuple[Axis, Axis], cells: Mapping[Place, Cell], subject: str) -> str:
    if not cells:
        return f"No result with {BY_NAME[metric].label} has both settings."
    sign = 1 if BY_NAME[metric].better == Better.HIGHER else -1
    best = max(cells, key=lambda place: sign * cells[place].value)
    where = ", ".join(f"{in_words(axis.label)} {axis.values[best[k]]}" for k, axis in enumerate(axes))
    of = len(axes[0].values) * len(axes[1].values)
    filled = f"{len(cells)} of {of} cells are measured" if of > len(cells) else f"all {of} cells are measured"
    return f"{subject}: best is {figure_words(cells[best].value, metric)} at {where}; {filled}."
