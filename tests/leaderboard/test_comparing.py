"""What can be said of results side by side."""

import random

import pytest
from scipy import stats

from leaderboard.analysis.comparing import (
    Agreement,
    Figure,
    Verdict,
    agreement,
    best_first,
    differences,
    length_agreement,
    significance,
    split_by_difference,
)
from leaderboard.analysis.welch import Repeats


def figure(value, *, n=5, sd=0.01, scope="gpu"):
    return Figure(value, Repeats(n, value, sd), scope)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "a"], Agreement.SAME),
        (["a", "b"], Agreement.DIFFERENT),
        (["a", ""], Agreement.UNKNOWN),
        (["a", "b", None], Agreement.DIFFERENT),
        ([None, None], Agreement.UNKNOWN),
    ],
)
def test_values_agree_only_where_all_state_them(values, expected):
    assert agreement(values) == expected


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([100.0, 91.0], Agreement.SAME),
        ([100.0, 89.0], Agreement.DIFFERENT),
        ([100.0, None], Agreement.UNKNOWN),
        ([None, None], Agreement.UNKNOWN),
    ],
)
def test_lengths_within_a_tenth_are_the_same_workload(lengths, expected):
    assert length_agreement(lengths) == expected


def test_settings_are_split_into_those_that_differ_and_those_that_do_not():
    rows = {"precision": ["bf16", "fp8"], "backend": ["vLLM", "vLLM"], "dataset": ["", ""], "batch": ["8", ""]}

    assert split_by_difference(rows) == (["precision", "batch"], ["backend"])


def test_the_best_comes_first_whichever_way_is_better():
    figures = [figure(2.0), None, figure(3.0), figure(1.0)]

    assert best_first(figures, True) == [2, 0, 3]
    assert best_first(figures, False) == [3, 0, 2]


def test_the_best_is_set_against_each_other_one():
    found = differences([figure(2.0), figure(4.0), figure(1.0)], True)

    assert [(one.best, one.other, one.factor) for one in found] == [(1, 0, 2.0), (1, 2, 4.0)]


def test_where_less_is_better_the_factor_is_above_one_all_the_same():
    (found,) = differences([figure(20.0), figure(10.0)], False)

    assert (found.best, found.factor) == (1, 2.0)


def test_energy_of_different_scopes_is_not_compared():
    found = differences([figure(2.0), figure(3.0), figure(9.0, scope="wall")], True)

    assert [(one.best, one.other, one.verdict) for one in found] == [
        (1, 0, Verdict.CLEAR),
        (1, 2, Verdict.NOT_COMPARABLE),
    ]


def test_energy_without_a_stated_scope_is_compared_with_nothing():
    found = differences([figure(2.0, scope=""), figure(3.0, scope="")], True)

    assert [one.verdict for one in found] == [Verdict.NOT_COMPARABLE]


def test_figures_without_energy_need_no_scope():
    (found,) = differences([figure(2.0, scope=None), figure(3.0, scope=None)], True)

    assert found.verdict == Verdict.CLEAR


def test_a_single_measurement_is_too_few_to_tell():
    assert significance(Repeats(1, 2.0, None), Repeats(5, 3.0, 0.1)) == (Verdict.TOO_FEW, None)
    assert significance(None, Repeats(5, 3.0, 0.1)) == (Verdict.TOO_FEW, None)


def test_a_zero_leaves_no_factor():
    (found,) = differences([figure(2.0), figure(0.0)], True)

    assert found.factor is None


def test_the_verdict_is_that_of_scipy_on_random_repeats():
    chance = random.Random(6)
    for _ in range(200):
        first = [chance.gauss(10, 1) for _ in range(chance.randint(3, 8))]
        second = [chance.gauss(10 + chance.choice([0, 1, 2]), 2) for _ in range(chance.randint(3, 8))]
        expected = stats.ttest_ind(first, second, equal_var=False).pvalue

        verdict, p = significance(*(Repeats(len(one), sum(one) / len(one), stats.tstd(one)) for one in (first, second)))

        assert p == pytest.approx(expected, rel=1e-9)
        assert verdict == (Verdict.CLEAR if expected < 0.05 else Verdict.NOT_CLEAR)
