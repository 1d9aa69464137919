"""What /advice/ and the page of a model say about what to change first: ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class AdvicePair:
    """The evidence of one step: two results side by side."""

    label: str
    url: str
    factor: str


@dataclass(frozen=True, slots=True)
class AdviceStep:
    #: such as "from 8 to 32"
    change: str
    #: such as "2.4x the tokens per joule"
    effect: str
    #: such as "median of 3 measured pairs, from 1.9x to 3.1x"
    basis: str
    pairs: Sequence[AdvicePair]
    #: such as "and 12 more pairs", or ""
    more: str


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One setting. `kind` is "gain", "no-gain" or "unmeasured"."""

    label: str
    kind: str
    #: "" or that the pairs are not of the reader's own configuration, or not of their model
    source: str
    words: str
    best: AdviceStep | None
    others: Sequence[AdviceStep]


@dataclass(frozen=True, slots=True)
class Select:
    name: str
    label: str
    #: (value, words, is chosen)
    options: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class LimitInput:
    name: str
    label: str
    unit: str
    value: str


@dataclass(frozen=True, slots=True)
class AdviceSection:
    """What is known for one model on one GPU."""

    title: str
    #: whose figures these are, of which scope, out of how many results
    basis: str
    rows: Sequence[AdviceRow]
    hidden_by_trust: Link | None


@dataclass(frozen=True, slots=True)
class AdvicePage:
    problems: Sequence[str]
    model_name: str
    suggestions: Sequence[str]
    #: GPU and figure
    selects: Sequence[Select]
    limits: Sequence[LimitInput]
    #: what the reader runs now, from measured values
    start: Sequence[Select]
    #: None until a model and a GPU are chosen that have results
    section: AdviceSection | None
    empty: str
    kept: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ModelAdvice:
    """On the page of a model: advice for its most measured GPU, and where it is for the others."""

    section: AdviceSection
    gains: Sequence[AdviceRow]
    url: str
    others: Sequence[Link]
