"""Watches and feeds as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.board import BoardQuery
from leaderboard.models import Watch
from leaderboard.pages import FeedLink, WatchRow
from leaderboard.presenting.common import hardware_url, model_url

FEEDS = (
    ("Atom", "leaderboard:feed_atom", "application/atom+xml"),
    ("RSS", "leaderboard:feed_rss", "application/rss+xml"),
)


def watch_rows(watches: Iterable[Watch]) -> list[WatchRow]:
    rows = []
    for watch in watches:
        if watch.model is not None:
            label, kind, url = watch.model.title, "model", model_url(watch.model)
        elif watch.hardware is not None:
            label, kind, url = watch.hardware.name, "hardware", hardware_url(watch.hardware)
        else:
            continue
        rows.append(WatchRow(label, kind, url, f"{url}watch/", fmt.day(watch.created_at)))
    return rows


def feed_links(query: BoardQuery) -> list[FeedLink]:
    """The feeds of what the board's filters let through; order, columns and prices do not matter to them."""
    plain = BoardQuery()
    filters = replace(
        query, view=plain.view, sort=plain.sort, descending=plain.descending, columns=plain.columns, limit=plain.limit
    )
    return [FeedLink(label, filters.url(reverse(name)), mime) for label, name, mime in FEEDS]
