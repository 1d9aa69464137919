"""What the pages of live runs show: frozen rows of ready text, and the numbers that scripts go on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class LaneFigure:
    """A small figure of a lane; `name` is what the script finds it by."""

    name: str
    #: with its unit
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class LaneCard:
    """One lane of a race as it stands. Texts are "" where nothing is known yet."""

    name: str
    type: str
    #: such as "$2.49/h"
    price: str
    model: str
    use_case: str
    #: such as "4 of 12"
    progress: str
    tokens_per_s: str
    #: "tok/s", or "tok/s on average" once the run is over
    rate_unit: str
    #: share of the highest tok/s that a lane of this run has reached, in percent
    gauge_percent: int
    is_leader: bool
    #: waiting, streaming, stalled or finished
    state: str
    state_words: str
    #: below the big number; the same six for every lane
    figures: Sequence[LaneFigure]
    #: VRAM above 85 % of the lane's memory
    is_hot: bool
    #: path of the last 60 s in a 240 x 30 box
    spark: str
    #: 1 to 6, for colour and dash
    series: int


@dataclass(frozen=True, slots=True)
class LivePage:
    key: str
    title: str
    subtitle: str
    is_simulated: bool
    #: waiting, streaming, stalled or finished
    state: str
    state_words: str
    #: such as "Means and totals cover the newest 100,000 events.", or ""
    caution: str
    lanes: Sequence[LaneCard]
    run_url: str
    replay_url: str
    #: a card without values, for lanes that appear later
    blank: LaneCard
    #: other runs that are open
    others: Sequence[Link]
    #: what the figures assume: grid, PUE
    assumptions: str
    #: the same page without the reader's own grid; "" where it has none
    world_rates_url: str
    #: everything the script needs to go on: lanes with numbers, prices, grid, last seq
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunRow:
    link: Link
    started: str
    duration: str
    state: str
    state_words: str
    lanes: str
    models: str
    events: str
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class RunListPage:
    rows: Sequence[RunRow]
    first_url: str
    next_url: str
    #: what the filters hide, such as "12 simulated runs hidden", with the link that shows them
    hidden: Link | None
    empty: str
    clear_url: str


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """One chart: a figure over time, one line per lane. Its points are fetched from `RunPage.series_url`."""

    name: str
    label: str
    unit: str
    #: what the points are divided by to be in `unit`
    divisor: int
    is_from_zero: bool
    #: the table behind the chart: lane, mean, minimum, maximum, last
    table: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Mean composite per model and use case."""

    use_cases: Sequence[str]
    #: how many scores the means are of, such as "84 scores"
    amount: str
    #: model, then a composite per use case ("" where not scored), then the mean
    rows: Sequence[tuple[str, Sequence[str], str]]


@dataclass(frozen=True, slots=True)
class RunPage:
    key: str
    title: str
    state: str
    state_words: str
    is_simulated: bool
    is_live: bool
    started: str
    duration: str
    note: str
    models: str
    caution: str
    assumptions: str
    #: "" unless figures of the reader's own are used
    world_rates_url: str
    lanes: Sequence[LaneCard]
    charts: Sequence[SeriesChart]
    scores: ScoreMatrix | None
    #: the last events, newest first: time, lane, model, use case, tok/s, latency, VRAM, power
    events: Sequence[Sequence[str]]
    event_total: str
    downloads: Sequence[Link]
    live_url: str
    replay_url: str
    series_url: str
    card_url: str
    description: str


@dataclass(frozen=True, slots=True)
class GpuMean:
    """Mean tok/s of one GPU type over the runs of the chosen models, with a 95 % interval from three runs on."""

    type: str
    mean: str
    interval: str
    runs: str
    bar_percent: int


@dataclass(frozen=True, slots=True)
class RunComparePage:
    #: (model, is chosen)
    models: Sequence[tuple[str, bool]]
    rows: Sequence[GpuMean]
    #: (model, mean composite, scores)
    composites: Sequence[tuple[str, str, str]]
    includes_simulated: bool
    #: such as "2 finished runs, 1 simulated run left out"
    basis: str
    empty: str


@dataclass(frozen=True, slots=True)
class ReplayPage:
    key: str
    title: str
    is_simulated: bool
    state_words: str
    lanes: Sequence[LaneCard]
    run_url: str
    assumptions: str
    #: "" unless figures of the reader's own are used
    world_rates_url: str
    #: times the real speed
    speeds: Sequence[int]
    #: lanes without values, where the series are, and the definitions
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveStrip:
    """One line on the front page while a run is live."""

    title: str
    is_simulated: bool
    url: str
    lanes: Sequence[LaneCard]
