"""The page of one kind of chart, and the list of all kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from leaderboard.board import BoardQuery, BoardQueryError, parse_board_query
from leaderboard.chart_pages import ChartPage, ChartRange, ChartSelect
from leaderboard.charts.base import Chart
from leaderboard.metrics import BY_NAME
from leaderboard.pages import Link
from leaderboard.presenting.board import filter_chips
from leaderboard.presenting.charts import KINDS
from leaderboard.presenting.charts.block import address, chart_block
from leaderboard.presenting.charts.kinds import ChartKind, Choice
from leaderboard.presenting.embedding import oembed_address

if TYPE_CHECKING:
    from django.http import QueryDict

#: the leaderboard's filters, then the chart's own: each may be told once that it is wrong
_TRIES = 3


def read_chart(kind: ChartKind, params: QueryDict) -> tuple[Chart, QueryDict, list[str]]:
    """The chart, the parameters it was made of, and what is said of those that were left out."""
    good = params.copy()
    notices: list[str] = []
    for _ in range(_TRIES):
        try:
            return kind.make(good), good, notices
        except BoardQueryError as error:
            for name, message in error.fields.items():
                good.pop(name, None)
                notices.append(f"{name} was left out: {message}.")
    empty = params.copy()
    empty.clear()
    return kind.make(empty), empty, notices


def chart_page(kind: ChartKind, chart: Chart, params: QueryDict, notices: Sequence[str]) -> ChartPage:
    query = parse_board_query(params) if kind.is_filtered else BoardQuery()
    url = address("chart", kind.slug)
    block = chart_block(chart, params)
    own = list(_own(kind, params))
    choices = [*(kind.asks(params) if kind.asks else ()), *kind.choices]
    ranges = [_range(name, params) for name in (kind.ranges(params) if kind.ranges else ())]
    asked = {choice.name for choice in choices} | {f"{one.name}_{edge}" for one in ranges for edge in ("min", "max")}
    return ChartPage(
        chart=block,
        question=kind.question,
        notices=notices,
        selects=[_select(choice, params) for choice in choices],
        ranges=ranges,
        kept=[pair for pair in _pairs(params) if pair[0] not in asked],
        chips=[replace(chip, url=_with(chip.url, own)) for chip in filter_chips(query, url)],
        board_url=query.url(reverse("leaderboard:list")) if kind.is_filtered else "",
        url=url,
        others=[Link(other.title, address("chart", other.slug)) for other in KINDS if other.slug != kind.slug],
        oembed_url=oembed_address(block.permalink),
    )


def _pairs(params: QueryDict) -> Iterator[tuple[str, str]]:
    for name, values in params.lists():
        yield from ((name, value) for value in values)


def _own(kind: ChartKind, params: QueryDict) -> Iterator[tuple[str, str]]:
    for choice in kind.choices:
        value = params.get(choice.name)
        if isinstance(value, str) and value:
            yield choice.name, value


def _with(url: str, own: Sequence[tuple[str, str]]) -> str:
    if not own:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(own)}"


def _select(choice: Choice, params: QueryDict) -> ChartSelect:
    asked = params.get(choice.name) or choice.options[0][0]
    return ChartSelect(choice.name, choice.label, [(value, words, value == asked) for value, words in choice.options])


def _range(name: str, params: QueryDict) -> ChartRange:
    metric = BY_NAME[name]
    low, high = (params.get(f"{name}_{edge}", "") for edge in ("min", "max"))
    return ChartRange(name, metric.label, metric.unit, low, high)
