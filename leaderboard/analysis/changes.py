"""Where a figure changes from one version to the next, and not only by chance.

Two neighbours with repeats are compared by Welch's test. As a long history gives chance many opportunities, the
p-values are judged together by Holm's method: of histories in which nothing changes, at most 5 % get any mark.

A neighbour without repeats has no spread of its own. Its change, the logarithm of the ratio, is marked when it is more
than 3.5 times the noise: the spread of the steps of the same history as their median deviation gives it, at least
the 5 % that OUT1 takes for the spread of peers (checks.limits).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from leaderboard.analysis.welch import ALPHA, Repeats, Verdict, welch
from leaderboard.checks.limits import limit
from leaderboard.checks.peers import MAD_TO_SD


@dataclass(frozen=True, slots=True)
class Change:
    """The step to the figure at place `at` from the one before it; `ratio` is the later over the earlier."""

    at: int
    ratio: float
    #: of Welch's test; None where repeats are missing and the noise decided
    p: float | None


def change_points(history: Sequence[Repeats], alpha: float = ALPHA) -> list[Change]:
    """The changes along a history in its order. Figures that are not positive are never marked by the noise."""
    tested: list[Change] = []
    untested: list[Change] = []
    for at in range(1, len(history)):
        before, after = history[at - 1], history[at]
        ratio = after.mean / before.mean if before.mean else math.nan
        outcome = welch(before, after)
        step = Change(at, ratio, outcome.p)
        (untested if outcome.verdict is Verdict.TOO_FEW else tested).append(step)
    loud = [step for step in untested if step.ratio > 0 and abs(math.log(step.ratio)) > _threshold(history)]
    return sorted([*_holm(tested, alpha), *loud], key=lambda change: change.at)


def _holm(steps: Sequence[Change], alpha: float) -> list[Change]:
    """The steps that pass, the least p first against alpha / m, the next against alpha / (m - 1), until one fails."""
    kept: list[Change] = []
    for place, step in enumerate(sorted(steps, key=lambda step: step.p or 0.0)):
        if (step.p or 0.0) >= alpha / (len(steps) - place):
            break
        kept.append(step)
    return kept


def _threshold(history: Sequence[Repeats]) -> float:
    """The change of a logarithm that is more than noise."""
    means = [each.mean for each in history]
    steps = [math.log(after / before) for before, after in pairwise(means) if before > 0 < after]
    spread = 0.0
    if len(steps) >= limit("peers_needed"):
        middle = median(steps)
        spread = MAD_TO_SD * median(abs(step - middle) for step in steps)
    return limit("peer_z_warn") * max(spread, limit("peer_spread_floor"))
