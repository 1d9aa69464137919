"""Answers against cases computed by hand, and prices against arithmetic written down once more."""

from __future__ import annotations

import numpy as np
import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.board import Prices
from leaderboard.metrics import BY_NAME, gpu_seconds_per_million_tokens
from leaderboard.models import Result, Trust
from leaderboard.presenting.answer_changes import changes
from leaderboard.presenting.answer_words import bounds, change_words, named, repeats
from leaderboard.presenting.board import priced_value
from leaderboard.queries import analysis
from leaderboard.queries.analysis import answer
from leaderboard.question import parse_question
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result

positive = st.floats(1e-3, 1e6)


def ask(text=""):
    return answer(parse_question(QueryDict(text)))


def question(text=""):
    return parse_question(QueryDict(text))


@pytest.fixture
def results(db):
    """Model A at three batches, model B once, one of A by node energy, one self-reported, one without latency."""
    a, b = LanguageModelFactory(name="org/a", title="A"), LanguageModelFactory(name="org/b", title="B")
    gpu = HardwareFactory(slug="h100", name="H100", usd_per_gpu_hour=2.0)
    shared = {"hardware": gpu, "backend": BackendFactory(slug="vllm", name="vLLM"), "backend_version": "0.6.3"}

    def one(model, tokens_per_joule, itl, **more):
        return published_result(model=model, tokens_per_joule=tokens_per_joule, itl_ms_p50=itl, **shared, **more)

    return {
        "fast": one(a, 2.0, 10.0, batch_size=1),
        "middle": one(a, 4.0, 20.0, batch_size=16),
        "frugal": one(a, 5.0, 40.0, batch_size=64),
        "b": one(b, 3.0, 15.0, batch_size=8),
        "node": one(a, 1.0, 5.0, energy_scope="node"),
        "self": one(b, 9.0, 5.0, trust=Trust.SELF_REPORTED),
        "mute": one(b, 2.5, None),
    }


def test_the_best_within_the_limit_is_named_whole(results):
    found = ask("itl_ms_p50_max=20")

    assert found.best == results["middle"]
    assert (
        named(found.best, found.question, ["itl_ms_p50"]).sentence
        == "A on 1 x H100 with vLLM 0.6.3, bf16, batch 16: 4.000 tok/J (GPU energy; runs not stated; ITL p50 20.00 ms)."
    )


def test_the_best_of_each_model_come_best_first(results):
    assert list(ask("itl_ms_p50_max=20").of_models) == [results["middle"], results["b"]]
    assert list(ask().of_models) == [results["frugal"], results["b"]]


def test_the_frontier_is_against_the_limit_and_beyond_it(results):
    found = ask("itl_ms_p50_max=20")

    assert found.axis == "itl_ms_p50"
    assert list(found.frontier) == [results[name] for name in ("fast", "b", "middle", "frugal")]


def test_other_limits_hold_on_the_frontier(results):
    for result in results.values():
        Result.objects.filter(pk=result.pk).update(ttft_ms_p90=result.batch_size * 10.0)

    found = ask("itl_ms_p50_max=20&ttft_ms_p90_max=100")

    assert found.axis == "ttft_ms_p90"
    assert found.best == results["b"]
    assert list(found.frontier) == [results[name] for name in ("fast", "b", "middle")]


def test_what_is_left_out_is_counted(results):
    found = ask("itl_ms_p50_max=20")

    assert (found.considered.results, found.considered.with_goal) == (5, 5)
    assert (found.considered.scope, found.considered.other_scopes, found.considered.hidden_by_trust) == ("gpu", 1, 1)
    (limit,) = found.limits
    assert (limit.stated, limit.met, limit.reached) == (4, 3, 10.0)


def test_trust_can_be_lowered(results):
    assert ask("itl_ms_p50_max=20&min_trust=T1").best == results["self"]


def test_a_tighter_and_a_looser_limit_are_priced(results):
    texts = [change.text for change in changes(ask("itl_ms_p50_max=25"), "/analysis/")]

    assert texts == [
        "ITL p50 15.00 ms instead of 25: 25 % fewer tokens per joule, with B on 1 x H100, vLLM 0.6.3, bf16, batch 8.",
        "ITL p50 40.00 ms instead of 25: 25 % more tokens per joule, with A on 1 x H100, vLLM 0.6.3, bf16, batch 64.",
        "Without the limit on ITL p50: 25 % more tokens per joule, with A on 1 x H100, vLLM 0.6.3, bf16, batch 64.",
    ]


def test_a_change_leads_to_the_question_with_that_limit(results):
    tighter = next(iter(changes(ask("itl_ms_p50_max=25"), "/analysis/")))

    assert tighter.url == "/analysis/?itl_ms_p50_max=15"


def test_a_limit_that_costs_nothing_is_said_to(results):
    texts = [change.text for change in changes(ask("itl_ms_p50_max=50"), "/analysis/")]

    assert "The limit on ITL p50 costs nothing: without it the same comes first." in texts


def test_a_latency_that_nobody_states_is_never_guessed(results):
    found = ask("ttft_ms_p90_max=20")

    assert (found.best, found.unstated, found.nearest, found.instead) == (None, "ttft_ms_p90", "", None)


def test_the_nearest_stated_latency_is_answered_and_said(results):
    Result.objects.update(tpot_ms_mean=12.0)

    found = ask("tpot_ms_p50_max=20")

    assert (found.best, found.unstated, found.nearest) == (None, "tpot_ms_p50", "tpot_ms_mean")
    assert found.instead is not None
    assert found.instead.best == results["frugal"]


def test_a_limit_of_its_own_on_the_nearest_stays(results):
    Result.objects.filter(pk=results["fast"].pk).update(tpot_ms_mean=12.0)

    found = ask("tpot_ms_p50_max=20&tpot_ms_mean_max=11")

    assert found.instead is not None
    assert dict(found.instead.question.board.limits) == {("tpot_ms_mean", "max"): 11.0}


