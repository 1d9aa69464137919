"""What /compare/, the list of saved comparisons and citations show: ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.chart_pages import ChartBlock
from leaderboard.pages import TrustBadge


@dataclass(frozen=True, slots=True)
class Citation:
    #: what is cited, such as "This result"
    label: str
    bibtex: str
    apa: str


@dataclass(frozen=True, slots=True)
class ComparedItem:
    #: "A" to "H"
    letter: str
    title: str
    url: str
    details: str
    #: "" for a result that was chosen itself
    chosen_as: str
    trust: TrustBadge
    #: such as "Not ranked: only you and moderators see it.", or ""
    state: str
    runs: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that results share or not. `kind` is "same", "different", "warning" or "unknown"."""

    label: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`verdict` is "clear", "not-clear", "too-few" or "not-comparable"."""

    words: str
    verdict: str


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """One figure of all results: its bars, and what can be told of the differences."""

    name: str
    chart: ChartBlock
    statements: Sequence[Statement]
    #: such as "Not measured for C and D.", or ""
    missing: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    label: str
    unit: str
    #: one for each item; "" means not stated
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class MetricChoice:
    name: str
    label: str
    group: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """The published results on /compare/."""

    items: Sequence[ComparedItem]
    problems: Sequence[str]
    #: whether the figures are like for like, in one sentence
    verdict: str
    is_like_for_like: bool
    context: Sequence[Aspect]
    figures: Sequence[FigureBlock]
    #: many pairs, each tested by itself
    caution: str
    differ: Sequence[SettingRow]
    same: Sequence[SettingRow]
    metric_choices: Sequence[MetricChoice]
    citations: Sequence[Citation]
    #: which energy scope the best of a model was looked for in, and the like
    notes: Sequence[str]
    #: the state without what a form has inputs of its own for
    kept: Sequence[tuple[str, str]]
    kept_for_metrics: Sequence[tuple[str, str]]
    kept_for_live: Sequence[tuple[str, str]]
    #: address of this state, "" where there is nothing to save
    save_url: str
    json_url: str
    clear_url: str
    can_add: bool
    #: model names for the input
    suggestions: Sequence[str]

    @property
    def letters(self) -> Sequence[str]:
        return [item.letter for item in self.items]

    @property
    def has_charts(self) -> bool:
        return any(not block.chart.empty for block in self.figures)


@dataclass(frozen=True, slots=True)
class SavedRow:
    pk: int
    name: str
    url: str
    short_url: str
    contents: str
    saved: str
