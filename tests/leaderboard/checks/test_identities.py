import pytest

from tests.leaderboard.checks.builders import bare, findings, result, severities


@pytest.mark.parametrize("tokens_per_s", [99.0, 100.0, 101.0])
def test_throughput_within_one_percent_of_tokens_over_time_passes(tokens_per_s):
    assert findings("IDN1", result(throughput_tokens_per_s=tokens_per_s, duration_s=100, output_tokens=10_000)) == []


@pytest.mark.parametrize("tokens_per_s", [98.9, 101.1])
def test_throughput_that_is_more_than_one_percent_off_is_blocked(tokens_per_s):
    parsed = result(throughput_tokens_per_s=tokens_per_s, duration_s=100, output_tokens=10_000)

    assert severities("IDN1", parsed) == ["B"]


def test_a_token_count_that_was_derived_may_be_half_a_token_off():
    exact = {"throughput_tokens_per_s": 3.4, "duration_s": 1.0, "output_tokens": 3}

    assert findings("IDN1", result(**exact, computed=("output_tokens",))) == []
    assert severities("IDN1", result(**exact)) == ["B"]


@pytest.mark.parametrize(
    ("energy_j", "expected"), [(10_000, []), (10_200, []), (10_250, ["W"]), (10_500, ["W"]), (10_600, ["B"])]
)
def test_power_times_duration_is_compared_with_energy(energy_j, expected):
    # 2 % and 5 % of the energy: 10,200 x 0.98 = 9,996 and 10,500 x 0.95 = 9,975 stay inside.
    assert severities("IDN2", result(avg_power_w=100, duration_s=100, total_energy_j=energy_j)) == expected


def test_watt_hours_read_as_joules_are_blocked():
    assert severities("IDN2", result(total_energy_j=60_000 / 3600)) == ["B"]


def test_energy_per_output_token_within_one_percent_passes():
    only = {"output_tokens": 1000, "input_tokens": 3000, "total_energy_j": 1000.0}

    assert findings("IDN3", bare(**only, energy_per_output_token_j=1.01)) == []
    assert severities("IDN3", bare(**only, energy_per_output_token_j=1.011)) == ["B"]


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        ("energy_per_output_token_j", 0.25, "total"),
        ("energy_per_total_token_j", 1.0, "output"),
        ("tokens_per_joule", 4.0, "total"),
        ("total_tokens_per_joule", 1.0, "output"),
    ],
)
def test_the_other_denominator_is_named_where_it_fits(field, value, meant):
    (found,) = findings("IDN3", bare(output_tokens=1000, input_tokens=3000, total_energy_j=1000.0, **{field: value}))

    assert found.severity.value == "B"
    assert found.field == field
    assert f"did you mean {meant} tokens?" in found.message


def test_the_unit_is_named_where_no_denominator_fits():
    (found,) = findings("IDN3", bare(output_tokens=1000, total_energy_j=1000.0, energy_per_output_token_j=0.000278))

    assert "check the unit" in found.message


@pytest.mark.parametrize(("power_w", "expected"), [(102, []), (98, []), (103, ["W"]), (110, ["W"]), (111, ["B"])])
def test_power_over_throughput_is_compared_with_energy_per_token(power_w, expected):
    parsed = bare(avg_power_w=power_w, throughput_tokens_per_s=100, energy_per_output_token_j=1)

    assert severities("IDN4", parsed) == expected


def test_figures_that_the_importer_computed_from_each_other_are_not_compared():
    parsed = result(energy_per_output_token_j=9, computed=("avg_power_w", "energy_per_output_token_j"))

    assert findings("IDN4", parsed) == []


def test_one_computed_figure_is_still_compared_with_two_stated_ones():
    assert severities("IDN4", result(energy_per_output_token_j=9, computed=("avg_power_w",))) == ["B"]


def test_a_mean_of_ratios_over_uneven_repeats_is_not_held_against_repeats_that_agree():
    fast = {"throughput_tokens_per_s": 200.0, "duration_s": 50.0, "output_tokens": 10_000}
    slow = {"throughput_tokens_per_s": 100.0, "duration_s": 100.0, "output_tokens": 10_000}
    means = {"throughput_tokens_per_s": 150.0, "duration_s": 75.0, "output_tokens": 10_000}

    assert findings("IDN1", bare(**means, cycles=[fast, slow])) == []
    assert severities("IDN1", bare(**means, cycles=[fast, slow | {"duration_s": 120.0}])) == ["B"]
    assert severities("IDN1", bare(**means, cycles=[fast, {}])) == ["B"]
