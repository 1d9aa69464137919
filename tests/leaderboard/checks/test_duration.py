import pytest

from tests.leaderboard.checks.builders import findings, result, severities


@pytest.mark.parametrize(("seconds", "expected"), [(60, []), (59.9, ["W"]), (20, ["W"]), (19.9, ["R"])])
def test_short_windows_are_warned_about_and_very_short_ones_reviewed(seconds, expected):
    assert severities("DUR1", result(duration_s=seconds)) == expected


@pytest.mark.parametrize(
    ("requests", "concurrency", "expected"),
    [(100, None, []), (99, None, ["W"]), (100, 20, []), (250, 50, []), (249, 50, ["W"])],
)
def test_few_requests_for_the_load_are_warned_about(requests, concurrency, expected):
    parsed = result(
        requests=requests, concurrency=concurrency, ttft_ms_p99=None, itl_ms_p99=None, tpot_ms_p99=None, e2e_ms_p99=None
    )

    assert severities("DUR2", parsed) == expected


def test_a_p99_from_fewer_than_a_thousand_requests_is_labelled():
    (found,) = findings("DUR2", result(requests=999))

    assert found.field == "ttft_ms_p99"
    assert "few samples" in found.message
    assert findings("DUR2", result(requests=1000)) == []


@pytest.mark.parametrize(("share", "expected"), [(0.99, []), (0.989, ["W"]), (0.95, ["W"]), (0.949, ["R"])])
def test_failed_requests_are_warned_about_and_many_reviewed(share, expected):
    assert severities("OK1", result(success_rate=share)) == expected
