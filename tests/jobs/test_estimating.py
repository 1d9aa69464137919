from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.config import LlemOrder
from jobs.estimating import Board, Facts, Measured, estimate, memory_needed_mib
from runs.snapshot import WORLD_CO2_G_PER_KWH

H100 = Board(
    "H100", memory_gb=80, bandwidth_gb_per_s=3350, dense_tflops=989, tdp_w=700, usd_per_gpu_hour=2.0, reason=""
)
FACTS = Facts(total_b=8.0, active_b=8.0, board=H100)


def order_of(**fields: Any) -> LlemOrder:
    return LlemOrder.model_validate({"model": "org/name", "engine": "vllm", **fields})


def test_a_measured_result_of_about_this_batch_size_is_taken() -> None:
    facts = replace(FACTS, measured=(Measured("bf16", 16, 1000.0, 500.0), Measured("bf16", 256, 9000.0, 600.0)))

    told = estimate(order_of(batch_sizes=[8], n_cycles=1), facts)

    # 25,600 + 1,280 tokens at 1,000 per second, 75 + 16 s to start, 30 s of idle power, 60 s to settle
    assert told.minutes == pytest.approx((26.88 + 75 + 16 + 30 + 60) / 60)
    assert told.basis.startswith("From the nearest measured results of this model on H100;")


def test_a_result_of_another_batch_size_or_precision_is_not() -> None:
    facts = replace(FACTS, measured=(Measured("bf16", 64, 9000.0, 500.0), Measured("fp8", 8, 9000.0, 500.0)))

    told = estimate(order_of(batch_sizes=[8]), facts)

    assert told.basis.startswith("From a roofline of H100; no measured result is near;")


def test_a_sweep_says_which_part_is_measured() -> None:
    facts = replace(FACTS, measured=(Measured("bf16", 8, 1000.0, 500.0),))

    told = estimate(order_of(batch_sizes=[8, 128]), facts)

    assert "measured results for 1 of 2 configurations, else a roofline" in told.basis


def test_larger_batches_take_less_time_for_the_same_prompts() -> None:
    times = [estimate(order_of(batch_sizes=[size]), FACTS).minutes or 0.0 for size in (1, 8, 64)]

    assert times == sorted(times, reverse=True)


def test_dollars_are_those_of_all_gpus() -> None:
    one, two = (estimate(order_of(gpu_count=count), FACTS) for count in (1, 2))

    assert (one.minutes, two.minutes) != (None, None)
    assert two.usd == pytest.approx(2.0 * 2 * (two.minutes or 0) / 60)


def test_the_carbon_is_that_of_the_readers_grid() -> None:
    told = estimate(order_of(), replace(FACTS, co2_g_per_kwh=50.0, pue=1.0))

    assert told.co2_g == pytest.approx(50.0 * (told.energy_kwh or 0))
    assert "50 gCO2/kWh (yours), PUE 1." in told.basis


def test_without_a_grid_it_is_the_worlds() -> None:
    told = estimate(order_of(), FACTS)

    assert told.co2_g == pytest.approx(WORLD_CO2_G_PER_KWH * 1.2 * (told.energy_kwh or 0))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(FACTS, board=None), "No estimate: choose a GPU."),
        (replace(FACTS, total_b=70.0), "No estimate: the weights take 150 GiB of each GPU, and H100 has 80."),
        (replace(FACTS, active_b=None), "No estimate: the size of this model is not in the catalogue"),
        (replace(FACTS, board=replace(H100, bandwidth_gb_per_s=None)), "No estimate: the catalogue lacks"),
    ],
    ids=["no board", "no room", "no size", "no bandwidth"],
)
def test_what_rests_on_nothing_is_not_estimated(facts: Facts, words: str) -> None:
    told = estimate(order_of(), facts)

    assert told.minutes is None
    assert told.basis.startswith(words)


def test_without_a_rated_power_there_is_a_time_and_no_energy() -> None:
    told = estimate(order_of(), replace(FACTS, board=replace(H100, tdp_w=None)))

    assert told.minutes is not None
    assert (told.energy_kwh, told.co2_g) == (None, None)


def test_a_simulated_run_spends_nothing() -> None:
    told = estimate(order_of(), FACTS, simulate=True).stored()

    assert (told["energy_kwh"], told["usd"], told["co2_g"]) == (None, None, None)
    assert isinstance(told["minutes"], float)


def test_the_memory_that_is_needed_is_that_of_the_widest_weights() -> None:
    narrow, wide = order_of(precision="fp8"), order_of(sweep={"precision": ["fp8", "bf16"]})

    assert memory_needed_mib(wide, 8.0) == pytest.approx(2 * memory_needed_mib(narrow, 8.0), abs=1)


def test_gpus_share_the_weights() -> None:
    assert memory_needed_mib(order_of(gpu_count=4), 8.0) == pytest.approx(memory_needed_mib(order_of(), 8.0) / 4, abs=1)


def test_no_memory_is_demanded_for_a_model_of_unknown_size() -> None:
    assert memory_needed_mib(order_of(), None) == 0
