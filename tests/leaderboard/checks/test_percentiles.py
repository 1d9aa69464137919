import pytest

from tests.leaderboard.checks.builders import findings, result, severities


def test_equal_percentiles_pass():
    assert findings("PCT1", result(itl_ms_p50=9.0, itl_ms_p90=9.0, itl_ms_p99=9.0)) == []


@pytest.mark.parametrize("family", ["ttft", "itl", "tpot", "e2e"])
def test_a_percentile_below_the_one_before_is_blocked(family):
    (found,) = findings("PCT1", result(**{f"{family}_ms_p50": 9.0, f"{family}_ms_p90": 10.0, f"{family}_ms_p99": 9.99}))

    assert found.severity.value == "B"
    assert found.field == f"{family}_ms_p99"


def test_percentiles_are_compared_across_a_missing_one():
    assert severities("PCT1", result(ttft_ms_p50=20.0, ttft_ms_p99=19.0)) == ["B"]


def test_a_single_percentile_says_nothing():
    assert findings("PCT1", result(ttft_ms_p50=20.0, ttft_ms_p99=None)) == []


def test_a_tail_of_ten_times_the_median_passes():
    assert findings("PCT2", result(itl_ms_p50=1.0, itl_ms_p90=10.0)) == []


def test_a_longer_tail_warns():
    assert severities("PCT2", result(itl_ms_p50=1.0, itl_ms_p90=10.01)) == ["W"]


def test_a_median_of_zero_has_no_tail_ratio():
    assert findings("PCT2", result(itl_ms_p50=0, itl_ms_p90=10.0)) == []
