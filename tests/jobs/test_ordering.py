from __future__ import annotations

from typing import Any

import pytest
from django_q.models import OrmQ

from accounts.services.bans import Banned, ban
from jobs.config import LlemOrder
from jobs.limits import QUEUED_PER_PERSON
from jobs.models import Job, JobEvent, JobState
from jobs.queries.matching import matching_agents, only_simulated_hosts, place_if_ordered, position_of
from jobs.services.ordering import OrderRefused, draft_job, order_job
from leaderboard.models import ModelAlias
from leaderboard.services.quotas import OverQuota
from tests import factories
from tests.jobs.factories import AgentFactory, AttemptFactory, GpuFactory, JobFactory, ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> None:
    factories.small_catalogue()


def order_of(**fields: Any) -> LlemOrder:
    return LlemOrder.model_validate({"model": "org/model-8b", "engine": "vllm", **fields})


@pytest.mark.usefixtures("catalogue")
def test_an_order_is_queued_with_its_ticket_and_its_history() -> None:
    owner = factories.UserFactory()

    job = order_job(owner=owner, order=order_of(batch_sizes=[1, 8], hardware="h100"))

    assert (job.state, job.title, job.hardware.slug) == (
        JobState.QUEUED, "Model 8B, vLLM, bf16, batch 1 to 8", "h100"
    )  # fmt: skip
    assert OrmQ.objects.filter(pk=job.ticket_id).count() == 1
    assert list(JobEvent.objects.values_list("job", "event", "actor")) == [(job.pk, "submitted", owner.pk)]


@pytest.mark.usefixtures("catalogue")
def test_what_a_host_is_given_is_rendered_by_the_site() -> None:
    job = order_job(owner=factories.UserFactory(), order=order_of(seed=1), seed=77)

    assert "random_seed: 77" in job.rendered
    assert job.seed == 77


@pytest.mark.usefixtures("catalogue")
def test_a_host_must_have_the_memory_for_the_weights() -> None:
    job, _ = draft_job(owner=None, order=order_of(gpu_count=2))

    # 8 x 10^9 weights of 2 bytes and 15 % more, on two GPUs
    assert job.min_memory_mib == pytest.approx(8e9 * 2 * 1.15 / 2 / 2**20, abs=1)


@pytest.mark.usefixtures("catalogue")
def test_the_model_may_go_by_another_name() -> None:
    ModelAlias.objects.create(name="org/old-name", target=order_job_model())

    job = order_job(owner=factories.UserFactory(), order=order_of(model="org/old-name"))

    assert "model: org/model-8b" in job.rendered


def order_job_model() -> Any:
    return factories.LanguageModelFactory._meta.model.objects.get(name="org/model-8b")


def test_a_model_that_the_catalogue_does_not_know_is_refused() -> None:
    with pytest.raises(OrderRefused) as refused:
        order_job(owner=factories.UserFactory(), order=order_of())

    assert list(refused.value.fields) == ["model"]


def test_a_name_of_the_catalogue_that_is_no_repository_is_refused() -> None:
    target = factories.LanguageModelFactory(name="org/model with spaces")
    ModelAlias.objects.create(name="org/model-8b", target=target)

    with pytest.raises(OrderRefused) as refused:
        order_job(owner=factories.UserFactory(), order=order_of())

    assert list(refused.value.fields) == ["model"]


@pytest.mark.usefixtures("catalogue")
def test_hardware_that_the_catalogue_does_not_know_is_refused() -> None:
    with pytest.raises(OrderRefused) as refused:
        order_job(owner=factories.UserFactory(), order=order_of(hardware="no-such-gpu"))

    assert list(refused.value.fields) == ["hardware"]


@pytest.mark.usefixtures("catalogue")
def test_what_an_engine_would_refuse_is_refused_here() -> None:
    with pytest.raises(OrderRefused, match="max_num_batched_tokens"):
        order_job(
            owner=factories.UserFactory(), order=order_of(batch_sizes=[512], vllm={"max_num_batched_tokens": 128})
        )


