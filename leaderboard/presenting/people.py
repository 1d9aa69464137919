"""The page of a person: what they gave, how it fared, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.paginator import Page
from django.urls import reverse

from accounts.models import User
from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.models import Result, SubmissionStatus, Trust
from leaderboard.pages import Link, TrustBadge
from leaderboard.presenting.common import (
    backend_words,
    gpu_words,
    model_link,
    result_url,
    trust_badge,
)
from leaderboard.queries.people import TrustRecord, results_per_month, trust_record

#: of a chart, in units of its own; the browser scales it
CHART_WIDTH, CHART_HEIGHT, GAP = 480, 120, 4
FEW = 6


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars of counts; `title` says what a bar is, `highest` is the top of the scale."""

    name: str
    title: str
    head: str
    bars: Sequence[Bar]
    highest: int
    #: the words under the bars: one for each of a few, else the first and the last
    scale: Sequence[str]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One public result in the list of its owner."""

    link: Link
    where: str
    how: str
    #: the number that tables rank by, with its unit
    headline: str
    unit: str
    trust: TrustBadge
    day: str
    #: "" while it stands
    state: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    name: str
    username: str
    since: str
    facts: Sequence[tuple[str, str]]
    levels: Sequence[tuple[TrustBadge, int]]
    charts: Sequence[BarChart]
    rows: Sequence[PersonRow]
    older_url: str
    newer_url: str
    feed: Sequence[Link]


def person_page(person: User, page: Page[Result], submissions: int, now: datetime) -> PersonPage:
    record = trust_record(person)
    url = reverse("leaderboard:person", args=[person.username])
    return PersonPage(
        name=str(person),
        username=person.username,
        since=fmt.day(person.date_joined),
        facts=_facts(record, submissions, page.paginator.count),
        levels=[(trust_badge(level), record.levels[level]) for level in sorted(record.levels, reverse=True)],
        charts=_charts(record, results_per_month(person, now)) if page.paginator.count else [],
        rows=[person_row(result) for result in page.object_list],
        older_url=f"{url}?page={page.next_page_number()}" if page.has_next() else "",
        newer_url=f"{url}?page={page.previous_page_number()}" if page.has_previous() else "",
        feed=[Link("As JSON", reverse("api:user-submissions", args=[person.username]))],
    )


def person_row(result: Result) -> PersonRow:
    status = SubmissionStatus(result.submission.status)
    metric = metrics.BY_NAME[metrics.PRIMARY]
    return PersonRow(
        link=Link(model_link(result).label, result_url(result)),
        where=gpu_words(result),
        how=", ".join(part for part in (result.precision, backend_words(result)) if part),
        headline=fmt.number(getattr(result, metric.name)),
        unit=metric.unit,
        trust=trust_badge(result.trust),
        day=fmt.day(result.submission.published_at),
        state="" if status == SubmissionStatus.PUBLISHED else status.label,
    )


def _facts(record: TrustRecord, submissions: int, results: int) -> list[tuple[str, str]]:
    return [
        ("Public submissions", f"{submissions:,}"),
        ("Results in them", f"{results:,}"),
        ("Disputes upheld", f"{record.disputes_upheld:,}"),
        ("Disputes dismissed", f"{record.disputes_dismissed:,}"),
        ("Disputes running", f"{record.disputes_running:,}"),
        ("Results withdrawn", f"{record.withdrawn:,}"),
        ("Results invalidated", f"{record.invalidated:,}"),
    ]


def _charts(record: TrustRecord, months: Sequence[tuple[date, int]]) -> list[BarChart]:
    levels = [(level.code, record.levels.get(level, 0)) for level in Trust if level != Trust.DRAFT]
    return [
        _chart("months", "Results published per month", "Month", [(f"{month:%Y-%m}", n) for month, n in months]),
        _chart("levels", "Results per trust level", "Trust", levels),
    ]


def _chart(name: str, title: str, head: str, counts: Sequence[tuple[str, int]]) -> BarChart:
    highest = max(n for _, n in counts)
    step = CHART_WIDTH / len(counts)
    bars = []
    for place, (label, n) in enumerate(counts):
        height = CHART_HEIGHT * n / highest if highest else 0.0
        bars.append(
            Bar(
                label,
                n,
                x=round(place * step + GAP / 2, 1),
                y=round(CHART_HEIGHT - height, 1),
                width=round(step - GAP, 1),
                height=round(height, 1),
            )
        )
    labels = [label for label, _ in counts]
    return BarChart(name, title, head, bars, highest, labels if len(labels) <= FEW else [labels[0], labels[-1]])
