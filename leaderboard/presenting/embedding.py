"""Pages that other sites show inside theirs: which of our pages has one, at which address and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import QueryDict
from django.urls import Resolver404, resolve, reverse

from leaderboard.charts import look
from leaderboard.embed_pages import ResultShare
from leaderboard.presenting.charts import BY_SLUG
from leaderboard.presenting.charts.block import EMBED_FRAME_PX, address, iframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

WIDTH_PX, CACHE_AGE_S = 800, 3600
RESULT_HEIGHT_PX = 400
TABLE_HEIGHT_PX = 800


@dataclass(frozen=True, slots=True)
class Embed:
    title: str
    #: of the page for the iframe, without the site
    url: str
    height: int


def embed_of(url: str) -> Embed | None:
    """What shows the page at `url` inside another site; None for what is not ours or has no such thing."""
    try:
        parts = urlsplit(url)
        match = resolve(parts.path)
    except (ValueError, Resolver404):
        return None
    if f"{parts.scheme}://{parts.netloc}" != settings.SITE_URL:
        return None
    make = _MAKERS.get(match.view_name)
    return make(match.kwargs, parts.query) if make else None


def oembed_address(url: str) -> str:
    """Where a site learns how to embed the page at this absolute address."""
    return f"{settings.SITE_URL}{reverse('leaderboard:oembed')}?{urlencode({'url': url})}"


def result_share(pk: UUID, title: str) -> ResultShare:
    page = settings.SITE_URL + reverse("leaderboard:result", args=[pk])
    badge = reverse("leaderboard:result_badge", args=[pk])
    return ResultShare(
        embed=iframe(reverse("leaderboard:result_embed", args=[pk]), title, RESULT_HEIGHT_PX),
        badge_url=badge,
        badge=f"[![Measured]({settings.SITE_URL}{badge})]({page})",
        oembed_url=oembed_address(page),
    )


def oembed_body(embed: Embed, params: QueryDict) -> dict[str, object]:
    """https://oembed.com, 2.3.4: a rich type, no larger than the asker wants."""
    width = min(WIDTH_PX, _size(params, "maxwidth", WIDTH_PX))
    height = min(embed.height, _size(params, "maxheight", embed.height))
    return {
        "version": "1.0",
        "type": "rich",
        "title": embed.title,
        "provider_name": urlsplit(settings.SITE_URL).hostname,
        "provider_url": settings.SITE_URL,
        "cache_age": CACHE_AGE_S,
        "width": width,
        "height": height,
        "html": iframe(embed.url, embed.title, height, width=str(width)),
    }


def _size(params: QueryDict, name: str, default: int) -> int:
    """A wish that is no number is none."""
    text = params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 else default


def _chart(kwargs: dict[str, str], query: str) -> Embed | None:
    kind = BY_SLUG.get(kwargs["slug"])
    if kind is None:
        return None
    return Embed(kind.title, address("chart_embed", kind.slug, query), look.MEDIUM + EMBED_FRAME_PX)


def _result(kwargs: dict[str, str], query: str) -> Embed:
    return Embed("Result", reverse("leaderboard:result_embed", args=[kwargs["pk"]]), RESULT_HEIGHT_PX)


def _table(kwargs: dict[str, str], query: str) -> Embed:
    path = reverse("leaderboard:table_embed")
    return Embed("Leaderboard", f"{path}?{QueryDict(query).urlencode()}".rstrip("?"), TABLE_HEIGHT_PX)


_MAKERS: dict[str, Callable[[dict[str, str], str], Embed | None]] = {
    "leaderboard:chart": _chart,
    "leaderboard:chart_embed": _chart,
    "leaderboard:result": _result,
    "leaderboard:result_embed": _result,
    "leaderboard:list": _table,
    "leaderboard:table_embed": _table,
}
