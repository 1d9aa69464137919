"""What /analysis/ shows: frozen rows of ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.chart_pages import ChartBlock
from leaderboard.pages import Link, TrustBadge


@dataclass(frozen=True, slots=True)
class Named:
    """One configuration in a sentence, with what it takes to believe its figure."""

    #: "Llama 3.1 8B on 1 x H100 SXM with vLLM 0.5.4, bf16, batch 64"
    name: str
    #: "9.171 tok/J", and what it is of: "GPU energy; ±1.2 % over 3 runs"
    figure: str
    basis: str
    #: such as "ITL p50 18.2 ms", the figures that the limits are about
    limits: Sequence[str]
    trust: TrustBadge
    url: str

    @property
    def sentence(self) -> str:
        details = "; ".join(detail for detail in (self.basis, *self.limits) if detail)
        return f"{self.name}: {self.figure} ({details})."


@dataclass(frozen=True, slots=True)
class Change:
    """What another limit would do: words, and the question with it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """The best of one model; `url` asks the question of it alone."""

    model: Link
    named: Named
    #: "1 x H100 SXM, vLLM 0.5.4, bf16, batch 64"
    configuration: str
    #: numbers without their unit, which the head has; "" where not stated
    figure: str
    axis: str
    #: "±1.2 %", "3 runs"
    interval: str
    runs: str


@dataclass(frozen=True, slots=True)
class Counted:
    """One sentence on how many results there are, with the way to see them, or ""."""

    text: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """One question in one state; everything a reader sets is in its URL."""

    #: "Which configuration of Llama 3.1 8B gives the most tokens per joule, with ITL p50 at most 20 ms?"
    question: str
    best: Named | None
    #: where nothing is within the limits: why, in sentences
    why_none: Sequence[str]
    #: then what comes nearest to the limits, where something does
    closest: Named | None
    #: and what to take away or to ask instead
    ways_on: Sequence[Link]
    #: what stands in for a figure that nobody states, said before its answer; "" mostly
    instead: str
    #: assumptions: prices with their dates, PUE, grid
    assumptions: Sequence[str]
    changes: Sequence[Change]
    chart: ChartBlock | None
    models: Sequence[ModelRow]
    #: heads of the table: the goal's figure and the axis, with units
    figure_head: str
    axis_head: str
    #: "The 50 best of 187 models.", or ""
    models_cut: str
    counts: Sequence[Counted]
    chips: Sequence[Link]
    #: hidden inputs that keep the rest of the state in the form
    kept: Sequence[tuple[str, str]]
    #: what the short link leads to; the second with the reader's own prices, "" where they use none
    share_url: str
    private_share_url: str
    board_url: str
    api_url: str
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class LimitInput:
    """One cell of the latency table: parameter, words for screen readers, and what was typed."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class AskForm:
    """The form around the answer, as the address fills it."""

    q: str
    #: (family, models of it)
    models: Sequence[tuple[str, Sequence[Option]]]
    families: Sequence[Option]
    sizes: Sequence[Option]
    hardware: Sequence[Option]
    #: "mean", "p50", "p90", "p99"
    statistics: Sequence[str]
    #: ("TTFT", its inputs in the order of the statistics)
    latencies: Sequence[tuple[str, Sequence[LimitInput]]]
    throughput: LimitInput
    usd_per_gpu_hour: str
    usd_per_kwh: str
    pue: str
    co2_g_per_kwh: str
    countries: Sequence[Option]
    grid_source: str
    goals: Sequence[Option]
