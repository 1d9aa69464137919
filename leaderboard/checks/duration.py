"""DUR1, DUR2 and OK1: long enough, enough requests, and nearly all of them answered."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.limits import is_below, limit
from leaderboard.normal import ParsedResult

P99_FIELDS = ("ttft_ms_p99", "itl_ms_p99", "tpot_ms_p99", "e2e_ms_p99")


def check_window(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """DUR1: the measured window is at least 60 s, and at least 20 s to stand without review."""
    duration = parsed.values.duration_s
    if duration is None or not is_below(duration, "window_warn"):
        return
    review = is_below(duration, "window_review")
    yield Finding(
        "DUR1",
        Severity.REVIEW if review else Severity.WARN,
        observed=quantity(duration, "s"),
        limit=f"at least {quantity(limit('window_review' if review else 'window_warn'), 's')}",
        message=(
            f"The measured window of {quantity(duration, 's')} is short for a power sensor and for clocks to settle; "
            f"measure for {quantity(limit('window_warn'), 's')} or more."
        ),
        field="duration_s",
    )


def check_request_count(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """DUR2: at least max(100, 5 x concurrency) requests, and 1,000 where a p99 is shown."""
    values = parsed.values
    if values.requests is None:
        return
    least = max(limit("requests_warn"), limit("requests_per_slot_warn") * (values.concurrency or 1))
    if values.requests < least:
        yield Finding(
            "DUR2",
            Severity.WARN,
            observed=quantity(values.requests, "requests"),
            limit=f"at least {quantity(least, 'requests')}",
            message=f"{values.requests} requests are few for a steady mean; send {quantity(least)} or more.",
            field="requests",
        )
    tail = next((name for name in P99_FIELDS if getattr(values, name) is not None), None)
    if tail and values.requests < limit("requests_for_p99_warn"):
        yield Finding(
            "DUR2",
            Severity.WARN,
            observed=quantity(values.requests, "requests"),
            limit=f"at least {quantity(limit('requests_for_p99_warn'), 'requests')} for a p99",
            message=f"A p99 from {values.requests} requests rests on few samples; read p90, or send more requests.",
            field=tail,
        )


def check_success(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """OK1: at least 99 % of the requests succeeded, and 95 % to stand without review."""
    share = parsed.values.success_rate
    if share is None or not is_below(share, "success_warn"):
        return
    review = is_below(share, "success_review")
    yield Finding(
        "OK1",
        Severity.REVIEW if review else Severity.WARN,
        observed=percent(share),
        limit=f"at least {percent(limit('success_review' if review else 'success_warn'))}",
        message=f"Only {percent(share)} of the requests succeeded; find out why the others failed and repeat the run.",
        field="success_rate",
    )
