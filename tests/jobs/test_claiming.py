"""Which job a host is offered, and what becomes of offers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from jobs.limits import DECLINES_PER_JOB, RUNNING_PER_PERSON
from jobs.models import Agent, Attempt, AttemptState, Decline, Gpu, GpuHold, Job, JobEvent, JobKind, JobState
from jobs.services import claiming
from jobs.services.cancelling import cancel_job
from jobs.services.errors import AgentRefused
from jobs.services.leases import sweep
from tests.factories import HardwareFactory, UserFactory
from tests.jobs.factories import AttemptFactory
from tests.jobs.queueing import claim, finish, host, later, offered, queued, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    """A host with one GPU."""
    return host()


def test_a_claimed_job_is_offered_with_a_gpu_that_nobody_else_has(one):
    job = queued()

    attempt = claim(one)

    job.refresh_from_db()
    assert (job.state, attempt.state, attempt.number) == (JobState.OFFERED, AttemptState.OFFERED, 1)
    assert attempt.gpu_uuids == [one.gpus[0].uuid]
    assert GpuHold.objects.get().gpu == one.gpus[0]


def test_the_first_ordered_comes_first(one):
    first = queued()
    queued()

    assert claim(one).job == first


def test_what_a_moderator_put_forward_comes_before_what_was_ordered_earlier(one):
    queued()
    urgent = queued(priority=5)

    assert claim(one).job == urgent


def test_a_job_that_does_not_fit_does_not_block_the_line(one):
    queued(gpu_count=8)
    small = queued()

    assert claim(one).job == small


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="it is about the plan of PostgreSQL")
def test_postgresql_does_not_sort_a_queue_that_it_takes_for_short(one):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    for _ in range(50):
        queued()

    with CaptureQueriesContext(connection) as asked:
        claim(one)

    (claiming_sql,) = [query["sql"] for query in asked if "SKIP LOCKED" in query["sql"]]
    settings, _, select = claiming_sql.rpartition("; ")
    with connection.cursor() as cursor:
        cursor.execute(settings)
        cursor.execute(f"EXPLAIN {select}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "job_claim" in plan
    assert "Sort" not in plan


def test_a_host_is_given_no_more_than_its_gpus(one):
    queued()
    queued()

    assert claim(one) is not None
    assert claim(one) is None


def test_a_host_with_two_gpus_runs_two_jobs():
    both = host(gpus=2)
    queued()
    queued()

    uuids = {claim(both).gpu_uuids[0], claim(both).gpu_uuids[0]}

    assert uuids == {gpu.uuid for gpu in both.gpus}


FITTING = {
    "enough memory": ({"min_memory_mib": 80_000}, {}, True),
    "too little memory": ({"min_memory_mib": 82_000}, {}, False),
    "as many GPUs": ({"gpu_count": 2}, {"gpus": 2}, True),
    "too few GPUs": ({"gpu_count": 3}, {"gpus": 2}, False),
    "no GPU wanted": ({"gpu_count": 0}, {"gpus": 0}, True),
    "its label": ({"label_wanted": "quiet"}, {"labels": ["quiet", "lab"]}, True),
    "another label": ({"label_wanted": "quiet"}, {"labels": ["lab"]}, False),
    "simulated on simulated": ({"is_simulated": True}, {"is_simulated": True}, True),
    "simulated on real": ({"is_simulated": True}, {}, False),
    "real on simulated": ({}, {"is_simulated": True}, False),
    "a process where there is no container": ({}, {"executors": ("process",)}, True),
    "nothing to run it with": ({}, {"executors": ("race",)}, False),
    "a race": ({"kind": JobKind.RACE}, {"executors": ("container", "race")}, True),
    "a race where none is run": ({"kind": JobKind.RACE}, {}, False),
}


@pytest.mark.parametrize(("job", "has", "fits"), FITTING.values(), ids=FITTING.keys())
def test_a_job_goes_only_to_a_host_that_can_run_it(job, has, fits):
    queued(**job)

    assert (claim(host(**has)) is not None) == fits


def test_a_job_for_one_kind_of_gpu_waits_for_it():
    wanted, other = HardwareFactory(), HardwareFactory()
    queued(hardware=wanted)

    assert claim(host(gpu={"hardware": other})) is None
    assert claim(host(gpu={"hardware": None})) is None
    assert claim(host(gpu={"hardware": wanted})) is not None


def test_the_gpus_of_one_job_are_all_alike():
    mixed = host(gpu={"hardware": HardwareFactory()})
    Gpu.objects.create(agent=mixed.agent, uuid="GPU-other", name="Another", memory_mib=81_559)
    queued(gpu_count=2)

    assert claim(mixed) is None


def test_the_smallest_gpu_that_does_is_taken():
    mixed = host(gpu={"memory_mib": 40_000})
    Gpu.objects.create(agent=mixed.agent, uuid="GPU-large", name=mixed.gpus[0].name, memory_mib=80_000)
    queued(min_memory_mib=20_000)

    assert claim(mixed).gpu_uuids == [mixed.gpus[0].uuid]


def test_a_job_for_one_host_waits_for_it(one):
    other = host()
    queued(agent_wanted=other.agent)

    assert claim(one) is None
    assert claim(other) is not None


@pytest.mark.parametrize(
    "trouble", [{"quarantined_at": timezone.now()}, {"is_present": False}], ids=["set aside", "gone"]
)
def test_a_gpu_that_is_out_of_service_gets_no_job(one, trouble):
    Gpu.objects.update(**trouble)
    queued()

    assert claim(one) is None


@pytest.mark.parametrize("state", [state for state in JobState if state != JobState.QUEUED])
def test_only_jobs_that_wait_are_offered(one, state):
    job = queued()
    Job.objects.filter(pk=job.pk).update(state=state)

    assert claim(one) is None


def test_a_job_without_its_ticket_is_not_offered(one):
    queued()
    OrmQ.objects.all().delete()

    assert claim(one) is None


def test_a_job_for_later_is_not_offered_before(one, monkeypatch):
    queued(available_at=timezone.now() + timedelta(minutes=10))

    assert claim(one) is None
    later(monkeypatch, minutes=11)
    assert claim(one) is not None


def test_a_person_has_only_so_many_jobs_that_run():
    owner = UserFactory()
    many = host(gpus=RUNNING_PER_PERSON + 1)
    for _ in range(RUNNING_PER_PERSON + 1):
        queued(owner=owner)
    other = queued()

    jobs = [claim(many).job for _ in range(RUNNING_PER_PERSON + 1)]

    assert jobs[-1] == other
    assert claim(many) is None


def test_lanes_of_a_race_are_not_counted_among_them():
    owner = UserFactory()
    many = host(gpus=4, executors=("race",))
    for _ in range(4):
        queued(owner=owner, kind=JobKind.RACE)

    assert all(claim(many) for _ in range(4))


def test_a_host_that_lost_a_job_does_not_get_it_while_another_could(one, monkeypatch):
    other = host()
    attempt = running(one)
    later(monkeypatch, minutes=20)
    sweep()
    Agent.objects.update(last_seen_at=timezone.now() + timedelta(minutes=20))

    assert claim(one) is None
    assert claim(other).job_id == attempt.job_id


def test_a_host_that_lost_a_job_gets_it_again_when_there_is_no_other(one, monkeypatch):
    attempt = running(one)
    later(monkeypatch, minutes=20)
    sweep()

    assert claim(one).job_id == attempt.job_id


def test_a_host_that_failed_a_job_does_not_get_it_while_another_could(one):
    host()
    finish(running(one), "infra_failed")

    assert claim(one) is None


def test_attempts_are_numbered(one):
    job = queued()
    finish(running(one, job), "infra_failed")

    assert claim(one).number == 2


def test_an_offer_that_is_not_accepted_goes_back(one, monkeypatch):
    attempt = offered(one)
    later(monkeypatch, seconds=31)

    assert sweep() == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.job.state) == (AttemptState.OFFER_EXPIRED, JobState.QUEUED)
    assert not GpuHold.objects.exists()


def test_a_claim_finds_what_another_host_did_not_accept(one, monkeypatch):
    attempt = offered(one)
    later(monkeypatch, seconds=31)

    assert claim(host()).job_id == attempt.job_id


def test_accepting_after_the_offer_is_over_starts_nothing(one, monkeypatch):
    attempt = offered(one)
    later(monkeypatch, seconds=31)

    with pytest.raises(AgentRefused) as refused:
        claiming.accept(attempt=attempt)

    assert (refused.value.status, refused.value.code) == (410, "offer_gone")
    assert Job.objects.get().state == JobState.OFFERED


def test_accepting_counts_the_attempt_and_begins_the_lease(one):
    before = timezone.now()

    attempt = running(one)

    assert attempt.lease_until is not None
    assert attempt.lease_until >= before + timedelta(seconds=60)
    assert (attempt.job.attempts_used, attempt.job.state) == (1, JobState.RUNNING)
    assert attempt.job.started_at is not None
    assert attempt.job.started_at >= before


def test_the_same_claim_gets_its_offer_even_when_the_host_drains(one):
    queued()
    attempt = claim(one, "claim-a")
    Agent.objects.update(is_draining=True)

    assert claim(one, "claim-a") == attempt


def test_the_same_claim_of_another_host_is_another_claim(one):
    queued()
    queued()

    assert claim(one, "claim-a") != claim(host(), "claim-a")


def test_a_host_that_declined_is_asked_again_only_after_a_while(one, monkeypatch):
    attempt = offered(one)
    claiming.decline(attempt=attempt, code="gpu_busy", detail="61 °C")

    assert claim(one) is None
    later(monkeypatch, minutes=11)
    assert claim(one).job_id == attempt.job_id


def test_another_host_may_take_what_one_declined_at_once(one):
    attempt = offered(one)
    claiming.decline(attempt=attempt, code="policy")

    assert claim(host()).job_id == attempt.job_id


def test_declining_twice_is_fine(one):
    attempt = offered(one)
    claiming.decline(attempt=attempt, code="policy")
    claiming.decline(attempt=attempt, code="policy")

    assert Decline.objects.count() == 1


def test_what_was_accepted_can_no_longer_be_declined(one):
    attempt = running(one)

    with pytest.raises(AgentRefused, match="infra_failed"):
        claiming.decline(attempt=attempt, code="policy")


def declined_by_all_but(one, declines):
    attempt = offered(one)
    for _ in range(declines):
        Decline.objects.create(job=attempt.job, agent=one.agent, code="policy")
    return claiming.decline(attempt=attempt, code="policy", detail="not this model")


def test_a_job_that_every_host_declined_often_has_failed(one):
    attempt = declined_by_all_but(one, DECLINES_PER_JOB - 1)

    job = Job.objects.get()
    assert (job.state, job.reason_code) == (JobState.FAILED, "nobody_can_run")
    assert job.reason == f"No host takes it. Last, {attempt.agent} declined: not this model"


def test_a_job_that_another_host_may_still_take_waits(one):
    host()

    declined_by_all_but(one, DECLINES_PER_JOB - 1)

    assert Job.objects.get().state == JobState.QUEUED


def test_an_offer_that_was_withdrawn_says_so_in_the_history(one):
    attempt = offered(one)

    cancel_job(job=attempt.job, by=attempt.job.owner, reason="wrong model")

    assert Attempt.objects.get().state == AttemptState.OFFER_EXPIRED
    assert JobEvent.objects.latest("pk").reason == "wrong model"


def test_the_race_executor_runs_a_race_and_the_simulated_one_a_simulated_benchmark():
    lane = queued(kind=JobKind.RACE, is_simulated=True)
    benchmark = queued(is_simulated=True)
    simulated = host(gpus=2, is_simulated=True, executors=("simulate", "race"))

    executors = {(attempt := claim(simulated)).job_id: attempt.executor for _ in range(2)}

    assert executors == {lane.pk: "race", benchmark.pk: "simulate"}


def test_a_claim_asks_the_same_however_long_the_queue(one, django_assert_max_num_queries):
    AttemptFactory()
    for _ in range(5):
        queued()

    with django_assert_max_num_queries(14):
        claim(one)


def test_a_host_out_of_service_is_told_so(one):
    Agent.objects.update(retired_at=timezone.now())

    with pytest.raises(AgentRefused) as refused:
        claim(one)

    assert (refused.value.status, refused.value.code) == (403, "retired")


def test_a_host_with_two_kinds_of_gpus_uses_the_kind_that_is_wanted():
    wanted = HardwareFactory()
    mixed = host(gpu={"hardware": HardwareFactory()})
    gpu = Gpu.objects.create(agent=mixed.agent, uuid="GPU-b", name="Another", memory_mib=81_559, hardware=wanted)
    queued(hardware=wanted)

    assert claim(mixed).gpu_uuids == [gpu.uuid]


@pytest.mark.parametrize(
    "act",
    [claiming.accept, lambda attempt: claiming.decline(attempt=attempt, code="policy")],
    ids=["accept", "decline"],
)
def test_an_attempt_that_is_gone_is_unknown(act):
    with pytest.raises(AgentRefused) as refused:
        act(attempt=Attempt())

    assert refused.value.status == 404
