"""The table of figures, and the formulas of cost and carbon."""

import pytest

from leaderboard.metrics import BY_NAME, METRICS, RANKED, SORTABLE, co2_g, cost_usd, electricity_usd
from leaderboard.metrics import gpu_seconds_per_million_tokens as gpu_seconds
from leaderboard.models import Result
from leaderboard.normal import NormalResult

COMPUTED_PER_READER = {"co2_g_per_million_tokens"}


def test_every_figure_has_a_unit_and_a_meaning():
    assert all(metric.unit and metric.meaning and metric.label for metric in METRICS)


def test_names_are_unique():
    assert len(BY_NAME) == len(METRICS)


def test_every_figure_is_a_column_of_a_result_or_computed_for_its_reader():
    columns = {field.name for field in Result._meta.get_fields()}

    assert set(BY_NAME) - columns == COMPUTED_PER_READER


def test_every_sortable_figure_ranks_by_a_stored_one():
    assert {metric.ranking for metric in SORTABLE} <= set(RANKED)


def test_every_measured_figure_of_the_normal_form_is_shown():
    units = ("_j", "_w", "_ms_mean", "_ms_p50", "_ms_p90", "_ms_p95", "_ms_p99", "_mb", "_per_s", "_tokens")
    configuration = {"request_rate_per_s", "power_limit_w", "max_input_tokens", "max_output_tokens"}
    measured = {name for name in NormalResult.model_fields if name.endswith(units)} - configuration

    assert measured <= set(BY_NAME)


def test_gpu_seconds_count_every_gpu():
    assert gpu_seconds(2, 1000.0) == 2000.0


@pytest.mark.parametrize(("gpus", "throughput"), [(None, 1000.0), (1, None), (1, 0.0), (0, 1000.0)])
def test_gpu_seconds_are_unknown_without_count_or_throughput(gpus, throughput):
    assert gpu_seconds(gpus, throughput) is None


def test_cost_is_gpu_time_at_a_price_per_hour():
    assert cost_usd(3600.0, 2.5) == 2.5
    assert cost_usd(None, 2.5) is None
    assert cost_usd(3600.0, None) is None


def test_electricity_is_energy_times_pue_at_a_price_per_kwh():
    # 3.6 J per token are 3.6e6 J, or one kWh, per million tokens.
    assert electricity_usd(3.6, 0.30, 1.2) == pytest.approx(0.36)
    assert electricity_usd(None, 0.30, 1.2) is None


def test_carbon_is_energy_times_pue_times_the_grid_factor():
    assert co2_g(3.6, 400.0, 1.0) == pytest.approx(400.0)
    assert co2_g(None, 400.0, 1.0) is None
