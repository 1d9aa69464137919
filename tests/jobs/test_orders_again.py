"""An order under an Idempotency-Key that is sent again is one job, or one race."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from accounts.models import IdempotencyKey, Scope, User
from accounts.services.tokens import create_token
from jobs.limits import QUEUED_PER_PERSON
from jobs.models import Job, JobState, Race
from tests import factories
from tests.jobs.factories import CONFIG, JobFactory
from tests.jobs.racing import MODEL, racing_host

pytestmark = pytest.mark.django_db
ORDER = {"kind": "llem", "config": CONFIG, "simulate": False}


@pytest.fixture
def headers(db: None) -> dict[str, str]:
    factories.small_catalogue()
    user: User = factories.UserFactory(username="anna")
    token = create_token(user=user, name="script", scopes=[Scope.JOBS])[1]
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-1"}


def order(headers: dict[str, str], body: Any = ORDER) -> Any:
    return Client().post("/api/jobs", json.dumps(body), content_type="application/json", headers=headers)


def test_the_same_again_is_the_first_job(headers: dict[str, str]) -> None:
    first = order(headers)
    Job.objects.update(state=JobState.CANCELLED)

    second = order(headers)

    assert (second.status_code, second.content, second["Location"]) == (201, first.content, first["Location"])
    assert (first.headers.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Job.objects.count() == 1


def test_the_same_again_is_the_first_race(headers: dict[str, str]) -> None:
    hosts = [racing_host().agent.name]
    config = {"label": "Evening race", "model": MODEL, "use_cases": ["extraction"], "agents": hosts}

    first, second = (order(headers, {"kind": "race", "config": config, "simulate": False}) for _ in range(2))

    assert (second.status_code, second.content) == (201, first.content)
    assert (Race.objects.count(), Job.objects.count()) == (1, 1)


def test_names_in_another_order_are_the_same_body(headers: dict[str, str]) -> None:
    first = order(headers)

    assert order(headers, dict(reversed(ORDER.items()))).content == first.content


def test_another_order_is_refused_by_the_name_of_the_header(headers: dict[str, str]) -> None:
    order(headers)

    response = order(headers, {**ORDER, "simulate": True})

    assert (response.status_code, set(response.json()["error"]["fields"])) == (422, {"Idempotency-Key"})
    assert Job.objects.count() == 1


def test_a_refused_order_frees_the_key(headers: dict[str, str]) -> None:
    JobFactory.create_batch(QUEUED_PER_PERSON, owner=User.objects.get(username="anna"))
    assert order(headers).status_code == 429
    assert not IdempotencyKey.objects.exists()
    Job.objects.update(state=JobState.FAILED)

    assert order(headers).status_code == 201


def test_without_a_key_each_order_is_another_job(headers: dict[str, str]) -> None:
    del headers["Idempotency-Key"]

    assert [order(headers).status_code for _ in range(2)] == [201, 201]
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("round_number", range(3))
def test_many_at_once_are_one_job(headers: dict[str, str], round_number: int) -> None:
    barrier = Barrier(6)

    def one(_: int) -> Any:
        try:
            barrier.wait(10)
            return order(headers)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(one, range(6)))

    job = Job.objects.get()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {job.pk}
    assert all(answer["Retry-After"] == "20" for answer in answers if answer.status_code == 409)
