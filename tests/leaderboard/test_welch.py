"""Welch's test against scipy, and what it says at its edges."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import ttest_ind_from_stats

from leaderboard.analysis.welch import Repeats, Verdict, welch, welch_p


def random_side(chance: random.Random) -> Repeats:
    mean = 10 ** chance.uniform(-6, 6)
    return Repeats(chance.randint(2, 30), mean, mean * chance.uniform(1e-6, 2))


def test_agrees_with_scipy_on_random_pairs():
    chance = random.Random(4)
    for _ in range(300):
        first, second = random_side(chance), random_side(chance)
        found = welch(first, second)
        theirs = ttest_ind_from_stats(first.mean, first.sd, first.n, second.mean, second.sd, second.n, equal_var=False)
        assert found.t == pytest.approx(theirs.statistic, rel=1e-9)
        assert found.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-300)


def test_calls_few_pairs_of_one_distribution_different():
    chance = np.random.default_rng(8)
    calls = 0
    for _ in range(2000):
        first, second = (chance.normal(100, 3, size=4) for _ in range(2))
        sides = [Repeats(4, float(side.mean()), float(side.std(ddof=1))) for side in (first, second)]
        calls += welch(sides[0], sides[1]).verdict is Verdict.DIFFERENT
    assert 0.03 < calls / 2000 < 0.06


def test_the_sides_may_be_swapped():
    first, second = Repeats(3, 10, 0.2), Repeats(5, 10.4, 0.3)
    assert welch(first, second).p == pytest.approx(welch(second, first).p)


@pytest.mark.parametrize("few", [Repeats(1, 10), Repeats(1, 10, 0.0), Repeats(5, 10), Repeats(0, 10, 1)])
def test_one_repeat_or_an_unknown_spread_is_too_few(few):
    assert welch(few, Repeats(5, 20, 0.1)).verdict is Verdict.TOO_FEW
    assert welch(Repeats(5, 20, 0.1), few).verdict is Verdict.TOO_FEW


def test_two_repeats_of_each_are_enough():
    assert welch(Repeats(2, 10, 0.01), Repeats(2, 20, 0.01)).verdict is Verdict.DIFFERENT


def test_equal_repeats_without_any_spread_do_not_differ():
    assert welch(Repeats(3, 10, 0.0), Repeats(3, 10, 0.0)).verdict is Verdict.UNCLEAR


def test_unequal_repeats_without_any_spread_differ():
    assert welch(Repeats(3, 10, 0.0), Repeats(3, 11, 0.0)).p == 0


def test_the_p_value_alone_needs_enough_repeats():
    with pytest.raises(ValueError, match="too few"):
        welch_p(Repeats(1, 10), Repeats(3, 10, 1))
