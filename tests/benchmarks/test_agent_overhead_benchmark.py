from __future__ import annotations


def test_sampling_eight_gpus_stays_within_two_percent_of_a_core_and_80_mb(run):
    table = run("agent_overhead", "--seconds", "2", "--driver", "simulated")

    assert "| simulated |" in table
