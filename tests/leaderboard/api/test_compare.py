"""/api/compare: results side by side, and keeping a comparison."""

import json
import uuid

import pytest

from leaderboard.models import SavedComparison, SubmissionStatus, Visibility
from tests.factories import LanguageModelFactory, ResultFactory, SubmissionFactory, published_result
from tests.leaderboard.api.clients import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def two():
    same = {"model": LanguageModelFactory(name="org/model-8b"), "dataset": "ShareGPT"}
    statistics = {
        "tokens_per_joule": {"n": 4, "mean": 4.0, "sd": 0.01, "ci95_low": 3.9, "ci95_high": 4.1, "cv": 0.0025}
    }
    first = published_result(tokens_per_joule=4.0, statistics=statistics, runs=4, **same)
    fewer = {"tokens_per_joule": {**statistics["tokens_per_joule"], "mean": 2.0}}
    second = published_result(
        tokens_per_joule=2.0, statistics=fewer, runs=4, hardware=first.hardware, backend=first.backend,
        precision="fp8", **same,
    )  # fmt: skip
    return first, second


def compare(client, *results, **more):
    return client.get("/api/compare", {"result": [str(getattr(one, "pk", one)) for one in results], **more})


def test_two_results_are_set_against_each_other(anonymous, two):
    body = compare(anonymous, *two, metric="tokens_per_joule").json()

    assert [one["letter"] for one in body["results"]] == ["A", "B"]
    assert [one["id"] for one in body["results"]] == [str(one.pk) for one in two]
    (difference,) = body["differences"]
    assert (difference["best"], difference["other"], difference["factor"]) == ("A", "B", 2.0)
    assert difference["verdict"] == "clear"
    assert difference["p"] < 0.001


def test_only_what_differs_is_in_the_configuration(anonymous, two):
    body = compare(anonymous, *two).json()

    assert body["differs"] == [{"label": "Precision", "unit": "", "values": ["bf16", "fp8"]}]
    assert {"label": "Prompts", "unit": "", "values": ["ShareGPT"]} in body["same"]


def test_the_context_says_what_is_not_known(anonymous, two):
    body = compare(anonymous, *two).json()

    assert {"label": "Prompts", "kind": "same", "words": "ShareGPT"} in body["context"]
    assert not body["is_like_for_like"]
    assert [one["label"] for one in body["citations"]] == ["This comparison", "The data set"]


def test_models_are_compared_by_their_best(anonymous, two):
    other = published_result(model__name="org/other")

    body = anonymous.get("/api/compare", {"model": ["org/model-8b", "org/other"]}).json()

    assert [(one["id"], one["best_of"]) for one in body["results"]] == [
        (str(two[0].pk), "org/model-8b"),
        (str(other.pk), "org/other"),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "result"),
        ("?result=nonsense", "result"),
        (f"?result={uuid.UUID(int=1)}&result={uuid.UUID(int=2)}", "result"),
        ("?model=nobody/nothing", "model"),
        ("?metric=nothing", "metric"),
        ("?reslut=1", "reslut"),
        ("?itl_ms_p50_max=fast", "itl_ms_p50_max"),
    ],
)
def test_what_is_wrong_is_named(anonymous, query, field):
    response = anonymous.get(f"/api/compare{query}")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]


def test_nine_are_too_many(anonymous):
    assert compare(anonymous, *(published_result() for _ in range(9))).status_code == 400


def test_a_hidden_result_is_as_if_it_were_not_there(anonymous, foreign, owner, two):
    private = SubmissionFactory(owner=owner, visibility=Visibility.PRIVATE, status=SubmissionStatus.DRAFT)
    hidden = ResultFactory(submission=private)

    assert compare(anonymous, two[0], hidden).status_code == 400
    assert compare(foreign, two[0], hidden).status_code == 400
    assert compare(client_of(owner), two[0], hidden).status_code == 200


def test_nothing_is_sent_again_while_the_data_stands(anonymous, two):
    first = compare(anonymous, *two)

    again = anonymous.get(
        "/api/compare", {"result": [str(one.pk) for one in two]}, headers={"If-None-Match": first["ETag"]}
    )

    assert again.status_code == 304


def test_what_a_token_sees_is_not_cached(api, two):
    assert "ETag" not in compare(api, *two)


def post(client, **body):
    return client.generic("POST", "/api/compare", json.dumps(body).encode(), content_type="application/json")


def test_posting_keeps_it_and_answers_with_the_short_link(api, owner, two, settings):
    response = post(api, name="Mine", results=[str(one.pk) for one in two])

    saved = SavedComparison.objects.get(owner=owner)
    assert response.status_code == 201
    body = response.json()
    assert body["short_url"] == response["Location"] == f"{settings.SITE_URL}/l/{saved.link_id}/"
    assert body["url"].endswith(f"/compare/?result={two[0].pk}&result={two[1].pk}")
    assert (body["id"], body["name"]) == (saved.pk, "Mine")


def test_a_name_that_is_taken_is_a_conflict(api, two):
    post(api, name="Mine", results=[str(one.pk) for one in two])

    assert post(api, name="Mine", results=[str(one.pk) for one in two]).status_code == 409


@pytest.mark.parametrize("body", [{"name": "one"}, {"name": "x", "results": ["no id"]}, {"name": "x", "reslts": []}])
def test_what_cannot_be_kept_is_refused(api, body):
    assert post(api, **body).status_code == 400


def test_keeping_needs_a_token(anonymous, two):
    assert post(anonymous, name="Mine", results=[str(one.pk) for one in two]).status_code == 401


def test_the_number_of_queries_does_not_grow(anonymous, django_assert_num_queries):
    results = [published_result() for _ in range(8)]
    with django_assert_num_queries(4):
        compare(anonymous, *results[:2])
    with django_assert_num_queries(4):
        compare(anonymous, *results)
