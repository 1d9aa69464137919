"""The list of one's own comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.comparing_pages import SavedRow
from leaderboard.models import SavedComparison, ShortLink
from leaderboard.selection import MAX_COMPARED, MIN_COMPARED, Selection, read_selection


def saved_rows(comparisons: Iterable[SavedComparison]) -> list[SavedRow]:
    return [_row(comparison) for comparison in comparisons]


def _row(comparison: SavedComparison) -> SavedRow:
    selection = selection_at(comparison.link.url)
    contents = [
        fmt.count(len(selection.results), "result") if selection.results else "",
        f"the best of {', '.join(selection.models)}" if selection.models else "",
    ]
    return SavedRow(
        pk=comparison.pk,
        name=comparison.name,
        url=comparison.link.url,
        short_url=short_url(comparison.link),
        contents=" and ".join(part for part in contents if part),
        saved=fmt.day(comparison.created_at),
    )


def short_url(link: ShortLink) -> str:
    return settings.SITE_URL + reverse("leaderboard:link", args=[link.code])


def selection_at(url: str) -> Selection:
    """What the comparison at this address shows."""
    return read_selection(QueryDict(urlsplit(url).query))[0]


def is_worth_saving(selection: Selection) -> bool:
    return MIN_COMPARED <= selection.count <= MAX_COMPARED
