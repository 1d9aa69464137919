"""LAT1 to LAT4: latencies agree with each other, with the load and with the throughput."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.limits import is_above, is_below, limit
from leaderboard.normal import NormalResult, ParsedResult


def is_chunked(values: NormalResult) -> bool:
    """True if several tokens arrive in one chunk, so that the median gap says nothing about one token."""
    median, mean = values.itl_ms_p50, values.tpot_ms_mean
    return median is not None and bool(mean) and is_below(median / (mean or 1), "chunked_itl")


def sequences_in_flight(values: NormalResult) -> int | None:
    """The most sequences decoded at once: the smaller of batch size and concurrency, as far as known."""
    known = [count for count in (values.batch_size, values.concurrency) if count is not None]
    return min(known, default=None)


def check_end_to_end(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """LAT1: TTFT + (output length - 1) x TPOT = end-to-end latency, by means if known, else by medians."""
    values = parsed.values
    length = output_length(values)
    if length is None or length < 2:
        return  # without two tokens there is no gap between tokens
    for part in ("mean", "p50"):
        ttft, tpot, e2e = (getattr(values, f"{family}_ms_{part}") for family in ("ttft", "tpot", "e2e"))
        if ttft is None or tpot is None or not e2e:
            continue
        ratio = (ttft + (length - 1) * tpot) / e2e
        severity, allowed = _judge_end_to_end(ratio, part)
        if severity:
            yield Finding(
                "LAT1",
                severity,
                observed=f"ratio {quantity(ratio)}",
                limit=allowed,
                message=(
                    f"TTFT {quantity(ttft, 'ms')} + {quantity(length - 1)} x TPOT {quantity(tpot, 'ms')} is "
                    f"{quantity(ratio)} times the end-to-end latency of {quantity(e2e, 'ms')} ({part}); "
                    "check the units (s or ms) and that all three are of the same requests."
                ),
                field=f"e2e_ms_{part}",
            )
        return


def output_length(values: NormalResult) -> float | None:
    """Mean output tokens of an answered request."""
    if values.output_tokens is None or values.requests is None:
        return None
    answered = values.requests * (1.0 if values.success_rate is None else values.success_rate)
    return values.output_tokens / answered if answered else None


def _judge_end_to_end(ratio: float, part: str) -> tuple[Severity | None, str]:
    if is_below(ratio, "e2e_low_review") or is_above(ratio, "e2e_high_review"):
        return Severity.REVIEW, f"ratio {limit('e2e_low_review')} to {limit('e2e_high_review')}"
    if part == "mean":
        is_off = is_above(abs(ratio - 1), "e2e_mean_off_warn")
        allowed = f"ratio 1 within {percent(limit('e2e_mean_off_warn'))}"
    else:
        is_off = is_below(ratio, "e2e_median_low_warn") or is_above(ratio, "e2e_median_high_warn")
        allowed = f"ratio {limit('e2e_median_low_warn')} to {limit('e2e_median_high_warn')}"
    return (Severity.WARN if is_off else None), allowed


def check_little(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """LAT2: Little's law, requests/s x mean end-to-end latency = requests in flight, at most the concurrency."""
    values = parsed.values
    if values.requests_per_s is None or values.e2e_ms_mean is None or values.concurrency is None:
        return
    in_flight = values.requests_per_s * values.e2e_ms_mean / 1000
    ratio = in_flight / values.concurrency
    told = f"{quantity(in_flight)} requests were in flight on average at a stated concurrency of {values.concurrency}; "
    if is_above(ratio, "little_high_review"):
        yield Finding(
            "LAT2",
            Severity.REVIEW,
            observed=f"ratio {quantity(ratio)}",
            limit=f"at most {quantity(limit('little_high_review'))}",
            message=told + "check the concurrency, and that latency and request rate are of the same run.",
            field="concurrency",
        )
    elif is_below(ratio, "little_low_warn"):
        yield Finding(
            "LAT2",
            Severity.WARN,
            observed=f"ratio {quantity(ratio)}",
            limit=f"at least {quantity(limit('little_low_warn'))}",
            message=told + "the server was not saturated, so compare with other rows at the real load.",
            field="concurrency",
        )


def check_decode_rate(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """LAT3: throughput x median inter-token latency is at most 1.5 times the sequences decoded at once."""
    values, slots = parsed.values, sequences_in_flight(parsed.values)
    if values.throughput_tokens_per_s is None or values.itl_ms_p50 is None or slots is None:
        return
    ratio = values.throughput_tokens_per_s * values.itl_ms_p50 / 1000 / slots
    if is_above(ratio, "decode_rate_review"):
        yield Finding(
            "LAT3",
            Severity.REVIEW,
            observed=f"ratio {quantity(ratio)}",
            limit=f"at most {quantity(limit('decode_rate_review'))}",
            message=(
                f"{quantity(values.throughput_tokens_per_s, 'tok/s')} at a median gap of "
                f"{quantity(values.itl_ms_p50, 'ms')} needs {quantity(ratio * slots)} sequences at once, but "
                f"{slots} are stated; check batch size or concurrency, and that throughput counts output tokens only."
            ),
            field="throughput_tokens_per_s",
        )


def check_chunks(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """LAT4: a median gap far below the mean time per token means that tokens arrive in chunks."""
    values = parsed.values
    if values.itl_ms_p50 is None or not values.tpot_ms_mean or not is_chunked(values):
        return
    yield Finding(
        "LAT4",
        Severity.WARN,
        observed=percent(values.itl_ms_p50 / values.tpot_ms_mean),
        limit=f"at least {percent(limit('chunked_itl'))} of the mean TPOT",
        message=(
            f"The median gap ({quantity(values.itl_ms_p50, 'ms')}) is far below the mean time per token "
            f"({quantity(values.tpot_ms_mean, 'ms')}): tokens came in chunks, so read TPOT and not ITL."
        ),
        field="itl_ms_p50",
    )
