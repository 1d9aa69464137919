"""The frontier that the walks through two indexes find is that of all rows."""

from __future__ import annotations

import random

import pytest

from leaderboard.analysis.frontier import pareto
from leaderboard.metrics import RANKED, Better
from leaderboard.models import Result
from leaderboard.queries.frontier import frontier
from tests.factories import ResultFactory, SubmissionFactory, published_result

pytestmark = pytest.mark.django_db
PAIRS = [
    ("itl_ms_p50", "tokens_per_joule"),
    ("throughput_tokens_per_s", "tokens_per_joule"),
    ("ttft_ms_p90", "gpu_seconds_per_million_tokens"),
    ("throughput_tokens_per_s", "avg_power_w"),
]


@pytest.fixture
def results():
    """Two hundred with few distinct figures, so that ties abound, and some figures missing."""
    chance = random.Random(6)
    columns = {column for pair in PAIRS for column in pair}
    one = published_result()
    shared = {"model": one.model, "hardware": one.hardware, "backend": one.backend}
    rows = ResultFactory.build_batch(200, submission=SubmissionFactory(), is_ranked=True, **shared)
    for row in rows:
        for column in columns:
            setattr(row, column, None if chance.random() < 0.1 else float(chance.randrange(1, 25)))
    Result.objects.bulk_create(rows)
    return Result.objects.ranked().exclude(pk=one.pk)


@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_both_walks_together_find_the_whole_frontier(results, x, y):
    rows = [row for row in results.values_list(x, y) if None not in row]
    expected = pareto(rows, RANKED[x] == Better.HIGHER, RANKED[y] == Better.HIGHER)

    found = [(spot[0], spot[1]) for spot in frontier(results, x, y)]

    # Of equal points the walks bring one.
    assert found == list(dict.fromkeys(rows[place] for place in expected))


def test_equal_points_that_the_walks_meet_from_both_ends_are_one(db):
    one = published_result(itl_ms_p50=1.0, tokens_per_joule=9.0)
    same = {"submission": one.submission, "model": one.model, "hardware": one.hardware, "backend": one.backend}
    equal = {"itl_ms_p50": 1.0, "tokens_per_joule": 9.0}
    Result.objects.bulk_create(ResultFactory.build_batch(5, is_ranked=True, **same, **equal))

    found = frontier(Result.objects.ranked(), "itl_ms_p50", "tokens_per_joule")

    assert [spot[:2] for spot in found] == [(1.0, 9.0)]


def test_a_filter_holds_on_the_walk(results):
    low = results.filter(tokens_per_joule__lte=12)

    found = frontier(low, "itl_ms_p50", "tokens_per_joule")

    rows = [row for row in low.values_list("itl_ms_p50", "tokens_per_joule") if None not in row]
    assert {spot[:2] for spot in found} == {rows[place] for place in pareto(rows, higher_x=False, higher_y=True)}


def test_nothing_has_no_frontier(db):
    assert frontier(Result.objects.none(), *PAIRS[0]) == []
