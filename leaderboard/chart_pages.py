"""What the pages with charts show: frozen rows of ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class TableHead:
    label: str
    unit: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class TableCell:
    """`url` leads to the result of the row, in its first cell."""

    text: str
    is_number: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class ChartTable:
    heads: Sequence[TableHead]
    rows: Sequence[Sequence[TableCell]]
    #: such as "The first 500 of 2,000 rows; the CSV file has all.", or ""
    cut: str


@dataclass(frozen=True, slots=True)
class StillTick:
    """`percent` of the plane from its left, or from its top. Those that are not `is_main` give way on a phone."""

    percent: float
    label: str
    is_main: bool = True


@dataclass(frozen=True, slots=True)
class StillLine:
    """`path` is that of an SVG path, in thousandths of the plane; `dash` pixels of line and gap, "" for a solid one."""

    token: str
    width_px: float
    dash: str
    path: str


@dataclass(frozen=True, slots=True)
class StillMarks:
    """Marks of one look. `outline` is an SVG path around 0, 0 in pixels; `places` are percentages from left and top."""

    token: str
    outline: str
    #: empty inside
    is_open: bool
    #: with an edge in the colour of text, for a colour that is too bright to be seen by itself
    is_edged: bool
    opacity: float
    places: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class StillKey:
    """An entry of the legend: a piece of `line`, a mark, or both."""

    label: str
    line: StillLine | None
    mark: StillMarks | None


@dataclass(frozen=True, slots=True)
class Still:
    """A chart drawn by the server; templates/leaderboard/_still.html lays it out. Colours are names of tokens."""

    x_title: str
    y_title: str
    x_ticks: Sequence[StillTick]
    y_ticks: Sequence[StillTick]
    lines: Sequence[StillLine]
    marks: Sequence[StillMarks]
    keys: Sequence[StillKey]


@dataclass(frozen=True, slots=True)
class ChartBlock:
    """One chart with all that stands around it; templates/leaderboard/_chart.html lays it out."""

    #: of the HTML element; everything inside has an id that begins with it
    id: str
    slug: str
    title: str
    summary: str
    notes: Sequence[str]
    #: why there is nothing to draw, or ""
    empty: str
    #: data, layout and the addresses of its points; what static/js/charts.js draws
    figure: dict[str, Any]
    #: shown until the reader turns to the chart; None for what only the script draws
    still: Still | None
    #: the class whose height is reserved before anything is drawn
    size: str
    table: ChartTable
    #: "" where the chart has no address of its own
    csv_url: str
    page_url: str
    #: absolute, for a copied link and below a downloaded image
    permalink: str
    #: an iframe to copy
    embed: str
    #: 2 or 3: of the heading
    level: int = 2

    @property
    def figure_id(self) -> str:
        return f"{self.id}-figure"


@dataclass(frozen=True, slots=True)
class ChartSelect:
    name: str
    label: str
    #: (value, label, is chosen)
    options: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class ChartRange:
    """From and to of one metric, as typed."""

    name: str
    label: str
    unit: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class ChartPage:
    chart: ChartBlock
    question: str
    notices: Sequence[str]
    selects: Sequence[ChartSelect]
    ranges: Sequence[ChartRange]
    #: hidden inputs that keep the rest of the address
    kept: Sequence[tuple[str, str]]
    #: the filters in force, each with the address without it
    chips: Sequence[Link]
    #: the leaderboard with the same filters, "" where the chart is about chosen results
    board_url: str
    #: of this page without any parameter
    url: str
    others: Sequence[Link]
    oembed_url: str
