"""PCT1 and PCT2: percentiles rise, and their tail is believable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from leaderboard.checks.findings import Context, Finding, Severity, quantity
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import ParsedResult

FAMILIES = ("ttft", "itl", "tpot", "e2e")
PARTS = ("p50", "p90", "p95", "p99")


def check_order(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """PCT1: p50 <= p90 <= p95 <= p99 for every latency, exactly."""
    for family in FAMILIES:
        known = [
            (f"{family}_ms_{part}", value)
            for part in PARTS
            if (value := getattr(parsed.values, f"{family}_ms_{part}")) is not None
        ]
        for (lower_name, lower), (higher_name, higher) in pairwise(known):
            if higher < lower:
                yield Finding(
                    "PCT1",
                    Severity.BLOCK,
                    observed=f"{higher_name} {quantity(higher, 'ms')}",
                    limit=f"at least {lower_name}, {quantity(lower, 'ms')}",
                    message=(
                        f"{higher_name} ({quantity(higher, 'ms')}) is below {lower_name} ({quantity(lower, 'ms')}), "
                        "which no sample can give; check that the columns and their units are not mixed up."
                    ),
                    field=higher_name,
                )


def check_tail(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """PCT2: p90 of the inter-token latency is at most 10 times its median."""
    median, tail = parsed.values.itl_ms_p50, parsed.values.itl_ms_p90
    if not median or tail is None:
        return
    ratio = tail / median
    if is_above(ratio, "itl_p90_over_p50"):
        yield Finding(
            "PCT2",
            Severity.WARN,
            observed=quantity(ratio, "x"),
            limit=f"at most {quantity(limit('itl_p90_over_p50'), 'x')}",
            message=(
                f"The p90 inter-token latency ({quantity(tail, 'ms')}) is {quantity(ratio)} times the median "
                f"({quantity(median, 'ms')}); check for prefill stalls, chunked streaming or a busy machine."
            ),
            field="itl_ms_p90",
        )
