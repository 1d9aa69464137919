"""Results as points for charts: all of them while they fit, else a sample that says so and never lacks the frontier."""

from __future__ import annotations

import pytest

from leaderboard.board import BoardQuery, Prices
from leaderboard.models import Trust
from leaderboard.queries.points import points
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result

pytestmark = pytest.mark.django_db
BOTH = ("itl_ms_p50", "tokens_per_joule")


@pytest.fixture
def shared():
    return {"model": LanguageModelFactory(), "hardware": HardwareFactory(), "backend": BackendFactory()}


def test_those_that_lack_a_figure_are_no_points(shared):
    both = published_result(itl_ms_p50=10.0, **shared)
    published_result(itl_ms_p50=None, **shared)

    found = points(BoardQuery(), BOTH)

    assert [point.id for point in found.points] == [both.pk]
    assert (found.total, found.is_sampled, found.total_words) == (1, False, "1")


def test_a_point_has_the_names_and_the_figures_at_the_readers_prices(shared):
    result = published_result(itl_ms_p50=10.0, energy_per_output_token_j=0.36, batch_size=4, **shared)

    (point,) = points(BoardQuery(prices=Prices(usd_per_kwh=0.5, pue=1.0)), ("cost_per_million_tokens_usd",)).points

    assert point.model_title == shared["model"].title
    assert (point.hardware, point.backend, point.batch_size) == (shared["hardware"].slug, shared["backend"].slug, 4)
    assert (point.id, point.trust) == (result.pk, Trust.CHECKS_PASSED)
    assert point.values == {"cost_per_million_tokens_usd": pytest.approx(0.36 * 1e6 / 3.6e6 * 0.5)}


def test_a_sample_holds_the_frontier_and_says_about_how_many_there_are(shared):
    best = {published_result(itl_ms_p50=float(i), tokens_per_joule=float(i), **shared).pk for i in range(1, 4)}
    for i in range(40):
        published_result(itl_ms_p50=50.0 + i, tokens_per_joule=0.5 - i / 100, **shared)

    found = points(BoardQuery(), BOTH, most=8)

    assert best <= {point.id for point in found.points}
    assert len(found.points) <= 8 + len(best)
    assert found.is_sampled
    assert found.total_words.startswith("about ")


def test_a_sample_is_the_same_each_time(shared):
    for i in range(30):
        published_result(itl_ms_p50=50.0 + i, **shared)

    first, second = (points(BoardQuery(), BOTH, most=5).points for _ in range(2))

    assert first == second


def test_a_sample_holds_what_it_must(shared):
    results = [published_result(itl_ms_p50=50.0 + i, **shared) for i in range(20)]
    wanted = max(result.pk for result in results)

    found = points(BoardQuery(), BOTH, most=5, always=[wanted])

    assert wanted in {point.id for point in found.points}


def test_few_that_keep_a_limit_are_all_shown(shared):
    near = {published_result(itl_ms_p50=5.0, **shared).pk for _ in range(3)}
    for i in range(30):
        published_result(itl_ms_p50=50.0 + i, **shared)

    found = points(BoardQuery(limits={("itl_ms_p50", "max"): 6.0}), BOTH, most=8)

    assert {point.id for point in found.points} == near
    assert found.total == 3
