"""Fewer points of a time series, none of its peaks lost."""

from __future__ import annotations

from collections.abc import Sequence


def thinned(values: Sequence[float | None], most: int) -> list[int]:
    """The places of at most `most` values that stand for all: the first, the last, and of every stretch its least and
    its greatest, in the order of time. A stretch without any value keeps its first place, so that a gap stays a gap.

    All of them where there are no more than `most`. Raises ValueError for fewer than four.
    """
    if most < 4:
        raise ValueError("four points at least: the first, the last, one least and one greatest")
    n = len(values)
    if n <= most:
        return list(range(n))
    stretches = (most - 2) // 2
    kept = {0, n - 1}
    for number in range(stretches):
        stretch = range(1 + (n - 2) * number // stretches, 1 + (n - 2) * (number + 1) // stretches)
        known = [(value, place) for place in stretch if (value := values[place]) is not None]
        kept |= {min(known)[1], max(known)[1]} if known else {stretch[0]}
    return sorted(kept)
