"""How many results stand behind each choice, and that the counts are never older than they may be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.cache import cache
from django_q.models import OrmQ

from leaderboard.board import BoardQuery, Prices
from leaderboard.models import FacetCounts, Result, Trust
from leaderboard.presenting import board as board_presenting
from leaderboard.presenting.board import board_page
from leaderboard.queries import facets
from leaderboard.queries.board import board_results
from leaderboard.queries.facets import count_facets, facet_counts, hidden_by_trust
from leaderboard.services.ranking import bump_data_version, unrank
from leaderboard.tasks import recount_facets
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result

pytestmark = pytest.mark.django_db


def test_each_facet_counts_the_results_that_pass_all_the_others():
    vllm = BackendFactory(slug="vllm")
    h100, a10 = HardwareFactory(slug="h100"), HardwareFactory(slug="a10")
    for hardware in (h100, h100, a10):
        published_result(hardware=hardware, backend=vllm)
    published_result(hardware=a10, backend=BackendFactory(slug="tgi"))

    counts = count_facets(BoardQuery(facets={"hardware": ("h100",)}))

    assert counts.facets["hardware"] == {"h100": 2, "a10": 2}
    assert counts.facets["backend"] == {"vllm": 2}
    assert counts.total == 2


def test_unknown_values_are_counted_under_unknown():
    model = LanguageModelFactory(parameters_total_b=None)
    published_result(model=model, gpu_count=None, batch_size=None, precision="", energy_scope="")

    counts = count_facets(BoardQuery())

    for name in ("gpu_count", "batch_size", "precision", "energy_scope", "size"):
        assert counts.facets[name] == {"unknown": 1}


def test_family_and_size_follow_from_the_model():
    for size in (0.5, 8.0, 8.5, 405.0):
        published_result(model=LanguageModelFactory(family="Llama", parameters_total_b=size))

    counts = count_facets(BoardQuery())

    assert counts.facets["family"] == {"Llama": 4}
    assert counts.facets["size"] == {"under-1b": 1, "4b-10b": 2, "over-80b": 1}


def test_a_model_filter_does_not_empty_the_other_choices_of_models():
    first, second = published_result(), published_result()

    counts = count_facets(BoardQuery(facets={"model": (first.model.name,)}))

    assert counts.facets["model"] == {first.model.name: 1, second.model.name: 1}


def test_totals_say_how_many_results_models_and_gpus_and_how_many_are_measured():
    place = {"hardware": HardwareFactory(), "model": LanguageModelFactory()}
    published_result(**place, itl_ms_p50=5.0)
    published_result(**place)
    published_result()

    counts = count_facets(BoardQuery(sort="itl_ms_p50"))

    assert (counts.total, counts.measured, counts.models, counts.hardware) == (3, 1, 2, 2)


def test_hidden_results_are_those_that_only_the_trust_filter_leaves_out():
    published_result(trust=Trust.PUBLISHED)
    hidden = published_result(trust=Trust.SELF_REPORTED)
    published_result(trust=Trust.SELF_REPORTED)
    query = BoardQuery(facets={"hardware": (hidden.hardware.slug,)})

    assert count_facets(BoardQuery()).hidden_by_trust(BoardQuery()) == 2
    assert count_facets(query).hidden_by_trust(query) == hidden_by_trust(query) == 1


def test_the_second_reader_of_a_state_gets_the_counts_without_counting(django_assert_max_num_queries):
    published_result()
    first = facet_counts(BoardQuery())

    with django_assert_max_num_queries(1):
        assert facet_counts(BoardQuery()) == first


def test_view_direction_columns_and_paging_share_one_count(django_assert_max_num_queries):
    published_result()
    query = BoardQuery()
    facet_counts(query)

    with django_assert_max_num_queries(1):
        facet_counts(replace(query, view="all", descending=False, columns=("avg_power_w",), limit=10))


@pytest.mark.parametrize(
    "change",
    [{"q": "gpu"}, {"min_trust": Trust.SELF_REPORTED}, {"sort": "avg_power_w"}, {"facets": {"trust": ("T1",)}},
     {"limits": {("avg_power_w", "max"): 5.0}}],
)  # fmt: skip
def test_another_filter_is_another_count(change):
    published_result()
    published_result(trust=Trust.SELF_REPORTED)

    facet_counts(BoardQuery())

    assert facet_counts(BoardQuery(**change)) == count_facets(BoardQuery(**change))


def test_own_prices_with_a_cost_limit_are_another_count():
    published_result(gpu_seconds_per_million_tokens=3600.0, cost_per_million_tokens_usd=2.0)
    query = BoardQuery(limits={("cost_per_million_tokens_usd", "max"): 3.0})
    assert facet_counts(query).total == 1

    assert facet_counts(replace(query, prices=Prices(usd_per_gpu_hour=4.0))).total == 0


def test_counts_are_fresh_after_a_publication():
    first = published_result()
    facet_counts(BoardQuery())

    published_result()
    assert facet_counts(BoardQuery()).total == 2

    unrank(Result.objects.filter(pk=first.pk))
    assert facet_counts(BoardQuery()).total == 1


def test_slow_counts_are_stored_and_answered_at_once_while_they_are_made_anew(monkeypatch):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    monkeypatch.setattr(facets, "COUNTED_AT_ONCE", 0)
    published_result()
    facet_counts(BoardQuery())
    published_result()

    stale = facet_counts(BoardQuery())

    assert stale.total == 1
    assert OrmQ.objects.get().func() == "leaderboard.tasks.recount_facets"
    facet_counts(BoardQuery())
    assert OrmQ.objects.count() == 1, "one recount at a time is enough"


def test_a_large_table_answers_a_new_state_with_its_choices_and_counts_behind(monkeypatch):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    monkeypatch.setattr(facets, "COUNTED_AT_ONCE", 0)
    published_result(precision="bf16")
    facet_counts(BoardQuery())
    query = BoardQuery(facets={"precision": ("fp8",)})

    first = facet_counts(query)
    recount_facets(query.url())
    second = facet_counts(query)

    assert (first.is_counted, first.is_current, set(first.facets["precision"])) == (False, False, {"bf16"})
    assert (second.is_counted, second.is_current, second.total) == (True, True, 0)


def test_a_page_whose_counts_are_still_being_made_is_not_kept(client, monkeypatch):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    monkeypatch.setattr(facets, "COUNTED_AT_ONCE", 0)
    published_result()
    client.get("/")

    counted, uncounted = client.get("/"), client.get("/?precision=fp8")
    published_result()
    stale = client.get("/")

    assert [page["Cache-Control"] for page in (counted, uncounted, stale)] == ["no-cache", "no-store", "no-store"]
    assert "being counted" in uncounted.content.decode()


def test_the_background_recount_brings_stored_counts_up_to_date(monkeypatch):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    published_result()
    query = BoardQuery(facets={"precision": ("bf16",)}, min_trust=Trust.SELF_REPORTED)
    facet_counts(query)
    published_result()

    recount_facets(query.url())
    recount_facets(query.url())

    assert facet_counts(query).total == 2
    assert FacetCounts.objects.count() == 1


def test_stored_counts_of_this_version_serve_a_process_that_has_none_yet(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    published_result()
    first = facet_counts(BoardQuery())
    cache.clear()

    with django_assert_max_num_queries(2):
        assert facet_counts(BoardQuery()) == first


def test_the_background_recount_forgets_states_that_nobody_asks_for(monkeypatch):
    monkeypatch.setattr(facets, "WORTH_STORING_S", 0)
    FacetCounts.objects.create(signature="old", version=1, counts={})
    FacetCounts.objects.update(counted_at="2020-01-01T00:00:00Z")
    bump_data_version()

    recount_facets("?precision=fp8")

    assert not FacetCounts.objects.filter(signature="old").exists()


def test_a_recount_of_a_state_that_is_no_longer_understood_does_nothing():
    recount_facets("?sort=gone")

    assert not FacetCounts.objects.exists()


def test_the_number_of_queries_does_not_grow_with_rows(django_assert_max_num_queries):
    for _ in range(3):
        published_result()
    with django_assert_max_num_queries(16) as few:
        count_facets(BoardQuery())
    for _ in range(15):
        published_result()

    with django_assert_max_num_queries(len(few.captured_queries)):
        count_facets(BoardQuery())


def test_a_facet_offers_its_most_frequent_choices_and_every_chosen_one(monkeypatch):
    monkeypatch.setattr(board_presenting, "MAX_OPTIONS", 1)
    for precision in ("bf16", "bf16", "fp8", "fp16"):
        published_result(precision=precision)
    query = BoardQuery(facets={"precision": ("fp16",)})

    page = board_page(query, board_results(query), facet_counts(query))

    offered = {facet.name: [option.value for option in facet.options] for facet in page.facets}
    assert offered["precision"] == ["bf16", "fp16"]
