"""What a lane's figures are, by events of which each counts once."""

import json

import pytest

from runs.models import Lane
from runs.snapshot import (
    LaneState,
    closing,
    co2_g_per_million_tokens,
    fold,
    joules_per_token,
    leader,
    restore,
    usd_per_million_tokens,
)
from tests.runs.factories import tick


def one(*events):
    (state,) = fold([LaneState("H100", vram_gb=80.0)], events)
    return state


def test_a_lane_without_events_knows_only_what_it_is():
    (state,) = fold([Lane(name="H100", type="H100 SXM", vram_gb=80.0, cost_per_hour_usd=2.5)], [])

    assert (state.name, state.type, state.vram_gb, state.cost_per_hour_usd) == ("H100", "H100 SXM", 80.0, 2.5)
    assert (state.tokens_per_s, state.tokens, state.energy_j, state.tokens_per_joule) == (None, None, None, None)


def test_a_lane_that_only_its_events_name_comes_behind_the_others():
    states = fold([LaneState("H100")], [tick(gpuId="A100"), tick()])

    assert [state.name for state in states] == ["H100", "A100"]


def test_the_last_event_is_shown_and_the_mean_is_over_all():
    state = one(tick(at=0, tokenPerSec=100.0, model="a"), tick(at=1, tokenPerSec=50.0, model="b", useCase="qa"))

    assert (state.tokens_per_s, state.mean_tokens_per_s) == (50.0, 75.0)
    assert (state.model, state.use_case) == ("b", "qa")
    assert {model: figure.mean for model, figure in state.by_model.items()} == {"a": 100.0, "b": 50.0}


def test_energy_and_tokens_that_are_given_are_summed():
    state = one(*(tick(at=second, energyJ=200.0, outputTokens=100) for second in range(3)))

    assert (state.energy_j, state.tokens, state.tokens_per_joule) == (600.0, 300, 0.5)


def test_power_and_rate_are_integrated_by_the_trapezoid_where_sums_are_not_given():
    state = one(
        tick(at=0, powerW=100.0, tokenPerSec=10.0),
        tick(at=2, powerW=300.0, tokenPerSec=30.0),
        tick(at=4, powerW=300.0, tokenPerSec=30.0),
    )

    assert (state.energy_j, state.tokens) == (400.0 + 600.0, 40.0 + 60.0)
    assert state.tokens_per_joule == pytest.approx(0.1)


def test_nothing_is_integrated_over_a_gap():
    state = one(tick(at=0, powerW=100.0), tick(at=10.5, powerW=100.0), tick(at=11.5, powerW=100.0))

    assert (state.energy_j, state.tokens) == (100.0, 100.0)


def test_tokens_per_joule_is_over_the_stretch_for_which_both_are_known():
    state = one(*(tick(at=second) for second in range(5)), *(tick(at=second, powerW=200.0) for second in range(5, 8)))

    assert (state.tokens, state.energy_j) == (700.0, 400.0)
    assert state.tokens_per_joule == 0.5


def test_power_in_every_other_event_counts_the_tokens_of_both():
    state = one(*(tick(at=second, powerW=200.0 if second % 2 == 0 else None) for second in range(5)))

    assert state.tokens_per_joule == 0.5
    assert state.power_w == 200.0


def test_power_that_is_older_than_a_gap_is_not_shown():
    state = one(tick(at=0, powerW=200.0), tick(at=6), tick(at=12))

    assert state.power_w is None


def test_a_late_event_counts_in_means_and_sums_and_moves_nothing_else():
    first = tick(at=10, tokenPerSec=100.0, energyJ=100.0, outputTokens=50, model="new")
    late = tick(at=5, tokenPerSec=300.0, energyJ=100.0, outputTokens=150, model="old")

    state = one(first, late)

    assert (state.tokens_per_s, state.mean_tokens_per_s, state.model) == (100.0, 200.0, "new")
    assert (state.energy_j, state.tokens, state.tokens_per_joule) == (200.0, 200, 1.0)
    assert len(state.recent) == 1


def test_the_sparkline_keeps_one_value_a_second_for_a_minute():
    state = one(*(tick(at=step / 2, tokenPerSec=float(step)) for step in range(240)))

    assert len(state.recent) == 60
    assert state.recent[-1][1] == 239.0


def test_memory_above_85_percent_of_the_lane_is_a_share_in_decimal_units():
    state = one(tick(at=0, vramUsedMB=72_000.0), tick(at=1, vramUsedMB=40_000.0))

    assert state.vram_share(peak=False) == 0.5
    assert state.vram_share(peak=True) == 0.9


def test_a_sender_that_names_ever_new_models_does_not_grow_the_state():
    state = one(*(tick(at=second, model=f"model-{second}") for second in range(80)))

    assert len(state.by_model) == 50
    assert state.events == 80


def test_the_leader_has_the_highest_mean_of_the_last_minute_and_of_the_run_at_its_end():
    events = [
        *(tick(at=second, gpuId="early", tokenPerSec=900.0 if second < 60 else 10.0) for second in range(120)),
        *(tick(at=second, gpuId="steady", tokenPerSec=100.0) for second in range(120)),
    ]
    states = fold([], events)

    assert leader(states, is_over=False) == "steady"
    assert leader(states, is_over=True) == "early"


def test_a_lane_alone_leads_nobody():
    assert leader(fold([], [tick()]), is_over=False) is None


def test_a_million_tokens_cost_the_hours_they_take():
    assert usd_per_million_tokens(3.6, 100.0) == pytest.approx(10.0)
    assert usd_per_million_tokens(None, 100.0) is None
    assert usd_per_million_tokens(3.6, 0.0) is None


def test_a_million_tokens_emit_what_their_energy_does():
    state = one(tick(tokenPerSec=100.0, powerW=360.0))

    per_token_j = joules_per_token(state, is_over=False)

    assert per_token_j == pytest.approx(3.6)
    assert co2_g_per_million_tokens(per_token_j, co2_g_per_kwh=500.0, pue=1.2) == pytest.approx(600.0)
    assert joules_per_token(state, is_over=True) is None


def test_a_closing_state_survives_json_and_can_be_gone_on_with():
    events = [tick(at=second, powerW=200.0, gpuId=f"g{second % 2}") for second in range(10)]
    stored = json.loads(json.dumps(closing(fold([], events[:5]))))

    assert closing(fold(restore(stored), events[5:])) == closing(fold([], events))


def test_no_closing_state_is_no_lanes():
    assert restore({}) == []
