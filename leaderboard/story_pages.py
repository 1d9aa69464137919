"""What the page of a model or a GPU tells beside its table: ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.chart_pages import ChartBlock
from leaderboard.pages import Link, TrustBadge


@dataclass(frozen=True, slots=True)
class UseRow:
    """The most efficient configuration for one kind of use; `configuration` is None where nothing measured fits."""

    use: str
    limit: str
    configuration: Link | None
    details: str
    efficiency: str
    time_per_token: str
    throughput: str
    cost: str
    trust: TrustBadge | None


@dataclass(frozen=True, slots=True)
class RelatedRow:
    link: Link
    #: such as "8.03 x 10^9 parameters" or "80 GB"
    size: str
    efficiency: str


@dataclass(frozen=True, slots=True)
class Story:
    #: whole sentences, the most telling first
    sentences: Sequence[str]
    #: what the energy of all figures covers
    scope: str
    uses: Sequence[UseRow]
    charts: Sequence[ChartBlock]
    related_title: str
    related: Sequence[RelatedRow]
