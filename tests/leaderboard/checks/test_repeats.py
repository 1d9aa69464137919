from datetime import datetime, timedelta

import pytest

from leaderboard.normal import Origin
from tests.leaderboard.checks.builders import NOW, bare, context, findings, neighbour, result, severities


def test_a_measurement_that_is_already_here_is_blocked_and_named():
    (found,) = findings("DUP1", result(), context(duplicate_of="r-1234"))

    assert found.severity.value == "B"
    assert "r-1234" in found.message


def test_a_new_measurement_is_no_duplicate():
    assert findings("DUP1", result()) == []


@pytest.mark.parametrize(("ahead_s", "expected"), [(1, []), (2, ["W"])])
@pytest.mark.parametrize("field", ["started_at", "ended_at"])
def test_a_run_in_the_future_is_warned_about_once(field, ahead_s, expected):
    changes = {"started_at": None, "ended_at": None, field: NOW + timedelta(seconds=ahead_s)}

    assert severities("CLK1", result(**changes)) == expected


def naive(**ahead) -> datetime:
    return (NOW + timedelta(**ahead)).replace(tzinfo=None)


def test_a_time_without_zone_may_be_local_time_ahead_of_utc():
    assert findings("CLK1", result(started_at=naive(hours=14), ended_at=naive(hours=14))) == []
    assert severities("CLK1", result(started_at=naive(hours=15), ended_at=None)) == ["W"]


def test_a_local_time_that_the_importer_took_as_utc_may_be_ahead_too():
    parsed = result(started_at=NOW + timedelta(hours=2), ended_at=None)
    parsed.notes["started_at"] = "The file gives a time without a zone; it is taken as UTC."

    assert findings("CLK1", parsed) == []


def test_a_run_that_ends_before_it_starts_is_warned_about():
    (found,) = findings("CLK1", result(started_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(hours=2)))

    assert found.severity.value == "W"
    assert found.field == "ended_at"


def test_times_with_and_without_zone_are_not_compared():
    assert findings("CLK1", result(started_at=NOW, ended_at=naive(hours=-5))) == []


def cycles(field, *values):
    return [{field: value} for value in values]


@pytest.mark.parametrize("field", ["tokens_per_joule", "throughput_tokens_per_s"])
def test_a_wide_interval_over_repeats_is_warned_about(field):
    # t(0.975, 2) = 4.303, so half the interval is 2.48 sd: 9.94 % for an sd of 4 %, 12.4 % for one of 5 %.
    assert findings("STA1", result(cycles=cycles(field, 96.0, 100.0, 104.0))) == []
    assert [found.field for found in findings("STA1", result(cycles=cycles(field, 95.0, 100.0, 105.0)))] == [field]


def test_two_repeats_have_no_interval():
    assert findings("STA1", result(cycles=cycles("tokens_per_joule", 1.0, 100.0))) == []


def test_statistics_that_the_file_states_are_used_where_the_repeats_are_missing():
    parsed = result(runs=5)
    parsed.stated_statistics["throughput_tokens_per_s"] = {"mean": 100.0, "ci95_low": 89.0, "ci95_high": 111.0}

    assert severities("STA1", parsed) == ["W"]


def test_stated_statistics_over_two_repeats_have_no_interval():
    parsed = result(runs=2)
    parsed.stated_statistics["tokens_per_joule"] = {"mean": 100.0, "ci95_low": 10.0, "ci95_high": 190.0}

    assert findings("STA1", parsed) == []


def repeat(**figures):
    return {"duration_s": 120.5, "total_energy_j": 9000.1, **figures}


def test_repeats_that_agree_to_the_last_digit_are_for_review():
    (found,) = findings("DUP2", result(cycles=[repeat(), repeat(duration_s=121.5), repeat()]))

    assert found.severity.value == "R"
    assert found.observed == "2 equal repeats"


@pytest.mark.parametrize(
    "cycles",
    [[repeat(), repeat(total_energy_j=9000.2)], [{"duration_s": 60.0}] * 3, [repeat()]],
    ids=["one figure differs", "one figure is known", "one repeat"],
)
def test_repeats_with_a_difference_or_too_little_to_tell_are_not(cycles):
    assert findings("DUP2", result(cycles=cycles)) == []


@pytest.mark.parametrize(("runs", "sd", "expected"), [(3, 0.0, ["R"]), (3, 0.1, []), (2, 0.0, [])])
def test_stated_repeats_without_any_spread_are_for_review(runs, sd, expected):
    parsed = result(runs=runs)
    parsed.stated_statistics["total_energy_j"] = {"mean": 60_000.0, "sd": sd}

    assert severities("DUP2", parsed) == expected


@pytest.mark.parametrize(("off", "expected"), [(1.0, ["R"]), (1.000001, ["R"]), (1.001, [])])
def test_the_figures_of_another_result_are_for_review(off, expected):
    other = neighbour(name="r-7", throughput_tokens_per_s=3600.0 * off, energy_per_output_token_j=60_000 / 432_000)

    found = findings("DUP2", result(), context(peers=[other]))

    assert [one.severity.value for one in found] == expected
    assert all("r-7" in one.message for one in found)


ROUND = {
    "throughput_tokens_per_s": 3600.0,
    "total_energy_j": 60_000.0,
    "avg_power_w": 500.0,
    "tokens_per_joule": 7.2,
    "ttft_ms_mean": 50.0,
    "itl_ms_mean": 8.6,
}


def test_nothing_but_round_figures_is_for_review():
    assert severities("DUP2", bare(**ROUND)) == ["R"]


@pytest.mark.parametrize("name", ROUND)
def test_one_figure_with_its_digits_or_one_figure_less_is_enough(name):
    assert findings("DUP2", bare(**ROUND | {name: ROUND[name] * 1.0123})) == []
    assert findings("DUP2", bare(**ROUND | {name: None})) == []


def test_figures_that_this_site_computed_may_be_round():
    parsed = bare(**ROUND)
    parsed.origins["avg_power_w"] = Origin.COMPUTED

    assert findings("DUP2", parsed) == []
