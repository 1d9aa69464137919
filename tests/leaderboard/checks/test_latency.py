import pytest

from tests.leaderboard.checks.builders import bare, findings, result, severities


def with_lengths(**values):
    return bare(requests=10, output_tokens=1010, **values)


@pytest.mark.parametrize(("e2e_ms", "expected"), [(1000 / 1.05, []), (1000 / 1.06, ["W"]), (1000 / 1.61, ["R"])])
def test_mean_latencies_add_up_within_five_percent(e2e_ms, expected):
    parsed = with_lengths(ttft_ms_mean=500.0, tpot_ms_mean=5.0, e2e_ms_mean=e2e_ms)

    assert severities("LAT1", parsed) == expected


@pytest.mark.parametrize(
    ("e2e_ms", "expected"),
    [(2000, []), (1000 / 1.4, []), (2100, ["W"]), (1000 / 1.5, ["W"]), (2600, ["R"]), (1000 / 1.7, ["R"])],
)
def test_median_latencies_have_a_wider_limit(e2e_ms, expected):
    parsed = with_lengths(ttft_ms_p50=500.0, tpot_ms_p50=5.0, e2e_ms_p50=e2e_ms)

    assert severities("LAT1", parsed) == expected


def test_means_are_preferred_to_medians():
    means = {"ttft_ms_mean": 500.0, "tpot_ms_mean": 5.0, "e2e_ms_mean": 1000.0}

    assert findings("LAT1", with_lengths(**means, ttft_ms_p50=500.0, tpot_ms_p50=5.0, e2e_ms_p50=9000.0)) == []


def test_failed_requests_do_not_count_into_the_output_length():
    parsed = with_lengths(success_rate=0.5, ttft_ms_mean=500.0, tpot_ms_mean=5.0, e2e_ms_mean=500 + 201 * 5.0)

    assert findings("LAT1", parsed) == []


def test_single_token_answers_have_no_time_between_tokens():
    assert findings("LAT1", bare(requests=10, output_tokens=10, ttft_ms_mean=1, tpot_ms_mean=1, e2e_ms_mean=9)) == []


@pytest.mark.parametrize(("rate", "expected"), [(11.5, []), (11.6, ["R"]), (6.0, []), (5.9, ["W"])])
def test_requests_in_flight_follow_littles_law(rate, expected):
    assert severities("LAT2", result(requests_per_s=rate, e2e_ms_mean=1000, concurrency=10)) == expected


@pytest.mark.parametrize(("tokens_per_s", "expected"), [(1500, []), (1501, ["R"])])
def test_throughput_is_held_against_the_gap_and_the_batch(tokens_per_s, expected):
    parsed = result(throughput_tokens_per_s=tokens_per_s, itl_ms_p50=10, batch_size=10, concurrency=None)

    assert severities("LAT3", parsed) == expected


def test_the_smaller_of_batch_and_concurrency_is_in_flight():
    parsed = result(throughput_tokens_per_s=1501, itl_ms_p50=10, batch_size=256, concurrency=10)

    assert severities("LAT3", parsed) == ["R"]


@pytest.mark.parametrize(("median", "expected"), [(1.0, []), (0.99, ["W"]), (0, ["W"])])
def test_a_median_gap_far_below_the_mean_is_chunked_streaming(median, expected):
    assert severities("LAT4", result(itl_ms_p50=median, tpot_ms_mean=10)) == expected
