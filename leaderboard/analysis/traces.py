"""Power and temperature of one GPU over time: its mean, its peaks, and fewer points that keep them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from leaderboard.analysis.thinning import thinned

#: fewer are not worth a chart
MIN_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class GpuTrace:
    """What one GPU said at moments `t_s`, in seconds since the first sample; None where it said nothing."""

    gpu: str
    t_s: Sequence[float]
    power_w: Sequence[float | None]
    temperature_c: Sequence[float | None]
    #: how many samples there were before any were left out
    samples: int
    #: by the trapezoid rule over all samples; None without power
    mean_w: float | None


def trace_of(
    gpu: str, t_s: Sequence[float], power_w: Sequence[float | None], temperature_c: Sequence[float | None]
) -> GpuTrace:
    return GpuTrace(gpu, t_s, power_w, temperature_c, len(t_s), mean_power_w(t_s, power_w))


def mean_power_w(t_s: Sequence[float], power_w: Sequence[float | None]) -> float | None:
    """Energy over time between neighbours that both have a figure; a gap adds neither."""
    spans = list(_spans(t_s, power_w))
    seconds = sum(span for span, _ in spans)
    return sum(span * watts for span, watts in spans) / seconds if seconds else None


def _spans(t_s: Sequence[float], power_w: Sequence[float | None]) -> Iterator[tuple[float, float]]:
    for (start, before), (end, after) in pairwise(zip(t_s, power_w, strict=True)):
        if before is not None and after is not None and end > start:
            yield end - start, (before + after) / 2


def thin(trace: GpuTrace, most: int) -> GpuTrace:
    """At most `most` samples: the least and the greatest power and temperature of every stretch stay."""
    if len(trace.t_s) <= most:
        return trace
    places = sorted({*thinned(trace.power_w, most // 2), *thinned(trace.temperature_c, most // 2)})
    return GpuTrace(
        gpu=trace.gpu,
        t_s=[trace.t_s[place] for place in places],
        power_w=[trace.power_w[place] for place in places],
        temperature_c=[trace.temperature_c[place] for place in places],
        samples=trace.samples,
        mean_w=trace.mean_w,
    )
