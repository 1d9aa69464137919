from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Scope, User
from accounts.services.tokens import create_token
from jobs.limits import QUEUED_PER_PERSON
from jobs.models import Job, JobState
from tests import factories
from tests.jobs.factories import AttemptFactory, GpuFactory, JobFactory, write_log

pytestmark = pytest.mark.django_db
CONFIG = {"model": "org/model-8b", "engine": "vllm", "precision": "bf16", "batch_sizes": [1, 8]}


@pytest.fixture
def owner() -> User:
    factories.small_catalogue()
    user: User = factories.UserFactory(username="anna")
    return user


def post(client: Client, path: str, user: User, body: Any, scopes: tuple[str, ...] = (Scope.JOBS,)) -> Any:
    token = create_token(user=user, name="script", scopes=list(scopes))[1]
    return client.post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"})


def order(client: Client, user: User, **config: Any) -> Any:
    return post(client, "/api/jobs", user, {"kind": "llem", "config": {**CONFIG, **config}, "simulate": False})


def test_an_order_is_answered_with_its_place_and_estimate(client: Client, owner: User) -> None:
    GpuFactory(memory_mib=80_000)

    response = order(client, owner, hardware=None)

    assert response.status_code == 201
    body, job = response.json(), Job.objects.get()
    assert set(body) == {"id", "state", "position", "estimate", "url"}
    assert (body["id"], body["state"], body["position"]) == (job.pk, "queued", 1)
    assert body["url"] == f"http://testserver/jobs/{job.pk}/"
    assert response["Location"] == f"http://testserver/api/jobs/{job.pk}"


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"trust_remote_code": True}, {"config.trust_remote_code": "there is no such field"}),
        ({"vllm": {"worker_cls": "x"}}, {"config.vllm.worker_cls": "there is no such field"}),
        ({"image": "evil:latest"}, {"config.image": "there is no such field"}),
        ({"batch_sizes": [1, "8"]}, {"config.batch_sizes.1": "whole numbers only"}),
        ({"model": "/etc/passwd"}, {"config.model": "written as org/name, such as Qwen/Qwen2.5-7B-Instruct"}),
        ({"model": "org/unknown"}, {"config.model": "not in the catalogue; a moderator can add it"}),
    ],
    ids=["remote code", "class", "image", "batch size", "path", "unknown model"],
)
def test_what_cannot_be_ordered_is_named(client: Client, owner: User, more: Any, fields: Any) -> None:
    response = order(client, owner, **more)

    assert (response.status_code, response.json()["error"]["fields"]) == (422, fields)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"kind": "fetch", "config": CONFIG}, "kind"),
        ({"kind": "llem", "config": None}, "config"),
        ({"config": CONFIG, "env": {}}, "env"),
        ({"config": CONFIG, "simulate": "yes"}, "simulate"),
        ({"config": CONFIG, "image": "x"}, "image"),
    ],
    ids=["a list", "another kind", "no config", "environment", "no flag", "image"],
)
def test_what_stands_around_the_configuration_is_checked(client: Client, owner: User, body: Any, field: str) -> None:
    response = post(client, "/api/jobs", owner, body)

    assert response.status_code == 422
    assert field in response.json()["error"]["fields"]


def test_a_token_needs_the_scope(client: Client, owner: User) -> None:
    response = post(client, "/api/jobs", owner, {"config": CONFIG}, scopes=(Scope.READ, Scope.SUBMIT))

    assert response.status_code == 403


def test_more_than_ones_share_is_refused_for_a_while(client: Client, owner: User) -> None:
    JobFactory.create_batch(QUEUED_PER_PERSON, owner=owner)

    response = order(client, owner)

    assert (response.status_code, response["Retry-After"]) == (429, "60")


def test_a_simulated_job_says_so(client: Client, owner: User) -> None:
    post(client, "/api/jobs", owner, {"config": CONFIG, "simulate": True})

    assert Job.objects.get().is_simulated


