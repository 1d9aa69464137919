"""The Pareto frontier: the points that nothing beats in one figure without being beaten in the other."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto(values: Sequence[tuple[float, float]], higher_x: bool, higher_y: bool) -> list[int]:
    """The indices of the undominated among `values`, by rising x.

    A point dominates another when it is at least as good in both figures and better in one. So equal points do not
    dominate each other: all of them are on the frontier, in the order given. Of points with the same x only those
    with the best y are. Values are finite.
    """
    sign_x, sign_y = -1 if higher_x else 1, -1 if higher_y else 1
    best_first = sorted(range(len(values)), key=lambda i: (sign_x * values[i][0], sign_y * values[i][1], i))
    found: list[int] = []
    best_y, its_x = math.inf, math.nan
    for i in best_first:
        x, y = values[i][0], sign_y * values[i][1]
        if y < best_y:
            best_y, its_x = y, x
        elif y != best_y or x != its_x:
            continue
        found.append(i)
    return sorted(found, key=lambda i: (values[i][0], i))
