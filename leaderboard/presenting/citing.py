"""Citations of a result, of a comparison and of the whole data set, with data version, address and access date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.urls import reverse

from leaderboard.analysis.citing import Cited, apa, bibtex
from leaderboard.comparing_pages import Citation
from leaderboard.models import Provenance, Result
from leaderboard.presenting.common import gpu_words, model_link, result_url
from leaderboard.queries.facets import data_version
from lemsite.context import SITE_NAME

CONTRIBUTORS = f"{SITE_NAME} contributors"
DATA_TITLE = "Measured efficiency of large language models: all public results"


def result_citations(result: Result, today: date) -> list[Citation]:
    """Of a public result; nothing else has an address that a reader of the citation could open."""
    if not result.submission.is_public:
        return []
    when = result.submission.published_at or result.submission.created_at
    cited = _cited(
        f"{SITE_NAME}-result-{str(result.pk)[:8]}",
        f"Measured efficiency of {model_link(result).label} on {gpu_words(result)}",
        [_author(result)],
        result_url(result),
        int(result.source_date[:4]) if result.source_date else when.year,
        today,
    )
    return [_citation("This result", cited), data_citation(today)]


def comparison_citations(results: Sequence[Result], url: str, today: date) -> list[Citation]:
    """`url` names the results themselves, so that it shows the same ones later."""
    if not results or not all(result.submission.is_public for result in results):
        return []
    names = list(dict.fromkeys(f"{model_link(result).label} on {gpu_words(result)}" for result in results))
    title = f"Measured efficiency compared: {'; '.join(names)}"
    key = f"{SITE_NAME}-comparison-{'-'.join(str(result.pk)[:4] for result in results)}"
    cited = _cited(key, title, [CONTRIBUTORS], url, today.year, today)
    return [_citation("This comparison", cited), data_citation(today)]


def data_citation(today: date) -> Citation:
    key = f"{SITE_NAME}-data-{today.year}"
    return _citation(
        "The data set", _cited(key, DATA_TITLE, [CONTRIBUTORS], reverse("leaderboard:list"), today.year, today)
    )


def _cited(key: str, title: str, authors: Sequence[str], path: str, year: int, today: date) -> Cited:  # noqa: PLR0913 - the parts of a citation
    return Cited(key, title, authors, SITE_NAME, year, f"data version {data_version()}", settings.SITE_URL + path, today)


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
