"""Whether two means over repeats differ: Welch's t-test, which needs no equal spread on both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import stdtr

#: the share of equal pairs that the test calls different
ALPHA = 0.05
MIN_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Repeats:
    """One side of a comparison: mean and sample standard deviation over n independent repeats."""

    n: int
    mean: float
    #: None where it is not known, as with one repeat
    sd: float | None = None

    @property
    def is_enough(self) -> bool:
        return self.n >= MIN_REPEATS and self.sd is not None


class Verdict(StrEnum):
    """What can be said of two means; the value is how pages say it."""

    DIFFERENT = "different"
    UNCLEAR = "no clear difference"
    TOO_FEW = "too few repeats to tell"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome; `t`, `degrees` of freedom and two-sided `p` are None where there are too few repeats."""

    verdict: Verdict
    t: float | None = None
    degrees: float | None = None
    p: float | None = None


def welch(first: Repeats, second: Repeats, alpha: float = ALPHA) -> Comparison:
    """Compare two means. Repeats that are all alike on both sides leave nothing to test: equal means do not differ,
    others do.
    """
    if not (first.is_enough and second.is_enough):
        return Comparison(Verdict.TOO_FEW)
    t, degrees = _statistic(first, second)
    p = 0.0 if math.isinf(t) else 2 * float(stdtr(degrees, -abs(t)))
    return Comparison(Verdict.DIFFERENT if p < alpha else Verdict.UNCLEAR, t, degrees, p)


def welch_p(first: Repeats, second: Repeats) -> float:
    """The two-sided p-value. Raises ValueError where a side has too few repeats."""
    p = welch(first, second).p
    if p is None:
        raise ValueError(Verdict.TOO_FEW.value)
    return p


def _statistic(first: Repeats, second: Repeats) -> tuple[float, float]:
    """t and its degrees of freedom, by Welch and Satterthwaite."""
    of_first, of_second = (first.sd or 0.0) ** 2 / first.n, (second.sd or 0.0) ** 2 / second.n
    variance = of_first + of_second
    gap = first.mean - second.mean
    if variance == 0:
        return (0.0 if gap == 0 else math.copysign(math.inf, gap)), float(first.n + second.n - 2)
    # Shares of the variance, since the squares of tiny spreads would vanish.
    share_first, share_second = of_first / variance, of_second / variance
    return gap / math.sqrt(variance), 1 / (share_first**2 / (first.n - 1) + share_second**2 / (second.n - 1))
