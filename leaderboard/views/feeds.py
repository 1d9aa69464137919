"""Atom and RSS feeds of new results, one for each state of the leaderboard's filters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.html import escape
from django.views.decorators.http import condition, require_safe

from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.board import BoardQuery, BoardQueryError, parse_board_query
from leaderboard.models import Result
from leaderboard.presenting.common import (
    backend_words,
    gpu_words,
    model_link,
    person_link,
    result_url,
    trust_badge,
)
from leaderboard.queries.facets import data_version
from leaderboard.queries.feeds import newest_results
from lemsite import __version__
from lemsite.lib.hidden_characters import shown_characters

#: the figures of an entry, where it has them
FIGURES = ("tokens_per_joule", "energy_per_output_token_j", "throughput_tokens_per_s", "tpot_ms_mean")


class ResultFeed(Feed[Result, BoardQuery]):
    """Titles and texts come from catalogue and uploads: characters that XML cannot hold are replaced."""

    feed_type: type[SyndicationFeed] = Atom1Feed
    page_name = "leaderboard:feed_atom"
    author_name = "lemsite"

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> BoardQuery:
        return parse_board_query(request.GET)

    def title(self, query: BoardQuery) -> str:
        words = [value for values in query.facets.values() for value in values]
        return shown_characters(" · ".join(["New results", *words, *([query.q] if query.q else [])]))

    def subtitle(self, query: BoardQuery) -> str:
        return "Results as they are published, newest first."

    description = subtitle

    def link(self, query: BoardQuery) -> str:
        return settings.SITE_URL + query.url(reverse("leaderboard:list"))

    def feed_url(self, query: BoardQuery) -> str:
        return settings.SITE_URL + query.url(reverse(self.page_name))

    def feed_guid(self, query: BoardQuery) -> str:
        return self.feed_url(query)

    def items(self, query: BoardQuery) -> list[Result]:
        return list(newest_results(query))

    def item_title(self, item: Result) -> str:
        return shown_characters(f"{model_link(item).label} on {gpu_words(item)}")

    def item_description(self, item: Result) -> str:
        shown = (metrics.BY_NAME[name] for name in FIGURES)
        figures = [
            f"{metric.label} {fmt.number(getattr(item, metric.name))} {metric.unit}".strip()
            for metric in shown
            if getattr(item, metric.name) is not None
        ]
        run_with = [backend_words(item), item.precision]
        words = ", ".join([*filter(None, run_with), *figures, trust_badge(item.trust).label])
        # Readers take it for HTML.
        return escape(shown_characters(f"{words}."))

    def item_link(self, item: Result) -> str:
        return settings.SITE_URL + result_url(item)

    def item_guid(self, item: Result) -> str:
        return f"urn:uuid:{item.pk}"

    item_guid_is_permalink = False

    def item_author_name(self, item: Result) -> str:
        return shown_characters(person_link(item.submission.owner).label)

    def item_pubdate(self, item: Result) -> datetime | None:
        return item.submission.published_at

    item_updateddate = item_pubdate


class RssFeed(ResultFeed):
    feed_type = Rss201rev2Feed
    page_name = "leaderboard:feed_rss"

    def item_title(self, item: Result) -> str:
        """Readers take what stands in an RSS title for HTML."""
        return escape(super().item_title(item))


def feed_etag(request: HttpRequest) -> str:
    state = (data_version(), __version__, request.get_full_path())
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


def _view(feed: ResultFeed) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    @condition(etag_func=feed_etag)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            response = feed(request)
        except BoardQueryError as error:
            words = "".join(f"{name}: {message}.\n" for name, message in error.fields.items())
            return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
        response["Cache-Control"] = "no-cache"
        return response

    return answer


atom = _view(ResultFeed())
rss = _view(RssFeed())
