"""What happens at the same moment, with threads on PostgreSQL: SQLite has one writer at a time and needs none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from jobs.config import LlemOrder
from jobs.limits import QUEUED_PER_PERSON, RUNNING_PER_PERSON
from jobs.models import Attempt, AttemptState, GpuHold, Job, JobEvent, JobState, Outcome
from jobs.services import claiming
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.errors import AgentRefused
from jobs.services.leases import sweep
from jobs.services.ordering import order_job
from jobs.services.race_ordering import RaceRefused, order_race
from leaderboard.services.quotas import OverQuota
from tests.factories import UserFactory, small_catalogue
from tests.jobs.factories import CONFIG, JobFactory
from tests.jobs.queueing import claim, finish, host, later, offered, queued, running
from tests.jobs.racing import order_of, racing_host

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Call all of them from threads that begin together; what one raises is its result."""
    barrier = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(10)
            return call()
        except (AgentRefused, JobRefused, OverQuota, RaceRefused) as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def test_one_job_goes_to_one_of_many_hosts():
    queued()
    hosts = [host() for _ in range(12)]

    answers = at_once([partial(claim, one) for one in hosts])

    assert len([answer for answer in answers if answer is not None]) == 1
    assert Attempt.objects.count() == 1


def test_many_hosts_get_a_job_each():
    jobs = [queued() for _ in range(12)]
    hosts = [host() for _ in jobs]

    answers = at_once([partial(claim, one) for one in hosts])

    assert sorted(answer.job_id for answer in answers) == [job.pk for job in jobs]


def test_the_same_claim_from_many_threads_is_one_offer():
    one = host(gpus=8)
    for _ in range(8):
        queued()

    answers = at_once([lambda: claim(one, "claim-a") for _ in range(8)])

    assert len({answer.pk for answer in answers}) == 1
    assert Attempt.objects.count() == GpuHold.objects.count() == 1


def test_one_gpu_is_given_once():
    one = host()
    for _ in range(8):
        queued()

    answers = at_once([lambda: claim(one) for _ in range(8)])

    assert len([answer for answer in answers if answer is not None]) == 1


def test_one_person_gets_no_more_than_their_share_from_many_hosts():
    owner = UserFactory()
    for _ in range(8):
        queued(owner=owner)
    hosts = [host() for _ in range(8)]

    at_once([partial(claim, one) for one in hosts])

    assert Job.objects.filter(state=JobState.OFFERED).count() == RUNNING_PER_PERSON


def test_two_orders_at_once_do_not_pass_the_quota():
    small_catalogue()
    owner = UserFactory()
    JobFactory.create_batch(QUEUED_PER_PERSON - 1, owner=owner)
    order = LlemOrder.model_validate(CONFIG)

    answers = at_once([lambda: order_job(owner=owner, order=order)] * 4)

    assert sum(isinstance(answer, Job) for answer in answers) == 1
    assert sum(isinstance(answer, OverQuota) for answer in answers) == 3
    assert Job.objects.filter(owner=owner).count() == QUEUED_PER_PERSON


def test_a_race_and_a_benchmark_at_once_do_not_pass_the_quota():
    small_catalogue()
    owner = UserFactory()
    JobFactory.create_batch(QUEUED_PER_PERSON - 1, owner=owner)
    order, race = LlemOrder.model_validate(CONFIG), order_of([racing_host()])

    at_once([lambda: order_job(owner=owner, order=order), lambda: order_race(owner=owner, order=race)])

    assert Job.objects.filter(owner=owner).count() == QUEUED_PER_PERSON


@pytest.mark.parametrize("round_number", range(3))
def test_a_cancellation_and_a_finish_never_contradict_each_other(round_number):
    attempt = running(host())

    cancelled, finished = at_once(
        [lambda: cancel_job(job=attempt.job, by=None), lambda: finish(attempt, Outcome.SUCCEEDED)]
    )

    job = Job.objects.get()
    assert (job.state, finished.job_state) == (JobState.SUCCEEDED, "succeeded")
    assert job.cancel_came_late != isinstance(cancelled, JobRefused)


@pytest.mark.parametrize("round_number", range(3))
def test_an_offer_is_accepted_or_cancelled(round_number):
    attempt = offered(host())

    accepted, _ = at_once([lambda: claiming.accept(attempt=attempt), lambda: cancel_job(job=attempt.job, by=None)])

    job = Job.objects.get()
    if isinstance(accepted, AgentRefused):
        assert (accepted.status, job.state) == (410, JobState.CANCELLED)
    else:
        assert job.state == JobState.RUNNING
        assert job.cancel_requested_at is not None


def test_a_report_that_comes_twice_at_once_counts_once():
    attempt = running(host())

    answers = at_once([lambda: finish(attempt)] * 6)

    assert {(answer.verdict, answer.job_state) for answer in answers} == {("accepted", "succeeded")}
    assert JobEvent.objects.filter(event="finished").count() == 1


def test_what_is_over_is_settled_once_by_many(monkeypatch):
    for _ in range(4):
        running(host())
    later(monkeypatch, minutes=17)

    settled = at_once([sweep] * 6)

    assert sum(settled) == 4
    assert Attempt.objects.filter(state=AttemptState.LOST).count() == 4
    assert JobEvent.objects.filter(event="lost").count() == 4


def test_a_host_that_returns_while_another_claims_leaves_one_of_them_at_work(monkeypatch):
    from jobs.services.leases import readopt

    lost = running(host())
    other = host()
    now = later(monkeypatch, minutes=17)
    sweep()
    lost.refresh_from_db()

    at_once([lambda: readopt(attempt=lost, now=now), lambda: claim(other)])

    active = Attempt.objects.filter(state__in=[AttemptState.OFFERED, AttemptState.RUNNING])
    assert active.count() == 1
    assert connection.vendor == "postgresql"
