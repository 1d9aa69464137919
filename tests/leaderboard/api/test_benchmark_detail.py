from __future__ import annotations

import uuid

import pytest

from leaderboard.models import Result, Submission, SubmissionStatus, Visibility
from tests.factories import published_result
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, client_of, post_json, stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(submission_id) -> str:
    return f"{BENCHMARKS}/{Result.objects.get(submission=submission_id).pk}"


def test_a_result_is_shown_with_findings_and_configuration(api, url):
    body = api.get(url).json()

    assert body["tokens_per_joule"] == SAMPLE["tokens_per_joule"]
    assert body["provenance"]["tokens_per_joule"] == "file"
    assert {"findings", "config", "environment", "file", "warnings"} <= set(body)


def test_a_published_result_is_shown_to_everyone(anonymous):
    result = published_result(energy_per_output_token_j=3.6)

    body = anonymous.get(f"{BENCHMARKS}/{result.pk}?co2_g_per_kwh=100&pue=1").json()

    assert body["co2_g_per_million_tokens"] == pytest.approx(100.0)


def test_an_unknown_parameter_is_named(api, url):
    assert "price" in api.get(f"{url}?price=2").json()["error"]["fields"]


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("who", ["foreign", "nobody"])
def test_a_draft_does_not_exist_for_a_stranger(request, foreign, url, method, who):
    address = url if who == "foreign" else f"{BENCHMARKS}/{uuid.uuid4()}"

    assert getattr(foreign, method)(address).status_code == 404
    assert Result.objects.exists()


def test_a_draft_does_not_exist_for_the_anonymous(anonymous, url):
    assert anonymous.get(url).status_code == 404
    assert anonymous.get(f"{url}/raw").status_code == 404
    assert anonymous.patch(url).status_code == 401
    assert anonymous.delete(url).status_code == 401


def test_ones_own_draft_needs_the_scope_read(owner, url):
    response = client_of(owner, "submit").get(url)

    assert response.status_code == 403
    assert "read" in response.json()["error"]["message"]


def test_changing_needs_the_scope_submit(owner, url):
    reading = client_of(owner, "read")

    assert reading.patch(url, {"stated": {}}).status_code == 403
    assert reading.delete(url).status_code == 403


def test_a_published_result_of_others_cannot_be_changed(foreign):
    result = published_result()

    assert foreign.patch(f"{BENCHMARKS}/{result.pk}", {"stated": {}}).status_code == 404
    assert foreign.delete(f"{BENCHMARKS}/{result.pk}").status_code == 404


def test_stating_what_the_file_lacks_keeps_the_address(api, url):
    body = api.patch(url, {"stated": {"concurrency": 4}}).json()

    assert body["concurrency"] == 4
    assert body["provenance"]["concurrency"] == "stated"
    assert url.endswith(body["id"])


@pytest.mark.parametrize("field", ["trust", "is_ranked", "owner", "state", "submission"])
def test_nothing_but_statements_is_taken(api, url, field):
    before = api.get(url).json()

    response = api.patch(url, {field: "T4"})

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert api.get(url).json() == before


@pytest.mark.parametrize("body", ["[1]", '{"stated": 7}', '{"stated": {"gpu_count": -1}}', "{", '{"a": 1, "a": 2}'])
def test_a_body_that_is_not_right_is_refused(api, url, body):
    response = api.generic("PATCH", url, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"


def test_a_statement_that_makes_the_result_impossible_changes_nothing(api):
    lacking = {name: value for name, value in SAMPLE.items() if name != "gpu_count"}
    created = post_json(api, {**lacking, "avg_power_w": 53.0}, "?visibility=draft").json()
    url = f"{BENCHMARKS}/{created['results'][0]['id']}"

    response = api.patch(url, {"stated": {"gpu_count": 5000}})

    assert response.status_code == 422
    assert api.get(url).json()["gpu_count"] is None


def test_a_published_result_cannot_be_stated_again(api, owner):
    result = published_result()
    Submission.objects.filter(pk=result.submission_id).update(owner=owner)

    assert api.patch(f"{BENCHMARKS}/{result.pk}", {"stated": {"gpu_count": 2}}).status_code == 409


def test_deleting_the_only_result_deletes_its_submission_and_files(
    api, url, file_storage, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = api.delete(url)

    assert response.status_code == 204
    assert not Submission.objects.exists()
    assert stored_files(file_storage) == []
    assert api.delete(url).status_code == 404


def test_one_of_several_results_is_not_deleted_alone(api):
    body = post_json(api, [SAMPLE, {**SAMPLE, "batch_size": 2}], "?visibility=draft").json()

    response = api.delete(f"{BENCHMARKS}/{body['results'][0]['id']}")

    assert response.status_code == 409
    assert f"/api/submissions/{body['id']}" in response.json()["error"]["message"]
    assert Result.objects.count() == 2


def test_the_raw_file_is_an_attachment_that_no_browser_runs(api, url):
    response = api.get(f"{url}/raw", HTTP_ACCEPT="text/html")

    assert response.status_code == 200
    assert b'"gpt2"' in b"".join(response) or response["Content-Length"]
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="body.json"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")


def test_a_result_without_a_stored_file_has_no_raw_file(anonymous):
    assert anonymous.get(f"{BENCHMARKS}/{published_result().pk}/raw").status_code == 404


def test_a_private_result_stays_private_though_published(foreign, url):
    Submission.objects.update(visibility=Visibility.PRIVATE, status=SubmissionStatus.PUBLISHED)

    assert foreign.get(url).status_code == 404


def test_a_moderator_sees_drafts(moderator, url):
    assert client_of(moderator).get(url).status_code == 200


@pytest.mark.parametrize("method", ["post", "put"])
def test_other_methods_are_not_allowed(api, url, method):
    assert getattr(api, method)(url).status_code == 405
