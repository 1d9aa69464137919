"""DUP1, DUP2, CLK1 and STA1: measured once and really, at a possible time, and repeatable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from leaderboard.checks.findings import Context, Finding, Severity, percent
from leaderboard.checks.limits import is_above, limit
from leaderboard.checks.peers import energy_per_output_token_j
from leaderboard.normal import NormalResult, Origin, ParsedResult
from leaderboard.statistics import MIN_REPEATS_FOR_INTERVAL, summarise


def check_duplicate(_parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """DUP1: the same measurement was not uploaded before."""
    if context.duplicate_of is not None:
        yield Finding(
            "DUP1",
            Severity.BLOCK,
            observed=f"same measurement as {context.duplicate_of}",
            limit="uploaded once",
            message=f"This measurement is already here as {context.duplicate_of}; a repeat needs a run of its own.",
            field=None,
        )


#: what no two measurements share to the last digit
NOISY = ("duration_s", "total_energy_j", "avg_power_w", "throughput_tokens_per_s", "tokens_per_joule")
#: a duration may be set beforehand and token counts follow from the requests, so neither says anything if round
_UNROUNDED = (
    "throughput_tokens_per_s",
    "total_throughput_tokens_per_s",
    "requests_per_s",
    "total_energy_j",
    "energy_per_output_token_j",
    "energy_per_total_token_j",
    "tokens_per_joule",
    "total_tokens_per_joule",
    "avg_power_w",
    *(
        f"{family}_ms_{part}"
        for family in ("ttft", "itl", "tpot", "e2e")
        for part in ("mean", "p50", "p90", "p95", "p99")
    ),
)


def check_noise(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """DUP2: figures have the noise of a measurement: repeats differ, digits are not all round, no other has the same.

    One finding at most: the first of these that is so.
    """
    for problem in (_equal_repeats(parsed), _same_as_other(parsed.values, context), _round_figures(parsed)):
        if problem:
            observed, allowed, message = problem
            yield Finding("DUP2", Severity.REVIEW, observed=observed, limit=allowed, message=message, field=None)
            return


def _equal_repeats(parsed: ParsedResult) -> tuple[str, str, str] | None:
    figures = [tuple(getattr(cycle, name) for name in NOISY) for cycle in parsed.cycles]
    known = [each for each in figures if sum(value is not None for value in each) > 1]
    equal = max(len(known) - len(set(known)), _nearly_equal(parsed.cycles))
    still = [name for name, stated in parsed.stated_statistics.items() if name in NOISY and stated.get("sd") == 0]
    if equal:
        message = "Repeats of a measurement never agree so closely; give each repeat the figures of its own run."
        return f"{equal + 1} equal repeats", "repeats that differ", message
    if still and not parsed.cycles and (parsed.values.runs or 0) >= MIN_REPEATS_FOR_INTERVAL:
        message = f"{still[0]} has no spread over {parsed.values.runs} repeats; give the figures of each repeat."
        return "a standard deviation of 0", "repeats that differ", message
    return None


def _nearly_equal(cycles: Sequence[NormalResult]) -> int:
    """Repeats whose energy and throughput are those of the one before, to the digits of a copy."""
    figures = [(cycle.total_energy_j, cycle.throughput_tokens_per_s) for cycle in cycles]
    known = sorted((energy, rate) for energy, rate in figures if energy and rate)
    return sum(
        all(not is_above(abs(one / two - 1), "same_figures") for one, two in zip(earlier, later, strict=True))
        for earlier, later in pairwise(known)
    )


def _same_as_other(values: NormalResult, context: Context) -> tuple[str, str, str] | None:
    """Throughput and energy of a peer, digit by digit: a copy under another name or date."""
    mine = (values.throughput_tokens_per_s, energy_per_output_token_j(values))
    for other in context.peers:
        pairs = zip(mine, (other.throughput_tokens_per_s, other.energy_per_output_token_j), strict=True)
        if all(one and two and not is_above(abs(one / two - 1), "same_figures") for one, two in pairs):
            message = f"Throughput and energy are those of result {other.name}; a repeat needs a run of its own."
            return f"the figures of {other.name}", "figures of its own", message
    return None


def _round_figures(parsed: ParsedResult) -> tuple[str, str, str] | None:
    given = [
        value
        for name in _UNROUNDED
        if (value := getattr(parsed.values, name)) and parsed.origins.get(name) == Origin.FILE
    ]
    if len(given) < limit("round_figures") or any(not _is_round(value) for value in given):
        return None
    digits = int(limit("round_digits"))
    message = "No measurement gives round figures only; upload the tool's own file, with all of its digits."
    return f"{len(given)} figures of {digits} digits or fewer", f"more than {digits} digits in one of them", message


def _is_round(value: float) -> bool:
    return value == float(f"{value:.{int(limit('round_digits')) - 1}e}")


def check_clock(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """CLK1: the run ended after it started, and neither lies in the future."""
    started, ended = parsed.values.started_at, parsed.values.ended_at
    for name, moment in (("started_at", started), ("ended_at", ended)):
        if moment is not None and _is_ahead(moment, context.now, zone_is_known=name not in parsed.notes):
            yield Finding(
                "CLK1",
                Severity.WARN,
                observed=moment.isoformat(),
                limit=f"not after {context.now.isoformat(timespec='seconds')}",
                message=f"{name} is {moment.isoformat()}, which is still to come; set the clock of the machine.",
                field=name,
            )
            return
    if started is not None and ended is not None and _same_kind(started, ended) and ended < started:
        yield Finding(
            "CLK1",
            Severity.WARN,
            observed=f"end {ended.isoformat()}",
            limit=f"not before {started.isoformat()}",
            message=f"The run ends ({ended.isoformat()}) before it starts ({started.isoformat()}); check both times.",
            field="ended_at",
        )


def _same_kind(one: datetime, other: datetime) -> bool:
    """Both with a zone or both without: Python refuses to compare the mixture."""
    return (one.utcoffset() is None) == (other.utcoffset() is None)


def _is_ahead(moment: datetime, now: datetime, *, zone_is_known: bool) -> bool:
    """An importer that had to take a local time as UTC says so in a note, and local time may be ahead of UTC."""
    if moment.utcoffset() is None:
        moment, zone_is_known = moment.replace(tzinfo=UTC), False
    return is_above((moment - now).total_seconds(), "clock_ahead_warn" if zone_is_known else "zone_ahead_warn")


def check_stability(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """STA1: over 3 or more repeats, half the 95 % interval is at most 10 % of the mean."""
    for name in ("tokens_per_joule", "throughput_tokens_per_s"):
        width = _relative_half_width(parsed, name)
        if width is not None and is_above(width, "interval_warn"):
            yield Finding(
                "STA1",
                Severity.WARN,
                observed=f"± {percent(width)}",
                limit=f"at most ± {percent(limit('interval_warn'))}",
                message=(
                    f"The 95 % interval of {name} over the repeats is ± {percent(width)} of the mean; "
                    "repeat more often, on an idle machine, after a warm-up."
                ),
                field=name,
            )


def _relative_half_width(parsed: ParsedResult, name: str) -> float | None:
    """From the repeats themselves where they are there, else from the statistics that the file states."""
    repeats = [value for cycle in parsed.cycles if (value := getattr(cycle, name)) is not None]
    if repeats:
        return summarise(repeats).relative_half_width
    stated = parsed.stated_statistics.get(name, {})
    mean, high, low = stated.get("mean"), stated.get("ci95_high"), stated.get("ci95_low")
    if not mean or high is None or low is None or (parsed.values.runs or 0) < MIN_REPEATS_FOR_INTERVAL:
        return None
    return abs(high - low) / 2 / abs(mean)
