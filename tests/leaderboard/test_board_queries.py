"""What the leaderboard shows, against a plain Python answer over random data."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from leaderboard import metrics
from leaderboard.board import DEFAULT_MIN_TRUST, SIZES, BoardQuery, Prices
from leaderboard.metrics import GPU_SECONDS, RANKED, SORTABLE, Better
from leaderboard.models import Result, SubmissionStatus, Trust
from leaderboard.presenting.board import cell_value
from leaderboard.queries import board as board_query
from leaderboard.queries.board import all_results, board_results
from leaderboard.services.ranking import rebuild_best_results
from leaderboard.services.scoring import apply_price
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    published_result,
)

pytestmark = pytest.mark.django_db

LEVELS = (Trust.SELF_REPORTED, Trust.PUBLISHED, Trust.CHECKS_PASSED, Trust.RUN_HERE)
MEASURED = tuple(name for name in RANKED if name not in (GPU_SECONDS, "cost_per_million_tokens_usd"))


def fill(seed: int, amount: int = 60) -> list[Result]:
    """Random results of few models, GPUs and backends; no two have an equal figure, some have none."""
    choose = random.Random(seed)
    models = [
        LanguageModelFactory(name="meta/llama", family="Llama", title="Llama", parameters_total_b=8.0),
        LanguageModelFactory(name="meta/llama-70", family="Llama", title="Llama 70", parameters_total_b=70.0),
        LanguageModelFactory(name="qwen/small", family="Qwen", title="Qwen", parameters_total_b=None),
    ]
    gpus = [HardwareFactory(slug="h100", name="H100"), HardwareFactory(slug="a10", name="A10", usd_per_gpu_hour=None)]
    backends = [BackendFactory(slug="vllm", name="vLLM"), BackendFactory(slug="tgi", name="TGI")]
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED)
    results = []
    for _ in range(amount):
        figures = {name: choose.choice([None, choose.uniform(0.1, 900)]) for name in MEASURED}
        per_joule = choose.choice([None, choose.uniform(0.1, 9)])
        figures |= {"tokens_per_joule": per_joule, "energy_per_output_token_j": per_joule and 1 / per_joule}
        result = ResultFactory.build(
            submission=submission,
            model=choose.choice(models),
            hardware=choose.choice(gpus),
            backend=choose.choice(backends),
            gpu_count=choose.choice([None, 1, 1, 2]),
            precision=choose.choice(["", "bf16", "fp8"]),
            batch_size=choose.choice([None, 1, 8]),
            energy_scope=choose.choice(["gpu", "gpu", "wall", ""]),
            trust=choose.choice(LEVELS),
            is_ranked=choose.random() < 0.9,
            **figures,
        )
        apply_price(result)
        results.append(result)
    Result.objects.bulk_create(results)
    rebuild_best_results()
    return results


def facet_value(result: Result, name: str) -> str:
    values: dict[str, Any] = {
        "hardware": result.hardware.slug,
        "model": result.model.name,
        "family": result.model.family,
        "backend": result.backend.slug,
        "trust": Trust(result.trust).code,
        "gpu_count": result.gpu_count,
        "batch_size": result.batch_size,
        "precision": result.precision,
        "energy_scope": result.energy_scope,
    }
    if name != "size":
        return str(values[name] or "unknown")
    size = result.model.parameters_total_b
    return next((key for key, (low, high) in SIZES.items() if size is not None and low <= size < high), "unknown")


def passes(result: Result, query: BoardQuery) -> bool:
    words = f"{result.model.name} {result.model.title} {result.hardware.name} {result.backend.slug}".lower()
    is_trusted = "trust" in query.facets or result.trust >= query.min_trust
    return (
        result.is_ranked
        and is_trusted
        and all(facet_value(result, name) in values for name, values in query.facets.items())
        and all(word.lower() in words for word in query.q.split())
        and all(is_within(result, query, *key, limit) for key, limit in query.limits.items())
    )


def is_within(result: Result, query: BoardQuery, column: str, edge: str, limit: float) -> bool:
    value = cell_value(result, metrics.BY_NAME[column], query.prices)
    return value is not None and (value >= limit if edge == "min" else value <= limit)


def expected(results: list[Result], query: BoardQuery) -> list[Result]:
    """The answer in plain Python: filter, keep the best of each group, sort."""
    measured = [r for r in results if passes(r, query) and getattr(r, query.ranking) is not None]
    is_high = RANKED[query.ranking] == Better.HIGHER
    ordered = sorted(measured, key=lambda r: getattr(r, query.ranking), reverse=is_high)
    if query.view == "best":
        groups: dict[Any, Result] = {}
        for result in ordered:
            groups.setdefault((result.model, result.hardware, result.gpu_count, result.energy_scope), result)
        ordered = [result for result in ordered if result in groups.values()]
    return ordered if query.best_first else ordered[::-1]


def random_query(choose: random.Random) -> BoardQuery:
    options = {
        "hardware": ["h100", "a10"],
        "gpu_count": ["1", "2", "unknown"],
        "family": ["Llama", "Qwen"],
        "size": ["4b-10b", "35b-80b", "unknown"],
        "model": ["meta/llama", "qwen/small", "nobody/nothing"],
        "backend": ["vllm", "tgi"],
        "precision": ["bf16", "fp8", "unknown"],
        "batch_size": ["1", "8", "unknown"],
        "trust": ["T1", "T2", "Published"],
        "energy_scope": ["gpu", "wall", "unknown"],
    }
    facets = {
        name: tuple(choose.sample(options[name], 2)) for name in choose.sample(list(options), choose.choice([0, 1, 2]))
    }
    columns = ["tokens_per_joule", "itl_ms_p50", "cost_per_million_tokens_usd"]
    limits = {(column, choose.choice(["min", "max"])): choose.uniform(0, 20) for column in choose.sample(columns, 1)}
    return BoardQuery(
        view=choose.choice(["best", "best", "all"]),
        sort=choose.choice(SORTABLE).name,
        descending=choose.choice([True, False]),
        facets=facets,
        limits=limits if choose.random() < 0.3 else {},
        q=choose.choice(["", "", "llama", "vllm h100", "nothing"]),
        min_trust=choose.choice(LEVELS),
        prices=choose.choice(
            [Prices(), Prices(usd_per_gpu_hour=3.0), Prices(usd_per_kwh=0.3), Prices(usd_per_kwh=0.0)]
        ),
        limit=500,
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_board_shows_what_a_plain_search_finds(seed):
    results = fill(seed)
    choose = random.Random(seed)

    for _ in range(40):
        query = random_query(choose)

        assert list(board_results(query).results) == expected(results, query), query


@pytest.mark.parametrize("view", ["best", "all"])
@pytest.mark.parametrize("descending", [True, False])
def test_every_metric_sorts_in_both_directions(view, descending):
    results = fill(7, amount=30)

    for metric in SORTABLE:
        query = BoardQuery(view=view, sort=metric.name, descending=descending, limit=500, min_trust=LEVELS[0])

        assert list(board_results(query).results) == expected(results, query), metric.name


@pytest.mark.parametrize("view", ["best", "all"])
@pytest.mark.parametrize("sort", ["tokens_per_joule", "itl_ms_p50", "energy_per_output_token_j"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("facets", [{}, {"batch_size": ("1", "8", "unknown")}], ids=["cells", "results"])
def test_paging_visits_every_row_once_and_in_order(view, sort, descending, facets):
    fill(3)
    query = BoardQuery(view=view, sort=sort, descending=descending, facets=facets, min_trust=LEVELS[0], limit=500)
    whole = list(board_results(query).results)

    assert walk(replace(query, limit=7)) == whole


def test_paging_through_equal_values_visits_every_row_once():
    place = {"model": LanguageModelFactory(), "hardware": HardwareFactory(), "backend": BackendFactory()}
    results = [published_result(**place, gpu_count=n, tokens_per_joule=2.0, itl_ms_p50=4.0) for n in range(1, 10)]

    for sort in ("tokens_per_joule", "itl_ms_p50"):
        for view in ("best", "all"):
            walked = walk(BoardQuery(view=view, sort=sort, limit=2))

            assert sorted(result.pk for result in walked) == sorted(result.pk for result in results)


def walk(query: BoardQuery) -> list[Result]:
    found: list[Result] = []
    while True:
        page = board_results(query)
        found += page.results
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


def test_the_last_page_that_is_just_full_has_no_next():
    fill(1)
    query = BoardQuery(view="all", min_trust=LEVELS[0], limit=500)
    total = len(board_results(query).results)

    assert board_results(replace(query, limit=total)).next_cursor is None


@pytest.mark.parametrize("facets", [{}, {"batch_size": ("8",)}], ids=["cells", "results"])
def test_a_group_with_very_many_rows_on_top_does_not_hide_the_others(monkeypatch, facets):
    monkeypatch.setattr(board_query, "ROWS_PER_GROUP", 1)
    place = {"model": LanguageModelFactory(), "hardware": HardwareFactory()}
    popular = [published_result(**place, tokens_per_joule=float(100 + n)) for n in range(12)]
    others = [published_result(tokens_per_joule=float(n)) for n in (3, 2, 1)]
    whole = [popular[-1], *others]

    assert list(board_results(BoardQuery(facets=facets)).results) == whole
    assert walk(BoardQuery(facets=facets, limit=2)) == whole


def test_a_page_takes_two_queries_however_many_rows_there_are(django_assert_num_queries):
    fill(1, amount=5)
    with django_assert_num_queries(2):
        list(board_results(BoardQuery(limit=500)).results)

    fill_more = SubmissionFactory(status=SubmissionStatus.PUBLISHED)
    for _ in range(20):
        published_result(submission=fill_more)

    with django_assert_num_queries(2):
        rows = board_results(BoardQuery(limit=500)).results
        assert all(row.model.name and row.hardware.name and row.backend.name for row in rows)


def test_the_default_view_hides_self_reported_results():
    shown = published_result(trust=DEFAULT_MIN_TRUST)
    published_result(trust=Trust.SELF_REPORTED)

    assert list(board_results(BoardQuery()).results) == [shown]


def test_an_integer_column_takes_any_limit():
    result = published_result(output_tokens=1000)
    none = BoardQuery(limits={("output_tokens", "min"): 1e300})
    every = BoardQuery(limits={("output_tokens", "max"): 1e300, ("output_tokens", "min"): 999.5})

    assert list(board_results(none).results) == []
    assert list(board_results(every).results) == [result]


def test_exports_hold_every_result_of_the_filters_in_order():
    results = fill(2)
    query = BoardQuery(view="all", facets={"hardware": ("h100",)})

    assert list(all_results(query)) == expected(results, query)
