"""Which latency stands in for one that nobody states: another statistic of the same, or its sister."""

from __future__ import annotations

from collections.abc import Iterator

#: those of the same part of the distribution first, from the one most like it
_ALIKE = {
    "mean": ("p50",),
    "p50": ("mean",),
    "p90": ("p95", "p99"),
    "p95": ("p90", "p99"),
    "p99": ("p95", "p90"),
}
_UNLIKE = {
    "mean": ("p90", "p95", "p99"),
    "p50": ("p90", "p95", "p99"),
    "p90": ("p50", "mean"),
    "p95": ("p50", "mean"),
    "p99": ("p50", "mean"),
}
#: both are the time between two tokens: over all gaps, and over the means of requests
_SISTERS = {"itl_ms": "tpot_ms", "tpot_ms": "itl_ms"}


def nearest(latency: str) -> Iterator[str]:
    """Other latencies from the nearest on: for itl_ms_p50 its mean, then tpot_ms_p50, and so on; never another kind."""
    quantity, _, statistic = latency.rpartition("_")
    if statistic not in _ALIKE:
        return
    yield from (f"{quantity}_{other}" for other in _ALIKE[statistic])
    if quantity in _SISTERS:
        yield from (f"{_SISTERS[quantity]}_{other}" for other in (statistic, *_ALIKE[statistic]))
    yield from (f"{quantity}_{other}" for other in _UNLIKE[statistic])
    if quantity in _SISTERS:
        yield from (f"{_SISTERS[quantity]}_{other}" for other in _UNLIKE[statistic])
