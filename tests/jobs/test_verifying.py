from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from jobs.services.verifying import VerifyRefused, verify_result
from leaderboard.models import Backend, Hardware, LanguageModel, Result, Trust
from tests import factories
from tests.jobs.factories import GpuFactory

pytestmark = pytest.mark.django_db
DECLARED = {
    "task": {"model": "org/model-8b", "random_seed": 42, "dataset": {"source": "aienergyscore", "n_prompts": 60}},
    "engine": "vllm",
    "vllm": {"engine_params": {"dtype": "bfloat16", "max_num_seqs": 8, "block_size": 16}, "sampling_params": None},
}


@pytest.fixture
def result() -> Result:
    factories.small_catalogue()
    GpuFactory(hardware=Hardware.objects.get())
    return community_result()


def community_result(**fields: Any) -> Result:
    given: dict[str, Any] = {
        "model": LanguageModel.objects.get(),
        "hardware": Hardware.objects.get(),
        "backend": Backend.objects.get(),
        "max_input_tokens": 256,
        "max_output_tokens": 128,
        "config": DECLARED,
        **fields,
    }
    return factories.published_result(**given)


def test_the_same_configuration_is_run_with_another_seed(result: Result) -> None:
    job = verify_result(result=result, by=factories.UserFactory())

    assert (job.verifies, job.hardware) == (result, result.hardware)
    assert job.config["batch_sizes"] == [8]
    assert (job.config["n_prompts"], job.config["max_output_tokens"]) == (60, 128)
    assert job.config["vllm"] == {"block_size": 16}
    assert job.seed not in (0, 42)
    assert f"random_seed: {job.seed}" in job.rendered


def test_a_second_one_waits_for_the_first(result: Result) -> None:
    first = verify_result(result=result, by=factories.UserFactory())

    with pytest.raises(VerifyRefused, match=f"Job {first.pk} is verifying"):
        verify_result(result=result, by=factories.UserFactory())


@pytest.mark.usefixtures("result")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_output_tokens": None}, "max output tokens"),
        ({"precision": "int3"}, "precision"),
        ({"batch_size": None}, "batch sizes"),
        ({"config": {**DECLARED, "passthrough_kwargs": {"a": 1}}}, "passthrough_kwargs"),
        ({"config": {**DECLARED, "vllm": {"engine_params": {"hf_overrides": {"x": 1}}}}}, "vllm.hf_overrides"),
        ({"config": {}}, "Only what llem measured"),
        ({"config": {**DECLARED, "serving_mode": "server"}}, "Only what llem measured"),
        ({"trust": Trust.RUN_HERE}, "measured here already"),
    ],
    ids=[
        "no length",
        "precision",
        "no batch size",
        "handed on",
        "unknown setting",
        "no tool of ours",
        "a server",
        "run here",
    ],
)
def test_what_cannot_be_the_same_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(VerifyRefused, match=words):
        verify_result(result=community_result(**fields), by=factories.UserFactory())


def test_a_result_that_is_not_published_is_refused(result: Result) -> None:
    Result.objects.update(is_ranked=False)
    result.refresh_from_db()

    with pytest.raises(VerifyRefused, match="Only a published result"):
        verify_result(result=result, by=factories.UserFactory())


def test_without_a_host_of_this_kind_it_is_refused(result: Result) -> None:
    result.hardware = factories.HardwareFactory(slug="other")
    result.save()

    with pytest.raises(VerifyRefused, match="No host with this hardware"):
        verify_result(result=result, by=factories.UserFactory())

    assert not Job.objects.exists()


def test_the_button_on_the_results_page_orders_it(client: Client, result: Result) -> None:
    client.force_login(factories.UserFactory())
    assert f"/results/{result.pk}/verify/" in client.get(f"/results/{result.pk}/").content.decode()

    answer = client.post(f"/results/{result.pk}/verify/")

    assert answer["Location"] == f"/jobs/{Job.objects.get().pk}/"


def test_a_refusal_is_told_on_the_results_page(client: Client, result: Result) -> None:
    client.force_login(factories.UserFactory())
    client.post(f"/results/{result.pk}/verify/")

    page = client.post(f"/results/{result.pk}/verify/", follow=True)

    assert "is verifying this result already" in page.content.decode()


def test_readers_who_are_not_signed_in_see_no_button(client: Client, result: Result) -> None:
    page = client.get(f"/results/{result.pk}/").content.decode()

    assert "verify/" not in page
    assert f"/jobs/new/?from_result={result.pk}" in page