def test_an_estimate_orders_nothing(client: Client, owner: User) -> None:
    host = GpuFactory(memory_mib=80_000).agent

    body = post(client, "/api/jobs/estimate", owner, {"config": {**CONFIG, "hardware": None}}).json()

    assert (body["configurations"], body["runs"], body["position"], body["hosts"]) == (2, 6, 1, [host.name])
    assert "vllm.engine_params.max_num_seqs" in body["config_yaml"]
    assert not Job.objects.exists()


def test_jobs_are_listed_newest_first_and_filtered(client: Client, owner: User) -> None:
    first, second = JobFactory(owner=owner), JobFactory(state=JobState.FAILED)

    assert [job["id"] for job in client.get("/api/jobs").json()["results"]] == [second.pk, first.pk]
    assert [job["id"] for job in client.get("/api/jobs?state=queued").json()["results"]] == [first.pk]
    assert [job["id"] for job in client.get("/api/jobs?owner=anna").json()["results"]] == [first.pk]
    assert client.get("/api/jobs?state=gone").status_code == 400
    assert client.get("/api/jobs?status=queued").status_code == 400


def test_a_list_takes_as_many_queries_for_more_jobs(client: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        AttemptFactory()

    with django_assert_max_num_queries(4):
        client.get("/api/jobs")


def test_a_job_shows_its_attempts(client: Client) -> None:
    attempt = AttemptFactory()

    body = client.get(f"/api/jobs/{attempt.job_id}").json()

    assert body["attempts"][0]["host"] == attempt.agent.name
    assert body["position"] is None


def test_the_owner_cancels_and_a_second_time_is_too_late(client: Client, owner: User) -> None:
    job = JobFactory(owner=owner)

    first = post(client, f"/api/jobs/{job.pk}/cancel", owner, {"reason": "a typo"})
    second = post(client, f"/api/jobs/{job.pk}/cancel", owner, {})

    assert (first.status_code, first.json()["state"], second.status_code) == (200, "cancelled", 409)


def test_a_stranger_cancels_nothing(client: Client, owner: User) -> None:
    job = JobFactory()

    assert post(client, f"/api/jobs/{job.pk}/cancel", owner, {}).status_code == 404
    assert Job.objects.get().state == JobState.QUEUED


def test_a_log_is_answered_as_the_host_sent_it(client: Client) -> None:
    attempt = write_log(AttemptFactory(), b"one\n", b"\x1b[32mtwo\x1b[0m\n")

    response = client.get(f"/api/jobs/{attempt.job_id}/log")

    assert b"".join(response) == b"one\n\x1b[32mtwo\x1b[0m\n"
    assert response["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("after", "left"),
    [(0, b"one\ntwo\n"), (2, b"e\ntwo\n"), (4, b"two\n"), (8, b""), (10**17, b"")],
    ids=["all", "within", "a stretch", "the end", "behind the end"],
)
def test_a_log_is_answered_from_where_its_reader_is(client: Client, after: int, left: bytes) -> None:
    attempt = write_log(AttemptFactory(), b"one\n", b"two\n")

    response = client.get(f"/api/jobs/{attempt.job_id}/log?after={after}")

    assert b"".join(response) == left
    assert (response["X-Log-Attempt"], response["X-Log-Next"]) == ("1", str(after + len(left)))


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "9" * 19], ids=["minus", "word", "empty", "part", "too long"])
def test_a_place_that_is_none_is_named(client: Client, after: str) -> None:
    attempt = write_log(AttemptFactory(), b"one\n")

    response = client.get(f"/api/jobs/{attempt.job_id}/log", {"after": after})

    assert (response.status_code, set(response.json()["error"]["fields"])) == (400, {"after"})


@pytest.mark.parametrize(("query", "status"), [("", 404), ("?attempt=1", 404), ("?attempt=x", 400), ("?x=1", 400)])
def test_a_log_that_is_not_there_is_not_found(client: Client, query: str, status: int) -> None:
    job = JobFactory()

    assert client.get(f"/api/jobs/{job.pk}/log{query}").status_code == status