def test_nothing_within_the_limit_leaves_the_frontier(results):
    found = ask("itl_ms_p50_max=1")

    assert found.best is None
    assert found.frontier[0] == results["fast"]


@pytest.mark.parametrize("few", [0, 15_000])
def test_both_ways_to_search_find_the_same(results, few, monkeypatch):
    """Few candidates are read and sorted, many are walked to in the index of the goal."""
    monkeypatch.setattr(analysis, "FEW", few)

    found = ask("itl_ms_p50_max=20")

    assert list(found.of_models) == [results["middle"], results["b"]]
    assert found.without == {("itl_ms_p50", "max"): results["frugal"]}
    assert list(found.frontier) == [results[name] for name in ("fast", "b", "middle", "frugal")]


def test_gpu_time_compares_all_energy_scopes(results):
    Result.objects.update(cost_per_million_tokens_usd=5.0)
    Result.objects.filter(pk=results["node"].pk).update(cost_per_million_tokens_usd=1.0)

    found = ask("goal=gpu_time")

    assert found.best == results["node"]
    assert found.considered.scope is None


def test_a_limit_on_cost_is_counted_at_the_readers_price(results):
    """10,000 GPU seconds at $3.6 an hour are $10."""
    Result.objects.update(gpu_seconds_per_million_tokens=20_000.0)
    Result.objects.filter(pk=results["fast"].pk).update(gpu_seconds_per_million_tokens=10_000.0)

    (count,) = ask("cost_per_million_tokens_usd_max=15&usd_per_gpu_hour=3.6").limits

    assert (count.stated, count.met, count.reached) == (5, 1, pytest.approx(10.0))


def test_a_limit_on_energy_per_token_is_one_on_the_figure_itself(results):
    """Against a figure that is stored as its inverse the frontier still rises."""
    Result.objects.update(cost_per_million_tokens_usd=1.0)
    for cost, name in enumerate(("frugal", "middle", "b", "fast"), start=1):
        Result.objects.filter(pk=results[name].pk).update(cost_per_million_tokens_usd=10.0 - cost)

    found = ask("goal=gpu_time&energy_per_output_token_j_max=0.3&energy_scope=gpu&model=org%2Fa")

    (count,) = found.limits
    assert (count.stated, count.met, count.reached) == (3, 2, pytest.approx(0.2))
    assert found.axis == "energy_per_output_token_j"
    assert [result.pk for result in found.frontier] == [results[name].pk for name in ("frugal", "middle", "fast")]


def test_an_interval_scales_with_the_price_and_turns_with_the_inverse():
    result = Result(
        tokens_per_joule=4.0,
        energy_per_output_token_j=0.25,
        throughput_tokens_per_s=100.0,
        gpu_seconds_per_million_tokens=10_000.0,
        runs=3,
        statistics={
            "energy_per_output_token_j": {"ci95_low": 0.24, "ci95_high": 0.26},
            "throughput_tokens_per_s": {"ci95_low": 80.0, "ci95_high": 125.0},
        },
    )
    electricity = question("goal=electricity&usd_per_kwh=0.36&pue=1")

    assert bounds(result, electricity) == pytest.approx((0.024, 0.026))
    assert repeats(result, electricity) == "±4.0 % over 3 runs"
    assert bounds(result, question()) == pytest.approx((1 / 0.26, 1 / 0.24))
    assert bounds(result, question("goal=gpu_time&usd_per_gpu_hour=3.6")) == pytest.approx((8.0, 12.5))


def test_one_run_has_no_interval():
    assert repeats(Result(runs=1, tokens_per_joule=4.0), question()) == "1 run, so no interval"


@pytest.mark.parametrize(
    ("new", "old", "goal", "words"),
    [
        (1.12, 1.0, "gpu_time", "12 % dearer"),
        (0.9, 1.0, "electricity", "10 % cheaper"),
        (0.5, 1.0, "co2", "50 % less CO2"),
        (3.0, 1.0, "tokens_per_joule", "3.0 times as many tokens per joule"),
        (1.001, 1.0, "tokens_per_joule", "no change"),
    ],
)
def test_a_change_in_words(new, old, goal, words):
    assert change_words(new, old, question(f"goal={goal}&usd_per_kwh=1&co2_g_per_kwh=1")) == words


@given(st.integers(1, 16), positive, st.floats(1e-3, 1e3), st.floats(0.01, 20), st.floats(0.01, 2), st.floats(1, 3))
def test_prices_agree_with_numpy(gpus, throughput, joules, per_hour, per_kwh, pue):
    """Written from the units: 10^6 tokens take 10^6 / throughput seconds on each GPU, and so many joules."""
    grid = 1000 * per_kwh
    stored = {
        "energy_per_output_token_j": joules,
        "gpu_seconds_per_million_tokens": gpu_seconds_per_million_tokens(gpus, throughput),
    }
    million = np.float64(1_000_000)
    hours = million / np.float64(throughput) / np.float64(3600)
    kwh = np.float64(joules) * million / np.float64(3_600_000) * np.float64(pue)

    def priced(metric, **prices):
        return priced_value(stored.get, BY_NAME[metric], Prices(**prices))

    cost = "cost_per_million_tokens_usd"
    assert priced(cost, usd_per_gpu_hour=per_hour) == pytest.approx(float(gpus * hours * per_hour))
    assert priced(cost, usd_per_kwh=per_kwh, pue=pue) == pytest.approx(float(kwh * per_kwh))
    assert priced("co2_g_per_million_tokens", co2_g_per_kwh=grid, pue=pue) == pytest.approx(float(kwh * grid))
