"""What a kind of chart is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import QueryDict

    from leaderboard.charts.base import Chart


@dataclass(frozen=True, slots=True)
class Choice:
    """One parameter of a chart's own with few values: a select on its page. The first option is the default."""

    name: str
    label: str
    #: (value in the address, words)
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ChartKind:
    """One kind of chart at /charts/<slug>/.

    `make` reads the query string; raises BoardQueryError naming what is wrong in it, and Http404 for a result that
    the public does not see.
    """

    slug: str
    title: str
    #: the question that it answers, for the list of charts
    question: str
    make: Callable[[QueryDict], Chart]
    #: its own parameters; those of the leaderboard's filters hold for every chart
    choices: Sequence[Choice] = ()
    #: more of them, whose options follow from the data; a filter of the leaderboard may be one
    asks: Callable[[QueryDict], Sequence[Choice]] | None = None
    #: the metrics whose least and greatest values its page asks for, as the limits of the leaderboard
    ranges: Callable[[QueryDict], Sequence[str]] | None = None
    #: a text that changes with what it shows beside results, for caches
    mark: Callable[[], str] | None = None
    #: False: it is about results that the address names, and filters mean nothing
    is_filtered: bool = True
