"""REP1: a rerun of the same configuration comes out as the first run did. It decides T4, and has no finding.

Both results are needed, so it is no part of the catalogue that runs over each one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from leaderboard.checks.findings import percent, quantity
from leaderboard.checks.limits import is_above, limit
from leaderboard.checks.peers import energy_per_output_token_j
from leaderboard.normal import NormalResult

ENERGY, THROUGHPUT = "energy_per_output_token_j", "throughput_tokens_per_s"
#: without both of them nothing is reproduced
NEEDED = frozenset({ENERGY, THROUGHPUT})
#: field -> (words, unit, name of its limit)
LATENCIES = {
    "ttft_ms_p50": ("TTFT p50", "ms", "rerun_latency_p50"),
    "itl_ms_p50": ("ITL p50", "ms", "rerun_latency_p50"),
    "ttft_ms_p99": ("TTFT p99", "ms", "rerun_latency_p99"),
    "itl_ms_p99": ("ITL p99", "ms", "rerun_latency_p99"),
}


class Comparison(StrEnum):
    """What came of a rerun."""

    REPRODUCED = "reproduced"
    #: within tolerance, but the level of the result does not rise by it
    AGREES = "agrees"
    DIFFERS = "differs"
    #: not comparable, or not enough to compare
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of the first run and of the rerun, and how far apart they may be."""

    field: str
    words: str
    unit: str
    first: float
    again: float
    limit_name: str

    @property
    def off(self) -> float:
        return abs(self.again / self.first - 1)

    @property
    def is_within(self) -> bool:
        return not is_above(self.off, self.limit_name)

    def __str__(self) -> str:
        figures = f"{quantity(self.first, self.unit)} first, {quantity(self.again, self.unit)} again"
        return f"{self.words}: {figures}, {percent(self.off)} apart (limit {percent(limit(self.limit_name))})"


def compare(first: NormalResult, again: NormalResult) -> list[Compared]:
    """REP1: throughput, energy per output token and latencies of both, as far as both have them."""
    # With requests at a given rate the load is not the engine's to choose.
    is_open = first.request_rate_per_s is not None
    throughput_limit = "rerun_throughput_open" if is_open else "rerun_throughput_closed"
    rows = [
        (THROUGHPUT, "Throughput", "tok/s", throughput_limit),
        (ENERGY, "Energy per output token", "J", "rerun_energy"),
        *((field, *described) for field, described in LATENCIES.items()),
    ]
    found = []
    for field, words, unit, limit_name in rows:
        one, other = _value(first, field), _value(again, field)
        if one and other:
            found.append(Compared(field, words, unit, one, other, limit_name))
    return found


def is_enough(compared: Sequence[Compared]) -> bool:
    """Could the figures that matter be compared?"""
    return {one.field for one in compared} >= NEEDED


def _value(values: NormalResult, field: str) -> float | None:
    if field == ENERGY:
        return energy_per_output_token_j(values)
    value: float | None = getattr(values, field)
    return value
