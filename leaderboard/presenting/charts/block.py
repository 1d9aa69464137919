"""A chart with its table, its downloads and its addresses, as _chart.html lays it out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.chart_pages import ChartBlock, ChartTable, TableCell, TableHead
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Table, Value
from leaderboard.presenting.charts import BY_SLUG
from leaderboard.presenting.charts.still import still_of

if TYPE_CHECKING:
    from django.http import QueryDict

#: a page with more is slower than the file, and nobody reads so many
MAX_ROWS = 500
NOTHING = "There is nothing to draw."
#: what stands around the figure in an embed: heading, summary, notes
EMBED_FRAME_PX = 300


def chart_block(
    chart: Chart, params: QueryDict, *, level: int = 2, key: str = "", is_public: bool = True
) -> ChartBlock:
    """`params` are those that the chart was made of; `key` tells two charts of one kind on a page apart.

    What is not public has no address of its own.
    """
    query = params.urlencode()
    has_address = is_public and chart.slug in BY_SLUG
    page_url = address("chart", chart.slug, query) if has_address else ""
    height = chart.layout.get("height", look.MEDIUM)
    return ChartBlock(
        id=f"chart-{chart.slug}{f'-{key}' if key else ''}",
        slug=chart.slug,
        title=chart.title,
        summary=chart.summary,
        notes=list(chart.notes),
        empty=(chart.summary or NOTHING) if chart.is_empty else "",
        figure=figure_of(chart, page_url),
        still=still_of(chart),
        size=f"size-{height}",
        table=_table(chart.table),
        csv_url=address("chart_csv", chart.slug, query) if has_address else "",
        page_url=page_url,
        permalink=settings.SITE_URL + page_url if has_address else "",
        embed=_iframe(chart, query, height) if has_address else "",
        level=level,
    )


def figure_of(chart: Chart, page_url: str) -> dict[str, Any]:
    """What the script draws. A point's `customdata` is the number of its row, whose result it opens."""
    return {
        "slug": chart.slug,
        "title": look.plain(chart.title),
        "data": [dict(trace) for trace in chart.traces],
        "layout": dict(chart.layout),
        "urls": list(chart.table.urls),
        "address": settings.SITE_URL + page_url,
    }


def address(name: str, slug: str, query: str = "") -> str:
    url = reverse(f"leaderboard:{name}", args=[slug])
    return f"{url}?{query}" if query else url


def iframe(url: str, title: str, height: int, width: str = "100%") -> str:
    """What someone pastes into their page: no script, no style, a height that fits."""
    return (
        f'<iframe src="{escape(settings.SITE_URL + url)}" title="{escape(title)}" '
        f'width="{width}" height="{height}" loading="lazy" frameborder="0"></iframe>'
    )


def _iframe(chart: Chart, query: str, height: int) -> str:
    return iframe(address("chart_embed", chart.slug, query), chart.title, height + EMBED_FRAME_PX)


def _table(table: Table) -> ChartTable:
    numeric = [_is_numeric(table.rows, place) for place in range(len(table.columns))]
    heads = [TableHead(column.label, column.unit, numeric[i]) for i, column in enumerate(table.columns)]
    rows = [list(_cells(table, place, numeric)) for place in range(min(len(table.rows), MAX_ROWS))]
    cut = ""
    if len(table.rows) > MAX_ROWS:
        cut = f"The first {MAX_ROWS:,} of {len(table.rows):,} rows; the CSV file has all of them."
    return ChartTable(heads, rows, cut)


def _is_numeric(rows: Sequence[Sequence[Value]], place: int) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and not any(isinstance(value, str) for value in values)


def _cells(table: Table, row: int, numeric: Sequence[bool]) -> Iterator[TableCell]:
    for place, value in enumerate(table.rows[row]):
        url = table.urls[row] if place == 0 and table.urls else ""
        yield TableCell(_text(value), numeric[place], url)


def _text(value: Value) -> str:
    if isinstance(value, float):
        return fmt.number(value, 5) if math.isfinite(value) else ""
    return fmt.number(value) if isinstance(value, int) else value or ""
