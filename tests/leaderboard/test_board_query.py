"""The leaderboard's state and its URL: every parameter right and wrong, and there and back."""

from __future__ import annotations

import base64
import contextlib
import json
import uuid

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import metrics
from leaderboard.board import (
    DEFAULT_COLUMNS,
    FACETS,
    LIMITED,
    SIZES,
    BoardQuery,
    BoardQueryError,
    Cursor,
    Prices,
    parse_board_query,
)
from leaderboard.models import Trust


def parse(url: str) -> BoardQuery:
    return parse_board_query(QueryDict(url.lstrip("?")))


def errors(url: str) -> dict[str, str]:
    with pytest.raises(BoardQueryError) as raised:
        parse(url)
    return raised.value.fields


def test_no_parameter_means_the_default_state():
    assert parse("") == BoardQuery()


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("view=all", {"view": "all"}),
        ("sort=itl_ms_p50", {"sort": "itl_ms_p50", "descending": False}),
        ("sort=-throughput_tokens_per_s", {"sort": "throughput_tokens_per_s"}),
        ("q=llama", {"q": "llama"}),
        ("q=%20llama%20", {"q": "llama"}),
        ("min_trust=t1", {"min_trust": Trust.SELF_REPORTED}),
        ("min_trust=Published", {}),
        ("gpu_count=1&gpu_count=2", {"facets": {"gpu_count": ("1", "2")}}),
        ("gpu_count=unknown", {"facets": {"gpu_count": ("unknown",)}}),
        ("batch_size=8&batch_size=8", {"facets": {"batch_size": ("8",)}}),
        ("size=under-1b", {"facets": {"size": ("under-1b",)}}),
        ("size=unknown", {"facets": {"size": ("unknown",)}}),
        ("trust=t2&trust=PUBLISHED", {"facets": {"trust": ("T2", "Published")}}),
        ("model=org/name", {"facets": {"model": ("org/name",)}}),
        ("model=", {}),
        ("ttft_ms_p90_max=500", {"limits": {("ttft_ms_p90", "max"): 500.0}}),
        ("tokens_per_joule_min=0.5", {"limits": {("tokens_per_joule", "min"): 0.5}}),
        ("columns=avg_power_w,duration_s", {"columns": ("avg_power_w", "duration_s")}),
        ("columns=avg_power_w&columns=duration_s", {"columns": ("avg_power_w", "duration_s")}),
        ("usd_per_gpu_hour=2.5&usd_per_kwh=0&pue=1.1&co2_g_per_kwh=45", {"prices": Prices(2.5, 0.0, 1.1, 45.0)}),
        ("limit=500", {"limit": 500}),
    ],
)
def test_a_right_parameter_sets_the_state(url, state):
    assert parse(url) == BoardQuery(**state)


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("view=worst", "view"),
        ("sort=duration_s", "sort"),
        ("sort=model_name", "sort"),
        ("sort=--tokens_per_joule", "sort"),
        ("q=" + "a" * 201, "q"),
        ("q=%00", "q"),
        ("min_trust=T9", "min_trust"),
        ("min_trust=T0", "min_trust"),
        ("trust=T0", "trust"),
        ("trust=best", "trust"),
        ("gpu_count=two", "gpu_count"),
        ("gpu_count=-1", "gpu_count"),
        ("batch_size=9999999999", "batch_size"),
        ("batch_size=²", "batch_size"),
        ("size=huge", "size"),
        ("model=" + "a" * 201, "model"),
        ("model=%00", "model"),
        ("&".join(f"backend={n}" for n in range(101)), "backend"),
        ("ttft_ms_p90_max=fast", "ttft_ms_p90_max"),
        ("ttft_ms_p90_max=nan", "ttft_ms_p90_max"),
        ("ttft_ms_p90_max=1e999", "ttft_ms_p90_max"),
        ("columns=colour", "columns"),
        ("pue=-1", "pue"),
        ("usd_per_kwh=cheap", "usd_per_kwh"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("limit=9999999999999", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=bnVsbA==", "cursor"),
        ("cursor=é", "cursor"),
        ("cursor=WzEsMl0=", "cursor"),
        ("cursor=" + Cursor(1.0, uuid.UUID(int=1)).encode()[:-6], "cursor"),
        ("cursor=" + "W1tb" * 8000, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(url, field):
    found = errors(url)

    assert list(found) == [field]
    assert found[field]


def test_every_wrong_parameter_is_named_at_once():
    assert set(errors("view=x&sort=y&limit=z")) == {"view", "sort", "limit"}


@pytest.mark.parametrize("name", LIMITED)
def test_every_metric_can_be_limited(name):
    assert parse(f"{name}_min=1&{name}_max=2").limits == {(name, "min"): 1.0, (name, "max"): 2.0}


amounts = st.decimals(0, 10**9, places=3).map(float)
facets = st.fixed_dictionaries(
    {},
    optional={
        name: st.just(("1", "unknown"))
        if name in ("gpu_count", "batch_size")
        else st.just((next(iter(SIZES)),))
        if name == "size"
        else st.just(("T2", "T1"))
        if name == "trust"
        else st.lists(st.text("aé/&= +%?", min_size=1, max_size=9), min_size=1, max_size=3, unique=True).map(tuple)
        for name in FACETS
    },
)
states = st.builds(
    BoardQuery,
    view=st.sampled_from(["best", "all"]),
    sort=st.sampled_from([metric.name for metric in metrics.SORTABLE]),
    descending=st.booleans(),
    facets=facets,
    limits=st.dictionaries(st.tuples(st.sampled_from(LIMITED), st.sampled_from(["min", "max"])), amounts, max_size=3),
    q=st.text("aé&= +%", max_size=9).map(str.strip),
    min_trust=st.sampled_from([trust for trust in Trust if trust]),
    columns=st.lists(st.sampled_from(list(metrics.BY_NAME)), min_size=1, unique=True).map(tuple),
    prices=st.builds(Prices, *[st.none() | amounts] * 4),
    limit=st.integers(1, 500),
)


@given(states)
def test_a_state_survives_its_own_url(state):
    assert parse(state.url()) == state


@given(st.floats(allow_nan=False, allow_infinity=False), st.uuids(), st.integers(0, 10**9 - 1))
def test_a_cursor_survives_its_own_text(score, result, rows_before):
    cursor = Cursor(score, result, rows_before)

    assert parse(f"cursor={cursor.encode()}").cursor == cursor


@pytest.mark.parametrize("plain", [[True, "0" * 32, 0], [1.0, "0" * 32], [1.0, "0" * 32, -1], [1.0, "0" * 32, 10**9]])
def test_a_cursor_that_was_made_by_hand_is_refused(plain):
    text = base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()

    assert list(errors(f"cursor={text}")) == ["cursor"]


@given(st.text())
def test_no_text_in_a_cursor_raises_anything_but_the_error_that_pages_show(text):
    params = QueryDict(mutable=True)
    params["cursor"] = text

    with contextlib.suppress(BoardQueryError):
        parse_board_query(params)


def test_the_default_state_has_a_bare_url():
    assert BoardQuery().url("/") == "/"


def test_sorting_by_another_metric_shows_its_best_first_and_by_the_same_one_turns_round():
    by_power = BoardQuery().sorted_by(metrics.BY_NAME["avg_power_w"])

    assert (by_power.sort, by_power.descending) == ("avg_power_w", False)
    assert by_power.sorted_by(metrics.BY_NAME["avg_power_w"]).descending


def test_sorting_goes_back_to_the_first_page():
    query = BoardQuery(cursor=Cursor(1.0, uuid.uuid4()))

    assert query.sorted_by(metrics.BY_NAME["avg_power_w"]).cursor is None


@pytest.mark.parametrize(
    ("prices", "column"),
    [
        (Prices(), "cost_per_million_tokens_usd"),
        (Prices(usd_per_gpu_hour=3), metrics.GPU_SECONDS),
        (Prices(usd_per_kwh=0.3), "tokens_per_joule"),
        (Prices(usd_per_gpu_hour=3, usd_per_kwh=0.3), metrics.GPU_SECONDS),
    ],
)
def test_own_prices_choose_the_stored_column_that_orders_cost(prices, column):
    assert BoardQuery(sort="cost_per_million_tokens_usd", prices=prices).ranking == column


@pytest.mark.parametrize(
    ("sort", "descending", "is_best_first"),
    [
        ("tokens_per_joule", True, True),
        ("tokens_per_joule", False, False),
        ("avg_power_w", False, True),
        ("avg_power_w", True, False),
        ("energy_per_output_token_j", False, True),
    ],
)
def test_which_direction_is_best_first_depends_on_the_metric(sort, descending, is_best_first):
    assert BoardQuery(sort=sort, descending=descending).best_first == is_best_first


def test_taking_one_value_of_a_facet_away_keeps_the_others():
    query = BoardQuery(facets={"backend": ("vllm", "tgi"), "precision": ("fp8",)})

    assert query.without_facet("backend", "vllm").facets == {"backend": ("tgi",), "precision": ("fp8",)}
    assert query.without_facet("backend").facets == {"precision": ("fp8",)}


def test_taking_a_limit_away_keeps_the_others():
    query = BoardQuery(limits={("avg_power_w", "max"): 1.0, ("avg_power_w", "min"): 0.5})

    assert query.without_limit(("avg_power_w", "max")).limits == {("avg_power_w", "min"): 0.5}


def test_the_default_columns_are_metrics():
    assert set(DEFAULT_COLUMNS) <= set(metrics.BY_NAME)
