"""OUT1 to OUT3: a result beside others of its configuration. Statistics only: never a block.

Energy is compared as J per output token, whichever way round the file gives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from leaderboard.checks.findings import Context, Finding, Neighbour, Severity, percent, quantity
from leaderboard.checks.latency import sequences_in_flight
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import NormalResult, ParsedResult

#: a median absolute deviation times this is a standard deviation, for a normal distribution
MAD_TO_SD = 1.4826


class Figure(NamedTuple):
    """One figure that is compared: how it is called, its limits, and how to get it from either side."""

    field: str
    words: str
    unit: str
    is_better_lower: bool
    #: names of the limits of how far off the curve it may be
    curve_warn: str
    curve_review: str
    of_values: Callable[[NormalResult], float | None]
    of_neighbour: Callable[[Neighbour], float | None]


def energy_per_output_token_j(values: NormalResult) -> float | None:
    if values.energy_per_output_token_j is not None:
        return values.energy_per_output_token_j
    return 1 / values.tokens_per_joule if values.tokens_per_joule else None


FIGURES = (
    Figure(
        "energy_per_output_token_j",
        "Energy per output token",
        "J",
        True,
        "curve_energy_warn",
        "curve_energy_review",
        energy_per_output_token_j,
        lambda other: other.energy_per_output_token_j,
    ),
    Figure(
        "throughput_tokens_per_s",
        "Throughput",
        "tok/s",
        False,
        "curve_throughput_warn",
        "curve_throughput_review",
        lambda values: values.throughput_tokens_per_s,
        lambda other: other.throughput_tokens_per_s,
    ),
)


def check_peers(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """OUT1: energy and throughput are near those of at least 5 peers, by robust z of the logarithm."""
    for figure in FIGURES:
        value, others = figure.of_values(parsed.values), _known(figure, context.peers)
        if not value or len(others) < limit("peers_needed"):
            continue
        middle = median(others)
        z = robust_z(value, others)
        if is_above(z, "peer_z_warn"):
            review = is_above(z, "peer_z_review")
            yield Finding(
                "OUT1",
                Severity.REVIEW if review else Severity.WARN,
                observed=f"{quantity(value, figure.unit)}, z {quantity(z)}",
                limit=f"z at most {quantity(limit('peer_z_review' if review else 'peer_z_warn'))}",
                message=(
                    f"{figure.words} of {quantity(value, figure.unit)} is far from the {len(others)} peers of this "
                    f"configuration (median {quantity(middle, figure.unit)}); check units, GPU count and precision, "
                    "and say in the note what is different about this run."
                ),
                field=figure.field,
            )


def robust_z(value: float, others: Sequence[float]) -> float:
    """How far ln(value) is from the others' median, in standard deviations estimated from the median deviation."""
    logs = [math.log(other) for other in others]
    middle = median(logs)
    spread = MAD_TO_SD * median(abs(each - middle) for each in logs)
    return abs(math.log(value) - middle) / max(spread, limit("peer_spread_floor"))


def check_verified(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """OUT2: at most 10 % better than the best result of the same configuration that was run here or reproduced."""
    load = sequences_in_flight(parsed.values)
    verified = [peer for peer in context.peers if peer.is_verified and peer.load == load]
    for figure in FIGURES:
        value, others = figure.of_values(parsed.values), _known(figure, verified)
        if not value or not others:
            continue
        best = min(others) if figure.is_better_lower else max(others)
        gain = best / value - 1 if figure.is_better_lower else value / best - 1
        if is_above(gain, "better_than_verified_review"):
            yield Finding(
                "OUT2",
                Severity.REVIEW,
                observed=f"{quantity(value, figure.unit)}, {percent(gain)} better",
                limit=f"at most {percent(limit('better_than_verified_review'))} better",
                message=(
                    f"{figure.words} is {percent(gain)} better than the best verified result of this configuration "
                    f"({quantity(best, figure.unit)}); say in the note what makes the difference."
                ),
                field=figure.field,
            )


def check_curve(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """OUT3: on the line between the next smaller and the next larger load of the same configuration, log against log.

    Silent without a neighbour on both sides, and where the two are more than 5 x apart.
    """
    load = sequences_in_flight(parsed.values)
    for figure in FIGURES:
        value, ends = figure.of_values(parsed.values), load and curve_ends(figure, context.curve, load)
        if not value or not ends or not load:
            continue
        expected = interpolate(*ends, load)
        off = abs(value / expected - 1)
        if not is_above(off, figure.curve_warn):
            continue
        review = is_above(off, figure.curve_review)
        (low, _), (high, _) = ends
        yield Finding(
            "OUT3",
            Severity.REVIEW if review else Severity.WARN,
            observed=f"{quantity(value, figure.unit)}, {percent(off)} off",
            limit=f"at most {percent(limit(figure.curve_review if review else figure.curve_warn))} off",
            message=(
                f"{figure.words} at a load of {load} should be about {quantity(expected, figure.unit)} by the results "
                f"of the same configuration at {low} and {high}; check this point, its GPU count and its load."
            ),
            field=figure.field,
        )


Point = tuple[int, float]


def curve_ends(figure: Figure, curve: Sequence[Neighbour], load: int) -> tuple[Point, Point] | None:
    """The next point below and above a load, each the median of what is known there; None if too far apart."""
    at: dict[int, list[float]] = {}
    for other in curve:
        value = figure.of_neighbour(other)
        if other.load and value:
            at.setdefault(other.load, []).append(value)
    low = max((each for each in at if each < load), default=None)
    high = min((each for each in at if each > load), default=None)
    if low is None or high is None or is_above(high / low, "curve_gap"):
        return None
    return (low, median(at[low])), (high, median(at[high]))


def interpolate(low: Point, high: Point, load: int) -> float:
    """The value at a load between two points, on the straight line of the logarithms."""
    share = math.log(load / low[0]) / math.log(high[0] / low[0])
    return math.exp(math.log(low[1]) * (1 - share) + math.log(high[1]) * share)


def _known(figure: Figure, others: Sequence[Neighbour]) -> list[float]:
    return [value for other in others if (value := figure.of_neighbour(other))]
