"""IDN1 to IDN4: figures of one measurement that must agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import NormalResult, Origin, ParsedResult


class Sides(NamedTuple):
    """Both sides of an identity in one unit, and how far a derived whole count may be from the exact one."""

    left: float
    right: float
    slack: float = 0.0

    @property
    def off(self) -> float:
        return max(0.0, abs(self.left - self.right) - self.slack) / self.right


Reading = Callable[[NormalResult], Sides | None]


def check_throughput(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """IDN1: throughput x duration = output tokens."""
    slack = _rounding(parsed, "output_tokens")

    def read(values: NormalResult) -> Sides | None:
        if values.throughput_tokens_per_s is None or values.duration_s is None or not values.output_tokens:
            return None
        return Sides(values.throughput_tokens_per_s * values.duration_s, values.output_tokens, slack)

    found = _compare(parsed, ("throughput_tokens_per_s", "duration_s", "output_tokens"), read)
    if found and is_above(found.off, "throughput_off_block"):
        yield Finding(
            "IDN1",
            Severity.BLOCK,
            observed=f"{percent(found.off)} apart",
            limit=f"at most {percent(limit('throughput_off_block'))} apart",
            message=(
                f"Throughput x duration gives {quantity(found.left, 'output tokens')} but the file says "
                f"{quantity(found.right)}; check whether throughput counts input tokens too, or one process of several."
            ),
            field="throughput_tokens_per_s",
        )


def check_power(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """IDN2: mean power x duration = energy, in the same scope."""

    def read(values: NormalResult) -> Sides | None:
        if values.avg_power_w is None or values.duration_s is None or values.total_energy_j is None:
            return None
        return Sides(values.avg_power_w * values.duration_s, values.total_energy_j)

    found = _compare(parsed, ("avg_power_w", "duration_s", "total_energy_j"), read)
    if found and is_above(found.off, "power_off_warn"):
        block = is_above(found.off, "power_off_block")
        yield Finding(
            "IDN2",
            Severity.BLOCK if block else Severity.WARN,
            observed=f"{percent(found.off)} apart",
            limit=f"at most {percent(limit('power_off_block' if block else 'power_off_warn'))} apart",
            message=(
                f"Mean power x duration gives {quantity(found.left, 'J')} but the file says "
                f"{quantity(found.right, 'J')}; check for Wh read as J, power of one GPU instead of all, or a meter "
                "that ran longer than the window."
            ),
            field="total_energy_j",
        )


#: field -> (whether it counts input tokens too, whether it is joules per token and not tokens per joule)
PER_TOKEN = {
    "energy_per_output_token_j": (False, True),
    "energy_per_total_token_j": (True, True),
    "tokens_per_joule": (False, False),
    "total_tokens_per_joule": (True, False),
}


def check_energy_per_token(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """IDN3: energy = J per token x tokens with the stated denominator; if only the other one fits, say so."""
    for name, (counts_input, is_joules) in PER_TOKEN.items():
        fields = (name, "total_energy_j", "output_tokens", *(("input_tokens",) if counts_input else ()))
        slack = _rounding(parsed, "output_tokens")
        found = _compare(parsed, fields, _energy_reading(name, counts_input, is_joules, slack))
        if found and is_above(found.off, "energy_off_block"):
            other = _compare(parsed, fields, _energy_reading(name, not counts_input, is_joules, slack))
            yield _denominator_finding(name, found, other, counts_input)


def _energy_reading(name: str, counts_input: bool, is_joules: bool, slack_tokens: float) -> Reading:
    def read(values: NormalResult) -> Sides | None:
        figure, tokens = getattr(values, name), _tokens(values, counts_input)
        if figure is None or values.total_energy_j is None or not tokens:
            return None
        joules_per_token = figure if is_joules else 1 / figure
        return Sides(joules_per_token * tokens, values.total_energy_j, joules_per_token * slack_tokens)

    return read


def _tokens(values: NormalResult, counts_input: bool) -> int | None:
    if not counts_input or values.output_tokens is None:
        return values.output_tokens
    return None if values.input_tokens is None else values.output_tokens + values.input_tokens


def _denominator_finding(name: str, found: Sides, other: Sides | None, counts_input: bool) -> Finding:
    stated, alternative = ("total", "output") if counts_input else ("output", "total")
    if other and not is_above(other.off, "energy_off_block"):
        advice = f"with {alternative} tokens it fits: did you mean {alternative} tokens?"
    else:
        advice = "check the unit (Wh, kWh or J) and what the tokens count."
    return Finding(
        "IDN3",
        Severity.BLOCK,
        observed=f"{percent(found.off)} apart",
        limit=f"at most {percent(limit('energy_off_block'))} apart",
        message=(
            f"{name} over {stated} tokens gives {quantity(found.left, 'J')} "
            f"but the file says {quantity(found.right, 'J')}; {advice}"
        ),
        field=name,
    )


def check_power_per_token(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """IDN4: mean power / throughput = J per output token, if both are taken over the same window."""

    def read(values: NormalResult) -> Sides | None:
        power, joules = values.avg_power_w, values.energy_per_output_token_j
        if power is None or joules is None or not values.throughput_tokens_per_s:
            return None
        return Sides(power / values.throughput_tokens_per_s, joules)

    found = _compare(parsed, ("avg_power_w", "throughput_tokens_per_s", "energy_per_output_token_j"), read)
    if found and is_above(found.off, "joules_off_warn"):
        block = is_above(found.off, "joules_off_block")
        yield Finding(
            "IDN4",
            Severity.BLOCK if block else Severity.WARN,
            observed=f"{percent(found.off)} apart",
            limit=f"at most {percent(limit('joules_off_block' if block else 'joules_off_warn'))} apart",
            message=(
                f"Mean power / throughput gives {quantity(found.left, 'J')} per output token but the file says "
                f"{quantity(found.right, 'J')}; check that all three are for all GPUs, output tokens and one window."
            ),
            field="energy_per_output_token_j",
        )


def _compare(parsed: ParsedResult, fields: tuple[str, ...], read: Reading) -> Sides | None:
    """The two sides to judge; None when an input is missing or when the importer made them agree.

    One computed figure is harmless: either it came from the others (and agrees with them) or it is independent.
    With two of them nothing independent is left to compare. A mean of ratios is not the ratio of means, so
    where each repeat agrees with itself the mean over repeats is not held to it.
    """
    if sum(parsed.origins.get(name) is Origin.COMPUTED for name in fields) > 1:
        return None
    mean = read(parsed.values)
    cycles = [read(cycle) for cycle in parsed.cycles]
    known = [sides for sides in cycles if sides is not None]
    if mean is None or not known or len(known) < len(cycles):
        return mean
    return min(mean, max(known, key=lambda sides: sides.off), key=lambda sides: sides.off)


def _rounding(parsed: ParsedResult, name: str) -> float:
    """A count that was derived and rounded may be half a token off, which matters below a hundred tokens."""
    return 0.5 if parsed.origins.get(name) is Origin.COMPUTED else 0.0
