from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.bans import ban
from jobs.config import LlemOrder
from jobs.forms import OrderForm
from jobs.limits import QUEUED_PER_PERSON
from jobs.models import Job
from leaderboard.models import Hardware, LanguageModel
from tests import factories
from tests.jobs.factories import AgentFactory, GpuFactory, JobFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner(client: Client) -> User:
    factories.small_catalogue()
    user: User = factories.UserFactory()
    client.force_login(user)
    return user


def filled(**fields: Any) -> dict[str, Any]:
    """What a browser sends for a form that is filled in."""
    shown = OrderForm.initial_of({"model": "org/model-8b", "engine": "vllm", **fields})
    return {name: value for name, value in shown.items() if value not in (None, False)}


def test_whoever_is_not_signed_in_is_sent_there_and_comes_back(client: Client) -> None:
    response = client.get("/jobs/new/?model=org/model-8b")

    assert response["Location"] == "/accounts/login/?next=/jobs/new/%3Fmodel%3Dorg/model-8b"


@pytest.mark.usefixtures("owner")
def test_the_page_begins_with_the_cell_that_is_empty(client: Client) -> None:
    page = client.get("/jobs/new/?model=org/model-8b&hardware=h100")

    assert page.context["form"]["model"].value() == "org/model-8b"
    assert page.context["form"]["hardware"].value() == "h100"
    assert "1 x H100 SXM" in page.content.decode()


@pytest.mark.usefixtures("owner")
def test_the_settings_of_an_empty_cell_are_filled_in(client: Client) -> None:
    cell = "model=org/model-8b&hardware=h100&backend=vllm&precision=fp16&batch_size=32&gpu_count=2"

    form = client.get(f"/jobs/new/?{cell}").context["form"]

    shown = [form[name].value() for name in ("engine", "precision", "batch_sizes", "gpu_count")]
    assert shown == ["vllm", "fp16", "32", 2]


@pytest.mark.usefixtures("owner")
def test_a_setting_of_a_cell_that_cannot_be_ordered_is_left_out(client: Client) -> None:
    form = client.get("/jobs/new/?batch_size=0&precision=int3&gpu_count=9999&backend=sglang").context["form"]

    shown = [form[name].value() for name in ("engine", "precision", "batch_sizes", "gpu_count")]
    assert shown == ["transformers", "bf16", "1", 1]


@pytest.mark.usefixtures("owner")
def test_a_preset_fills_the_form_in(client: Client) -> None:
    page = client.get("/jobs/new/?preset=energy")

    assert page.context["form"]["batch_sizes"].value() == "1, 8, 32, 64"


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("query", ["?from_result=x", "?from_job=x", "?from_job=0", "?preset=nothing", "?from_job=²"])
def test_a_beginning_that_is_not_there_is_an_empty_form(client: Client, query: str) -> None:
    assert client.get(f"/jobs/new/{query}").status_code == 200


@pytest.mark.usefixtures("owner")
def test_where_only_simulated_hosts_are_the_order_is_simulated(client: Client) -> None:
    AgentFactory(is_simulated=True)

    assert client.get("/jobs/new/").context["form"]["simulate"].value() is True


@pytest.mark.usefixtures("owner")
def test_what_is_typed_is_answered_with_the_plan_alone(client: Client) -> None:
    host = GpuFactory(memory_mib=80_000).agent

    answer = client.post("/jobs/new/", filled(batch_sizes=[1, 8], sweep={"max_output_tokens": [64, 128]}), headers=HTMX)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert "4 configurations x 3 cycles: 12 runs" in text
    assert "Number 1 in the queue" in text
    assert host.name in text
    assert "vllm.engine_params.max_num_seqs" in text
    assert not Job.objects.exists()


@pytest.mark.usefixtures("owner")
def test_what_is_wrong_is_told_at_its_field_while_it_is_typed(client: Client) -> None:
    answer = client.post("/jobs/new/", {**filled(), "batch_sizes": "1, x"}, headers=HTMX)

    assert answer.status_code == 200
    told = '<ul class="errors" id="errors-batch_sizes" hx-swap-oob="true"><li>Whole numbers only.</li></ul>'
    assert told in answer.content.decode()


@pytest.mark.usefixtures("owner")
def test_htmx_never_orders(client: Client) -> None:
    client.post("/jobs/new/", {**filled(), "order": "1"}, headers=HTMX)

    assert not Job.objects.exists()


def test_the_button_orders(client: Client, owner: User) -> None:
    answer = client.post("/jobs/new/", {**filled(batch_sizes=[4]), "order": "1"})

    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert (job.owner, job.config["batch_sizes"]) == (owner, [4])


