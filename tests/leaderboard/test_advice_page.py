"""/advice/ and the section on a model's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard.models import Trust
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def measure():
    """Publishes a result of one model on one GPU."""
    same = {
        "model": LanguageModelFactory(name="org/model-8b", title="Model 8B"),
        "hardware": HardwareFactory(slug="h100", name="H100"),
        "backend": BackendFactory(slug="vllm", name="vLLM"),
        "backend_version": "0.5.4",
        "dataset": "ShareGPT",
    }
    return lambda **fields: published_result(**{**same, **fields})


def advice(client, **params):
    response = client.get("/advice/", {"model": "org/model-8b", "hardware": "h100", **params})
    assert response.status_code == 200
    return text(response)


def test_without_a_model_it_asks_for_one(client):
    assert "Choose a model, then one of the GPUs" in text(client.get("/advice/"))


def test_a_measured_pair_becomes_advice_with_its_evidence(client, measure):
    before, after = measure(tokens_per_joule=2.0), measure(tokens_per_joule=5.0, batch_size=32)

    page = advice(client)

    assert "Batch size: from 8 to 32 2.5x the tokens per joule one measured pair" in page
    html = client.get("/advice/?model=org/model-8b&hardware=h100").content.decode()
    assert f'href="/compare/?result={before.pk}&amp;result={after.pk}"' in html


def test_what_nobody_measured_is_said(client, measure):
    measure()

    assert advice(client).count("No measured pair: no two results differ in this alone.") == 8


def test_the_figure_is_the_readers(client, measure):
    measure(tokens_per_joule=2.0, throughput_tokens_per_s=1000.0, itl_ms_p50=10.0)
    measure(tokens_per_joule=5.0, throughput_tokens_per_s=4000.0, itl_ms_p50=40.0, batch_size=32)

    assert "4.0x the output tokens per second" in advice(client, metric="throughput_tokens_per_s")
    assert "Batch size: from 32 to 8 0.25x the ITL p50" in advice(client, metric="itl_ms_p50")


def test_a_step_over_the_latency_limit_is_not_advised(client, measure):
    measure(tokens_per_joule=2.0, itl_ms_p50=10.0)
    measure(tokens_per_joule=3.0, itl_ms_p50=15.0, batch_size=16)
    measure(tokens_per_joule=9.0, itl_ms_p50=90.0, batch_size=128)
    measure(tokens_per_joule=9.9, batch_size=256)  # nobody knows its latency

    page = advice(client, itl_ms_p50_max="20")

    assert "Batch size: from 8 to 16 1.5x" in page
    assert "would end outside your limits." in page
    assert "to 128" not in page
    assert "to 256" not in page


def test_what_the_reader_runs_now_is_where_the_advice_begins(client, measure):
    for batch_size, efficiency in ((8, 2.0), (16, 3.0), (32, 4.5)):
        measure(tokens_per_joule=efficiency, batch_size=batch_size)

    assert "Batch size: from 16 to 32 1.5x" in advice(client, now_batch_size="16")


def test_a_start_that_nobody_measured_is_told(client, measure):
    measure()
    measure(batch_size=32)

    assert "Nobody measured batch size 7 with this model on this GPU" in advice(client, now_batch_size="7")


def test_evidence_of_other_models_says_so(client, measure):
    measure()
    other = LanguageModelFactory(name="org/other", title="Other", parameters_total_b=9.0)
    measure(model=other, tokens_per_joule=2.0)
    measure(model=other, tokens_per_joule=4.0, precision="fp8")

    page = advice(client)

    assert "from bf16 to fp8 2.0x the tokens per joule" in page
    assert "Measured on other models of a similar size, not on this one." in page


def test_models_of_another_size_are_no_evidence(client, measure):
    measure()
    large = LanguageModelFactory(name="org/large", parameters_total_b=70.0)
    measure(model=large, tokens_per_joule=2.0)
    measure(model=large, tokens_per_joule=4.0, precision="fp8")

    assert "fp8" not in advice(client)


def test_energy_scopes_are_not_mixed(client, measure):
    measure()
    measure(tokens_per_joule=9.0, batch_size=32, energy_scope="wall")

    assert "to 32" not in advice(client)


def test_results_hidden_by_trust_are_counted(client, measure):
    measure()
    measure(tokens_per_joule=9.0, batch_size=32, trust=Trust.SELF_REPORTED)

    page = advice(client)

    assert "1 result hidden by the trust filter." in page
    assert "to 32" not in page
    assert "to 32" in advice(client, min_trust="T1")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"model": "nobody/nothing"}, "The catalogue has no model “nobody/nothing”"),
        ({"hardware": "abacus"}, "The catalogue has no GPU “abacus”"),
        ({"metric": "beauty"}, "“beauty” is no figure to advise on."),
        ({"itl_ms_p50_max": "soon"}, "itl_ms_p50_max was left out"),
    ],
)
def test_what_is_wrong_in_the_address_is_told(client, measure, params, words):
    measure()

    assert words in advice(client, **params)


def test_a_page_of_a_model_has_the_steps_that_gain(client, measure):
    measure(tokens_per_joule=2.0)
    measure(tokens_per_joule=5.0, batch_size=32)

    page = text(client.get("/models/org/model-8b/"))

    assert "What to change first" in page
    assert "Batch size: from 8 to 32 2.5x the tokens per joule" in page
    assert "No measured pair" not in page


def test_a_page_of_a_model_without_pairs_has_no_advice(client, measure):
    measure()

    assert "What to change first" not in text(client.get("/models/org/model-8b/"))


def test_the_number_of_queries_does_not_grow_with_the_results(client, measure, django_assert_num_queries):
    for batch_size in (1, 2):
        measure(tokens_per_joule=float(batch_size), batch_size=batch_size)
    with CaptureQueriesContext(connection) as few:
        advice(client)
    for batch_size in (4, 8, 16, 32):
        measure(tokens_per_joule=float(batch_size), batch_size=batch_size)

    with django_assert_num_queries(len(few)):
        advice(client)
