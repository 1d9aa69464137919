"""What stands inside the pages of other sites: one result, a table, a badge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.pages import BoardRow, ColumnHead, FieldRow, TrustBadge

BADGE_PADDING_PX = 12


@dataclass(frozen=True, slots=True)
class ResultCard:
    title: str
    subtitle: str
    trust: TrustBadge
    figures: Sequence[FieldRow]
    scope: str
    #: who gave it, when, and under which licence
    origin: str
    url: str


@dataclass(frozen=True, slots=True)
class ResultShare:
    """How other pages show a result: what to copy, and where they find out by themselves."""

    embed: str
    badge_url: str
    #: Markdown of the badge, linked to the result
    badge: str
    oembed_url: str


@dataclass(frozen=True, slots=True)
class TableCard:
    title: str
    heads: Sequence[ColumnHead]
    rows: Sequence[BoardRow]
    #: what is hidden, and why
    hidden: str
    url: str


@dataclass(frozen=True, slots=True)
class Badge:
    """Two words beside each other, as on the front of a repository."""

    label: str
    value: str
    #: the whole sentence, for those who cannot see it and for the pointer that rests on it
    title: str
    #: of the right half
    color: str
    #: widths of the two texts in px
    label_text: int
    value_text: int

    @property
    def label_width(self) -> int:
        return self.label_text + BADGE_PADDING_PX

    @property
    def value_width(self) -> int:
        return self.value_text + BADGE_PADDING_PX

    @property
    def width(self) -> int:
        return self.label_width + self.value_width

    @property
    def label_middle(self) -> float:
        return self.label_width / 2

    @property
    def value_middle(self) -> float:
        return self.label_width + self.value_width / 2
