"""The question of /analysis/ and its address: there and back, and every parameter that is wrong."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from leaderboard.analysis.nearest import nearest
from leaderboard.board import BoardQueryError, Prices
from leaderboard.question import GOALS, countries, parse_question


def parse(text):
    return parse_question(QueryDict(text))


def errors(text):
    with pytest.raises(BoardQueryError) as raised:
        parse(text)
    return raised.value.fields


@pytest.mark.parametrize(
    "text",
    [
        "",
        "itl_ms_p50_max=20",
        "q=llama&model=a%2Fb&model=c%2Fd&itl_ms_p50_max=20&usd_per_kwh=0.3&country=DEU&goal=electricity",
        "min_trust=T1&throughput_tokens_per_s_min=100&goal=gpu_time&against=ttft_ms_p90",
        "prices=catalogue",
    ],
)
def test_an_address_means_the_question_that_wrote_it(text):
    assert parse(text).url("").lstrip("?") == text


def test_what_a_table_alone_knows_is_in_no_address():
    assert parse("view=all&sort=-avg_power_w&columns=avg_power_w&limit=3&goal=co2").url("/a/") == "/a/?goal=co2"


@pytest.mark.parametrize("name", ["goal", "country", "against", "itl_ms_p50_max", "usd_per_kwh", "min_trust"])
def test_a_wrong_parameter_is_named(name):
    assert list(errors(f"{name}=nonsense&q=llama")) == [name]


def test_all_that_is_wrong_is_named_at_once():
    assert set(errors("goal=x&country=y&pue=-1")) == {"goal", "country", "pue"}


def test_a_wrong_sort_is_no_error_of_a_question():
    assert parse("sort=nonsense").goal == GOALS[0]


def test_a_country_gives_its_grid_factor():
    assert parse("country=deu").board.prices.co2_g_per_kwh == countries()["DEU"].co2_g_per_kwh


def test_a_typed_grid_factor_goes_before_the_country():
    question = parse("country=DEU&co2_g_per_kwh=30")

    assert (question.board.prices.co2_g_per_kwh, question.country) == (30, "")


@pytest.mark.parametrize(
    ("goal", "column", "descending"),
    [
        ("tokens_per_joule", "tokens_per_joule", True),
        ("gpu_time", "gpu_seconds_per_million_tokens", False),
        ("electricity", "tokens_per_joule", False),
        ("co2", "tokens_per_joule", False),
    ],
)
def test_each_goal_is_ranked_by_the_column_that_has_its_order(goal, column, descending):
    ranked = parse(f"goal={goal}&usd_per_gpu_hour=2&usd_per_kwh=0.3&co2_g_per_kwh=100").ranked

    assert (ranked.ranking, ranked.descending, ranked.best_first) == (column, descending, True)


def test_electricity_is_not_priced_as_gpu_time():
    assert parse("goal=electricity&usd_per_gpu_hour=2&usd_per_kwh=0.3").ranked.prices == Prices(usd_per_kwh=0.3)


@pytest.mark.parametrize(("goal", "missing"), [("electricity", "usd_per_kwh"), ("co2", "co2_g_per_kwh")])
def test_a_goal_without_its_price_falls_back_to_energy_per_token(goal, missing):
    question = parse(f"goal={goal}")

    assert (question.lacks, question.metric.name) == (missing, "energy_per_output_token_j")


def test_only_limits_that_are_hard_to_keep_hold_back():
    text = "itl_ms_p50_max=20&itl_ms_p90_min=1&throughput_tokens_per_s_min=5&tokens_per_joule_min=1&output_tokens_min=9"

    assert set(parse(text).constraints) == {("itl_ms_p50", "max"), ("throughput_tokens_per_s", "min")}


def test_the_nearest_latency_is_of_the_same_kind_and_the_same_part_of_the_distribution():
    assert list(nearest("itl_ms_p50"))[:3] == ["itl_ms_mean", "tpot_ms_p50", "tpot_ms_mean"]
    assert list(nearest("tpot_ms_p99"))[:4] == ["tpot_ms_p95", "tpot_ms_p90", "itl_ms_p99", "itl_ms_p95"]
    assert all(name.startswith("ttft_ms") for name in nearest("ttft_ms_p90"))
    assert list(nearest("throughput_tokens_per_s")) == []
