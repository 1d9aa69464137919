"""/sitemap.xml: the public pages, for search engines. An index of parts, because results may be a million."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import index, sitemap
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import condition, require_safe

from leaderboard.models import Hardware, LanguageModel, Result, WeeklyDigest
from leaderboard.presenting.common import hardware_url, model_url
from leaderboard.presenting.digests import digest_url
from leaderboard.queries.digests import digests
from leaderboard.queries.facets import data_version
from lemsite import __version__
from runs.models import Run
from runs.presenting.common import run_url

PAGES = (
    "leaderboard:list", "leaderboard:model_list", "leaderboard:hardware_list", "leaderboard:analysis",
    "leaderboard:charts", "leaderboard:methodology", "leaderboard:data", "leaderboard:digests",
    "leaderboard:dispute_list", "runs:compare", "runs:live", "runs:list", "jobs:list", "api:docs",
)  # fmt: skip


class _Part(Sitemap[Any]):
    """One kind of page. Each part is small enough to be made while a crawler waits."""

    limit = 5_000
    protocol = settings.SITE_URL.partition("://")[0]

    def get_domain(self, site: Any = None) -> str:
        return settings.SITE_URL.partition("://")[2]


class _Pages(_Part):
    def items(self) -> list[str]:
        return list(PAGES)

    def location(self, item: str) -> str:
        return reverse(item)


class _Models(_Part):
    def items(self) -> QuerySet[LanguageModel]:
        return LanguageModel.objects.annotate(newest=_newest()).order_by("pk")

    def location(self, item: LanguageModel) -> str:
        return model_url(item)

    def lastmod(self, item: Any) -> datetime | None:
        found: datetime | None = item.newest
        return found


class _Hardware(_Models):
    def items(self) -> Any:
        return Hardware.objects.annotate(newest=_newest()).order_by("pk")

    def location(self, item: Any) -> str:
        return hardware_url(item)


class _Results(_Part):
    """Those that are ranked; the pages of others are public or not, and none of them is worth finding."""

    def items(self) -> QuerySet[Result]:
        rows = Result.objects.ranked().select_related("submission").order_by("pk")
        return rows.only("pk", "submission__published_at")

    def location(self, item: Result) -> str:
        return reverse("leaderboard:result", args=[item.pk])

    def lastmod(self, item: Result) -> datetime | None:
        return item.submission.published_at

    def get_latest_lastmod(self) -> datetime | None:
        found = Result.objects.ranked().aggregate(newest=Max("submission__published_at"))
        newest: datetime | None = found["newest"]
        return newest


class _Runs(_Part):
    """Live runs that measured something."""

    def items(self) -> QuerySet[Run]:
        return Run.objects.filter(is_simulated=False).order_by("pk")

    def location(self, item: Run) -> str:
        return run_url(item)

    def lastmod(self, item: Run) -> datetime | None:
        return item.ended_at or item.started_at

    def get_latest_lastmod(self) -> datetime | None:
        found = self.items().aggregate(newest=Max("started_at"))
        newest: datetime | None = found["newest"]
        return newest


class _Digests(_Part):
    def items(self) -> QuerySet[WeeklyDigest]:
        return digests()

    def location(self, item: WeeklyDigest) -> str:
        return digest_url(item.week)

    def lastmod(self, item: WeeklyDigest) -> datetime:
        return item.made_at


PARTS: dict[str, type[Sitemap[Any]] | Sitemap[Any]] = {
    "pages": _Pages, "models": _Models, "hardware": _Hardware, "results": _Results, "runs": _Runs, "digests": _Digests,
}  # fmt: skip


def _newest() -> Max:
    """When the newest ranked result of the row was published."""
    return Max("results__submission__published_at", filter=Q(results__is_ranked=True))


def _etag(request: HttpRequest, **_: Any) -> str:
    newest_run = Run.objects.aggregate(newest=Max("pk"))["newest"]
    return f'"{data_version()}-{newest_run}-{digests().count()}-{__version__}"'


@require_safe
@condition(etag_func=_etag)
def sitemap_index(request: HttpRequest) -> HttpResponse:
    return _answer(index(request, sitemaps=PARTS, sitemap_url_name="sitemap_part"))


@require_safe
@condition(etag_func=_etag)
def sitemap_part(request: HttpRequest, section: str) -> HttpResponse:
    return _answer(sitemap(request, sitemaps=PARTS, section=section))


def _answer(response: TemplateResponse) -> HttpResponse:
    response["Cache-Control"] = "public, max-age=3600"
    return response