@pytest.mark.usefixtures("owner")
def test_without_scripts_a_check_shows_the_plan_on_the_whole_page(client: Client) -> None:
    page = client.post("/jobs/new/", {**filled(), "check": "1"})

    assert page.status_code == 200
    assert "<html" in page.content.decode()
    assert page.context["plan"].title == "Model 8B, vLLM, bf16, batch 1"


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"model": "org/unknown"}, "model"),
        ({"model": "/etc/passwd"}, "model"),
        ({"precision": "int4"}, "precision"),
        ({"n_prompts": "0"}, "n_prompts"),
        ({"vllm-block_size": "17"}, "vllm-block_size"),
        ({"vary_1": "n_prompts"}, "vary_1_values"),
        ({"vary_1": "n_prompts", "vary_1_values": "5, 0"}, "vary_1_values"),
        ({"vary_1": "n_prompts", "vary_1_values": "5", "vary_2": "n_prompts", "vary_2_values": "6"}, "vary_2"),
        ({"vary_1": "precision", "vary_1_values": "bf16, fp1"}, "vary_1_values"),
        ({"batch_sizes": ", ".join(map(str, range(1, 18)))}, "batch_sizes"),
        ({"hardware": "no-such"}, "hardware"),
    ],
    ids=["unknown", "path", "engine", "zero", "choice", "no values", "a zero", "twice", "precision", "many", "gpu"],
)
def test_an_order_that_is_not_right_is_shown_again(client: Client, fields: dict[str, Any], place: str) -> None:
    page = client.post("/jobs/new/", {**filled(), **fields, "order": "1"})

    assert page.status_code == 422
    assert place in page.context["form"].errors
    assert not Job.objects.exists()


@pytest.mark.usefixtures("owner")
def test_an_engines_rule_stands_above_the_form(client: Client) -> None:
    page = client.post("/jobs/new/", {**filled(batch_sizes=[512]), "vllm-max_num_batched_tokens": "128", "order": "1"})

    assert "max_num_batched_tokens (128) must be greater than" in page.content.decode()


@pytest.mark.usefixtures("owner")
def test_fields_that_are_not_in_the_form_reach_nothing(client: Client) -> None:
    hostile = {"trust_remote_code": "true", "vllm-trust_remote_code": "true", "images": "x", "passthrough_kwargs": "{}"}

    client.post("/jobs/new/", {**filled(), **hostile, "order": "1"})

    job = Job.objects.get()
    assert not any(name.removeprefix("vllm-") in job.rendered for name in hostile)


def test_someone_with_a_full_share_is_told_so(client: Client, owner: User) -> None:
    JobFactory.create_batch(QUEUED_PER_PERSON, owner=owner)

    page = client.post("/jobs/new/", {**filled(), "order": "1"})

    assert (page.status_code, page["Retry-After"]) == (429, "60")


def test_a_banned_person_is_told_why(client: Client, owner: User) -> None:
    ban(user=owner, by=factories.UserFactory(is_superuser=True), reason="Spam.")

    page = client.post("/jobs/new/", {**filled(), "order": "1"})

    assert page.status_code == 403
    assert "Spam." in page.content.decode()


def test_running_a_job_again_keeps_where_it_is_from(client: Client, owner: User) -> None:
    first = JobFactory(owner=owner, config={"model": "org/model-8b", "engine": "vllm", "batch_sizes": [2, 4]})
    page = client.get(f"/jobs/new/?from_job={first.pk}")
    assert page.context["form"]["batch_sizes"].value() == "2, 4"

    client.post("/jobs/new/", {**filled(), "copied_from": str(first.pk), "order": "1"})

    assert Job.objects.exclude(pk=first.pk).get().copied_from == first


@pytest.mark.usefixtures("owner")
def test_a_result_is_run_again_with_what_can_be_ordered_of_it(client: Client) -> None:
    result = factories.published_result(
        model=LanguageModel.objects.get(), hardware=Hardware.objects.get(), precision="bf16", batch_size=16,
        backend=factories.BackendFactory(slug="llama-cpp"), max_output_tokens=128,
    )  # fmt: skip

    page = client.get(f"/jobs/new/?from_result={result.pk}")

    form = page.context["form"]
    assert (form["batch_sizes"].value(), form["max_output_tokens"].value(), form["hardware"].value()) == (
        "16", 128, "h100"
    )  # fmt: skip
    assert "is no engine of llem" in page.content.decode()


def test_every_field_of_an_order_is_in_the_form() -> None:
    names = set(OrderForm().fields)

    assert set(LlemOrder.model_fields) - names == {"sweep", "transformers", "vllm", "tensorrt"}
