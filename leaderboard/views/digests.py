"""/digest/: what each week brought. Public, and the same for everyone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.views.decorators.http import condition, require_safe

from leaderboard.dump_pages import DigestPage
from leaderboard.models import WeeklyDigest
from leaderboard.pages import Link
from leaderboard.presenting.digests import digest_pages, digest_url, week_title
from leaderboard.queries.digests import digests
from leaderboard.views.feeds import feed_etag
from lemsite.lib.hidden_characters import shown_characters

ROWS = 26
IN_FEED = 12


@require_safe
def digest_list(request: HttpRequest) -> HttpResponse:
    """The newest in full, and links to those before."""
    page = Paginator(digests(), ROWS).get_page(request.GET.get("page"))
    newest = digest_pages(list(page)[:1]) if page.number == 1 else []
    others = [Link(week_title(digest.week), digest_url(digest.week)) for digest in list(page)[len(newest) :]]
    context = {"newest": newest[0] if newest else None, "others": others, "page": page}
    return render(request, "leaderboard/digest_list.html", context)


@require_safe
def digest_detail(request: HttpRequest, year: int, week: int) -> HttpResponse:
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        raise Http404 from None
    digest = get_object_or_404(WeeklyDigest, week=monday)
    (page,) = digest_pages([digest])
    page = replace(page, former=_link(monday - timedelta(weeks=1)), following=_link(monday + timedelta(weeks=1)))
    return render(request, "leaderboard/digest_detail.html", {"digest": page})


def _link(monday: date) -> Link | None:
    is_there = WeeklyDigest.objects.filter(week=monday).exists()
    return Link(week_title(monday), digest_url(monday)) if is_there else None


class DigestFeed(Feed[tuple[WeeklyDigest, DigestPage], Any]):
    feed_type = Atom1Feed
    author_name = "lemsite"
    title = "Weekly digest"
    subtitle = "What each week brought: new results, new best ones, changes."

    def link(self) -> str:
        return settings.SITE_URL + reverse("leaderboard:digests")

    feed_guid = link

    def feed_url(self) -> str:
        return settings.SITE_URL + reverse("leaderboard:digest_feed")

    def items(self) -> list[tuple[WeeklyDigest, DigestPage]]:
        newest = list(digests()[:IN_FEED])
        return list(zip(newest, digest_pages(newest), strict=True))

    def item_title(self, item: tuple[WeeklyDigest, DigestPage]) -> str:
        return item[1].title

    def item_description(self, item: tuple[WeeklyDigest, DigestPage]) -> str:
        """Readers take it for HTML."""
        lines = [item[1].summary]
        for section in item[1].sections:
            lines += [f"{section.title}: {_text(line)}" for line in section.lines]
        return "".join(f"<p>{escape(shown_characters(line))}</p>" for line in lines)

    def item_link(self, item: tuple[WeeklyDigest, DigestPage]) -> str:
        return settings.SITE_URL + item[1].url

    item_guid = item_link

    def item_pubdate(self, item: tuple[WeeklyDigest, DigestPage]) -> Any:
        return item[0].made_at

    item_updateddate = item_pubdate


def _text(line: Any) -> str:
    return " ".join(part.label for part in line).replace(" :", ":")


_FEED = DigestFeed()


def _etag(request: HttpRequest) -> str:
    """The data version tells what is public, the newest digest what there is."""
    newest = digests().values_list("pk", flat=True).first()
    return f'"{feed_etag(request).strip(chr(34))}-{newest or 0}"'


@require_safe
@condition(etag_func=_etag)
def digest_feed(request: HttpRequest) -> HttpResponse:
    response = _FEED(request)
    response["Cache-Control"] = "no-cache"
    return response
