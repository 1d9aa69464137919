import pytest

from tests.leaderboard.checks.builders import bare, context, findings, hardware, result, severities

KNOWN = context(hardware=hardware(tdp_w=100))


@pytest.mark.parametrize(("power_w", "expected"), [(210, []), (211, ["B"])])
def test_power_per_gpu_stays_below_the_tdp(power_w, expected):
    assert severities("PWR1", result(gpu_count=2, avg_power_w=power_w), KNOWN) == expected


def test_a_recorded_power_limit_replaces_the_tdp():
    assert severities("PWR1", result(avg_power_w=60, power_limit_w=50), KNOWN) == ["B"]
    assert findings("PWR1", result(avg_power_w=180, power_limit_w=200), KNOWN) == []


def test_power_of_an_unknown_number_of_gpus_is_not_judged_by_one_card():
    assert findings("PWR1", result(gpu_count=None, avg_power_w=900), KNOWN) == []


@pytest.mark.parametrize(("power_w", "expected"), [(8.0, []), (7.9, ["R"]), (5.0, ["R"]), (4.9, ["B"])])
def test_power_per_gpu_stays_above_idle(power_w, expected):
    assert severities("PWR2", result(avg_power_w=power_w), KNOWN) == expected


def test_the_five_watt_floor_needs_neither_hardware_nor_gpu_count():
    parsed = bare(avg_power_w=4.4, energy_scope="gpu")

    assert severities("PWR2", parsed, context(hardware=None, model=None)) == ["B"]


def test_leaving_out_the_mean_power_does_not_switch_the_floor_off():
    parsed = bare(total_energy_j=440.0, duration_s=100.0, energy_scope="gpu")

    assert severities("PWR2", parsed, context(hardware=None)) == ["B"]


@pytest.mark.parametrize("scope", ["node", "wall", None])
def test_gpu_limits_are_for_the_gpu_scope_only(scope):
    parsed = result(avg_power_w=9000, energy_scope=scope)

    assert findings("PWR1", parsed, KNOWN) == findings("PWR2", parsed, KNOWN) == []


@pytest.mark.parametrize(("power_w", "expected"), [(800, []), (1600, []), (790, ["R"]), (1610, ["R"])])
def test_wall_power_is_one_to_two_times_the_tdp_of_all_gpus(power_w, expected):
    assert severities("PWR3", result(gpu_count=8, avg_power_w=power_w, energy_scope="wall"), KNOWN) == expected
