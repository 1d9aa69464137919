"""Citations of a result, of a comparison and of the whole data set, with data version, address and access date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from leaderboard.analysis.citing import Cited, apa, bibtex
from leaderboard.comparing_pages import Citation
from leaderboard.models import Provenance, Result
from leaderboard.presenting.common import gpu_words, model_link, result_url
from leaderboard.queries.facets import data_version
from lemsite.context import SITE_NAME

CONTRIBUTORS = f"{SITE_NAME} contributors"
DATA_TITLE = "Measured efficiency of large language models: all public results"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of the data that is cited, and the day."""

    data_version: int
    day: date

    @classmethod
    def now(cls) -> Stamp:
        return cls(data_version(), timezone.now().date())


def result_citations(result: Result, stamp: Stamp) -> list[Citation]:
    """Of a public result; nothing else has an address that a reader of the citation could open."""
    if not result.submission.is_public:
        return []
    when = result.submission.published_at or result.submission.created_at
    cited = Cited(
        key=f"{SITE_NAME}-result-{str(result.pk)[:8]}",
        title=f"Measured efficiency of {model_link(result).label} on {gpu_words(result)}",
        authors=[_author(result)],
        year=int(result.source_date[:4]) if result.source_date else when.year,
        **_common(result_url(result), stamp),
    )
    return [_citation("This result", cited), data_citation(stamp)]


def comparison_citations(results: Sequence[Result], path: str, stamp: Stamp) -> list[Citation]:
    """`path` names the results themselves, so that it shows the same ones later."""
    if not results or not all(result.submission.is_public for result in results):
        return []
    names = list(dict.fromkeys(f"{model_link(result).label} on {gpu_words(result)}" for result in results))
    cited = Cited(
        key=f"{SITE_NAME}-comparison-{'-'.join(str(result.pk)[:4] for result in results)}",
        title=f"Measured efficiency compared: {'; '.join(names)}",
        authors=[CONTRIBUTORS],
        year=stamp.day.year,
        **_common(path, stamp),
    )
    return [_citation("This comparison", cited), data_citation(stamp)]


def data_citation(stamp: Stamp) -> Citation:
    year = stamp.day.year
    path = reverse("leaderboard:list")
    cited = Cited(f"{SITE_NAME}-data-{year}", DATA_TITLE, [CONTRIBUTORS], year=year, **_common(path, stamp))
    return _citation("The data set", cited)


def _common(path: str, stamp: Stamp) -> dict[str, Any]:
    return {
        "publisher": SITE_NAME,
        "version": f"data version {stamp.data_version}",
        "url": settings.SITE_URL + path,
        "accessed": stamp.day,
    }


def _citation(label: str, cited: Cited) -> Citation:
    return Citation(label, bibtex(cited), apa(cited))


def _author(result: Result) -> str:
    """Who measured: the source that it was carried over from, the owner, or the site where the account is gone."""
    owner = result.submission.owner
    if result.source_name:
        return result.source_name
    if result.submission.provenance == Provenance.IMPORTED or owner is None or owner.deleted_at is not None:
        return CONTRIBUTORS
    return owner.display_name or owner.username
