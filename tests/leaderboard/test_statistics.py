import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leaderboard.statistics import summarise


def test_five_repeats_have_a_students_t_interval():
    summary = summarise([10.0, 11.0, 12.0, 13.0, 14.0])

    low, high = stats.t.interval(0.95, 4, loc=12.0, scale=stats.sem([10.0, 11.0, 12.0, 13.0, 14.0]))
    assert (summary.n, summary.mean) == (5, 12.0)
    assert summary.sd == pytest.approx(1.5811388)
    assert summary.ci95_low == pytest.approx(low)
    assert summary.ci95_high == pytest.approx(high)
    assert summary.cv == pytest.approx(1.5811388 / 12)
    assert summary.relative_half_width == pytest.approx((high - 12) / 12)


def test_two_repeats_have_a_spread_but_no_interval():
    summary = summarise([1.0, 3.0])

    assert summary.sd == pytest.approx(2**0.5)
    assert (summary.ci95_low, summary.ci95_high, summary.relative_half_width) == (None, None, None)


def test_one_measurement_has_no_spread():
    summary = summarise([7.0])

    assert (summary.mean, summary.sd, summary.ci95_low, summary.cv) == (7.0, None, None, None)


def test_a_mean_of_zero_has_no_relative_spread():
    summary = summarise([-1.0, 0.0, 1.0])

    assert (summary.cv, summary.relative_half_width) == (None, None)


def test_nothing_cannot_be_summarised():
    with pytest.raises(ValueError, match="No values"):
        summarise([])


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=30))
def test_the_interval_holds_the_mean_and_the_mean_lies_between_the_extremes(values):
    summary = summarise(values)

    assert summary.ci95_low is not None
    assert summary.ci95_high is not None
    assert summary.ci95_low <= summary.mean <= summary.ci95_high
    assert min(values) * (1 - 1e-12) <= summary.mean <= max(values) * (1 + 1e-12)
