"""What a check is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leaderboard.normal import ParsedResult


class Severity(StrEnum):
    """BLOCK keeps a result out of the ranking, REVIEW asks a moderator, WARN is shown beside it."""

    BLOCK = "B"
    REVIEW = "R"
    WARN = "W"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found wrong with one result."""

    code: str
    severity: Severity
    #: the value seen and the value allowed, each with its unit
    observed: str
    limit: str
    #: one plain sentence: what is wrong, and what to do about it
    message: str
    #: the field of the normal form to look at; None when it is the result as a whole
    field: str | None


@dataclass(frozen=True, slots=True)
class HardwareFacts:
    """Data-sheet figures of one GPU (not of the system); None where the catalogue has none."""

    name: str
    vendor: str | None = None
    #: as the card is sold, such as 80; limits.BYTES_PER_RATED_GB says what that holds
    memory_gb: float | None = None
    bandwidth_gb_per_s: float | None = None
    #: precision -> dense (not sparse) peak in TFLOP/s
    tflops: Mapping[str, float | None] = field(default_factory=dict)
    tdp_w: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Size of one model in 10^9 parameters; `active` is what one token passes through (mixture of experts)."""

    name: str
    parameters_total_b: float | None = None
    parameters_active_b: float | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another result that one is compared with; None where it does not say."""

    name: str
    #: sequences decoded at once
    load: int | None
    throughput_tokens_per_s: float | None
    energy_per_output_token_j: float | None
    #: mean output tokens of one request
    output_length: float | None = None
    dataset: str | None = None
    max_output_tokens: int | None = None
    prefix_caching: bool | None = None
    #: run here or reproduced: T3 or T4
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What the site knows beside the result itself."""

    #: None when the result's own name is not in the catalogue
    hardware: HardwareFacts | None
    model: ModelFacts | None
    backend_known: bool
    now: datetime
    #: public id of the earlier result that holds the same measurement
    duplicate_of: str | None
    #: ranked results of other people, of the same configuration at the same load
    peers: Sequence[Neighbour] = ()
    #: the same configuration at other loads, of this upload and ranked ones of anybody
    curve: Sequence[Neighbour] = ()


CheckFunction = Callable[[ParsedResult, Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One entry of the catalogue. `run` is pure, and silent when an input is missing."""

    code: str
    title: str
    run: CheckFunction


def quantity(value: float, unit: str = "") -> str:
    """A number as people read it, four significant digits at most, with its unit."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def percent(share: float) -> str:
    """A share of 1 in percent."""
    return quantity(share * 100, "%")
