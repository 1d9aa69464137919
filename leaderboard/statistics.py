"""Mean, spread and interval over independent repeats, never over the requests of one run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

#: two repeats give a t-interval of +-12.7 standard errors, which says nothing (docs/checks.md, STA1)
MIN_REPEATS_FOR_INTERVAL = 3
UPPER_TAIL = 0.975


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one metric over repeats, in the metric's own unit; `cv` is a share of the mean."""

    n: int
    mean: float
    sd: float | None
    ci95_low: float | None
    ci95_high: float | None
    cv: float | None

    @property
    def relative_half_width(self) -> float | None:
        """Half the 95 % interval as a share of the mean; None without an interval or around zero."""
        if self.ci95_high is None or self.mean == 0:
            return None
        return (self.ci95_high - self.mean) / abs(self.mean)


def summarise(values: Sequence[float]) -> Summary:
    """Summarise repeats: mean, sample sd (n - 1), Student t 95 % interval from 3 repeats on, and CV.

    Raises ValueError when there is nothing to summarise. The interval is mean +- t(0.975, n - 1) x sd / sqrt(n).
    """
    n = len(values)
    if n == 0:
        raise ValueError("No values to summarise.")
    mean = math.fsum(values) / n
    if n == 1:
        return Summary(n=1, mean=mean, sd=None, ci95_low=None, ci95_high=None, cv=None)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(stdtrit(n - 1, UPPER_TAIL)) * sd / math.sqrt(n) if n >= MIN_REPEATS_FOR_INTERVAL else None
    return Summary(
        n=n,
        mean=mean,
        sd=sd,
        ci95_low=None if half is None else mean - half,
        ci95_high=None if half is None else mean + half,
        cv=None if mean == 0 else sd / abs(mean),
    )
