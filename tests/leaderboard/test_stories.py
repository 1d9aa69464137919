"""Pages of models and GPUs tell what is best for which use, what moves the figures, and what stands near."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard.models import Trust
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return LanguageModelFactory(name="org/m", title="M 8B", family="Fam", parameters_total_b=8.0)


@pytest.fixture
def gpu():
    return HardwareFactory(slug="h100", name="H100", memory_gb=80.0)


@pytest.fixture
def same(model, gpu):
    """Everything equal but what a test varies."""
    backend = BackendFactory(slug="vllm", name="vLLM")
    return {"model": model, "hardware": gpu, "backend": backend, "backend_version": "0.9", "precision": "bf16",
            "gpu_count": 1, "energy_scope": "gpu"}  # fmt: skip


def test_the_most_efficient_configuration_is_named_in_a_sentence(client, same):
    published_result(**same, batch_size=1, tokens_per_joule=1.0)
    published_result(**same, batch_size=64, tokens_per_joule=4.0)

    shown = text(client.get("/models/org/m/"))

    assert "M 8B on 1 x H100 with vLLM 0.9, bf16, batch 64 gives the most tokens per joule measured here: 4" in shown


def test_what_the_batch_size_changes_is_said_with_both_ends(client, same):
    published_result(**same, batch_size=1, tokens_per_joule=0.5)
    published_result(**same, batch_size=16, tokens_per_joule=4.45)

    for path in ("/models/org/m/", "/hardware/h100/"):
        shown = text(client.get(path))
        assert "M 8B on 1 x H100, vLLM 0.9, bf16: going from batch 1 to 16 cuts J/token by 8.9x" in shown


def test_each_use_has_the_best_that_is_fast_enough(client, same):
    fast = published_result(**same, batch_size=1, tokens_per_joule=1.0, tpot_ms_mean=15.0)
    cheap = published_result(**same, batch_size=64, tokens_per_joule=4.0, tpot_ms_mean=45.0)

    page = client.get("/models/org/m/").context["story"]

    assert [row.configuration.url for row in page.uses] == [f"/results/{pk}/" for pk in (fast.pk, *[cheap.pk] * 3)]


def test_a_mean_gap_between_tokens_stands_in_where_a_result_has_that_alone(client, same):
    published_result(**same, tokens_per_joule=1.0, itl_ms_mean=15.0)

    row = client.get("/models/org/m/").context["story"].uses[0]

    assert row.time_per_token == "15.0"


def test_a_result_that_does_not_say_how_fast_it_is_answers_only_where_time_does_not_matter(client, same):
    published_result(**same, tokens_per_joule=9.0)

    uses = client.get("/models/org/m/").context["story"].uses

    assert [row.configuration is not None for row in uses] == [False, False, False, True]


def test_results_of_another_energy_scope_are_not_compared(client, same):
    published_result(**same, batch_size=1, tokens_per_joule=1.0)
    published_result(**same, batch_size=2, tokens_per_joule=2.0)
    published_result(**{**same, "energy_scope": "wall"}, tokens_per_joule=9.0)

    story = client.get("/models/org/m/").context["story"]

    assert story.uses[-1].efficiency == "2.000"


def test_self_reported_results_are_not_told(client, same):
    published_result(**same, tokens_per_joule=9.0, trust=Trust.SELF_REPORTED)

    assert client.get("/models/org/m/").context["story"] is None


def test_a_model_without_results_has_facts_and_no_story(client, model):
    response = client.get("/models/org/m/")

    assert response.status_code == 200
    assert response.context["story"] is None


def test_related_models_are_of_the_family_and_the_nearest_in_size_come_first(client, same):
    published_result(**same, tokens_per_joule=1.0)
    for name, family, size in (("far", "Fam", 70.0), ("near", "Fam", 7.0), ("other", "Else", 8.0)):
        other = LanguageModelFactory(name=f"org/{name}", title=name, family=family, parameters_total_b=size)
        published_result(**{**same, "model": other}, tokens_per_joule=2.0)

    related = client.get("/models/org/m/").context["story"].related

    assert [row.link.label for row in related] == ["near", "far"]
    assert related[0].efficiency == "2.000"


def test_related_gpus_are_those_nearest_in_memory(client, same):
    published_result(**same, tokens_per_joule=1.0)
    for slug, memory in (("small", 16.0), ("large", 96.0)):
        other = HardwareFactory(slug=slug, name=slug, memory_gb=memory)
        published_result(**{**same, "hardware": other}, tokens_per_joule=2.0)

    related = client.get("/hardware/h100/").context["story"].related

    assert [row.link.label for row in related] == ["large", "small"]


def test_a_story_takes_as_many_queries_for_twenty_results_as_for_two(client, same):
    for batch in (1, 2):
        published_result(**same, batch_size=batch, tokens_per_joule=float(batch))
    client.get("/models/org/m/")
    with CaptureQueriesContext(connection) as few:
        client.get("/models/org/m/")
    for batch in range(3, 21):
        published_result(**same, batch_size=batch, tokens_per_joule=float(batch))
    client.get("/models/org/m/")

    with CaptureQueriesContext(connection) as many:
        client.get("/models/org/m/")
    assert len(many) <= len(few)
