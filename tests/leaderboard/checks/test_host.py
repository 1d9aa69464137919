"""HST1: the tool's energy beside that of the host."""

import pytest

from tests.leaderboard.checks.builders import findings, result, severities


@pytest.mark.parametrize("host_energy_j", [57_200.0, 60_000.0, 63_100.0])
def test_energies_within_five_percent_agree(host_energy_j):
    assert severities("HST1", result(host_energy_j=host_energy_j)) == []


@pytest.mark.parametrize("host_energy_j", [15_000.0, 57_000.0, 63_300.0, 240_000.0])
def test_energies_farther_apart_are_for_a_moderator(host_energy_j):
    assert severities("HST1", result(host_energy_j=host_energy_j)) == ["R"]


def test_a_tool_that_measured_another_gpu_is_told_apart():
    (found,) = findings("HST1", result(host_energy_j=240_000.0))

    assert found.observed == "75 % apart"
    assert "another GPU" in found.message


def test_the_energy_of_a_whole_node_is_not_that_of_its_gpus():
    assert severities("HST1", result(host_energy_j=30_000.0, energy_scope="node")) == []