@pytest.mark.usefixtures("catalogue")
def test_a_job_that_cannot_end_in_time_is_refused() -> None:
    order = order_of(n_prompts=2000, max_output_tokens=8192, n_cycles=10, hardware="h100")

    with pytest.raises(OrderRefused, match="no job may take more than 24"):
        order_job(owner=factories.UserFactory(), order=order)


@pytest.mark.usefixtures("catalogue")
def test_a_limit_below_the_estimate_is_refused() -> None:
    with pytest.raises(OrderRefused) as refused:
        order_job(owner=factories.UserFactory(), order=order_of(wall_minutes=5, n_prompts=500, hardware="h100"))

    assert list(refused.value.fields) == ["wall_minutes"]


@pytest.mark.usefixtures("catalogue")
def test_weights_that_the_chosen_gpu_cannot_hold_are_refused() -> None:
    factories.LanguageModelFactory(name="org/model-70b", parameters_total_b=70.0)

    with pytest.raises(OrderRefused) as refused:
        order_job(owner=factories.UserFactory(), order=order_of(model="org/model-70b", hardware="h100"))

    assert refused.value.fields == {"gpu_count": "the weights take 150 GiB of each GPU, and H100 SXM has 80"}


@pytest.mark.usefixtures("catalogue")
def test_nobody_has_more_than_their_share_of_the_queue() -> None:
    owner = factories.UserFactory()
    JobFactory.create_batch(QUEUED_PER_PERSON, owner=owner)

    with pytest.raises(OverQuota):
        order_job(owner=owner, order=order_of())


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("state", [JobState.FAILED, JobState.SUCCEEDED, JobState.CANCELLED, JobState.TIMED_OUT])
def test_jobs_that_are_over_count_no_more(state: JobState) -> None:
    owner = factories.UserFactory()
    JobFactory.create_batch(QUEUED_PER_PERSON, owner=owner, state=state)

    assert order_job(owner=owner, order=order_of()).pk


@pytest.mark.usefixtures("catalogue")
def test_a_job_that_its_host_failed_takes_no_second_place() -> None:
    owner = factories.UserFactory()
    failed_twice = JobFactory(owner=owner, attempts_used=2)
    AttemptFactory(job=failed_twice, state="done", outcome="infra_failed", verdict="late")
    JobFactory.create_batch(QUEUED_PER_PERSON - 2, owner=owner)

    assert order_job(owner=owner, order=order_of()).pk


@pytest.mark.usefixtures("catalogue")
def test_a_banned_person_orders_nothing() -> None:
    owner, moderator = factories.UserFactory(), factories.UserFactory(is_superuser=True, is_staff=True)
    ban(user=owner, by=moderator, reason="Spam.")

    with pytest.raises(Banned):
        order_job(owner=owner, order=order_of())

    assert not Job.objects.exists()


@pytest.mark.usefixtures("catalogue")
def test_a_draft_writes_nothing() -> None:
    draft_job(owner=factories.UserFactory(), order=order_of())

    assert not Job.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.usefixtures("catalogue")
def test_hosts_with_too_little_memory_or_another_kind_do_not_match() -> None:
    fits = GpuFactory(memory_mib=80_000).agent
    GpuFactory(memory_mib=8_000)
    GpuFactory(agent=AgentFactory(is_simulated=True), memory_mib=80_000)
    GpuFactory(agent=AgentFactory(last_seen_at=ago(3600)), memory_mib=80_000)
    job, _ = draft_job(owner=None, order=order_of())

    assert matching_agents(job, job.available_at) == [fits]


@pytest.mark.usefixtures("catalogue")
def test_the_place_that_is_promised_is_the_place_that_is_given() -> None:
    owner = factories.UserFactory()
    JobFactory.create_batch(2)
    JobFactory(priority=-5)
    draft, _ = draft_job(owner=owner, order=order_of())
    promised = place_if_ordered(draft, draft.available_at)

    given = position_of(order_job(owner=owner, order=order_of()), draft.available_at)

    assert (promised.position, given and given.position) == (3, 3)


def test_hosts_are_only_simulated_when_all_that_are_there_are() -> None:
    assert not only_simulated_hosts(ago(0))
    AgentFactory(is_simulated=True)
    assert only_simulated_hosts(ago(0))
    AgentFactory()
    assert not only_simulated_hosts(ago(0))
