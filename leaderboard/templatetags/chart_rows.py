"""Rows of the table behind a chart: there are hundreds, and a template takes five times as long for each."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leaderboard.chart_pages import TableCell

register = template.Library()

HEAD, LINKED_HEAD = '<th scope="row">{}</th>', '<th scope="row"><a href="{}">{}</a></th>'
WORDS, NUMBER = "<td>{}</td>", '<td class="n">{}</td>'


@register.filter
def chart_row(cells: Sequence[TableCell]) -> SafeString:
    """The cells of one row: its head, which may lead to its result, and its values."""
    first, *others = cells
    layout = [LINKED_HEAD if first.url else HEAD, *(NUMBER if cell.is_number else WORDS for cell in others)]
    texts = [*([first.url] if first.url else ()), first.text, *(cell.text for cell in others)]
    return format_html("".join(layout), *texts)
