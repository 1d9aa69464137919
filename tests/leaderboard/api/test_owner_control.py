"""Batches, replaced files, shares, licences and recalls through the API."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from accounts.services.bans import ban
from leaderboard import tasks
from leaderboard.models import ReviewAction, Submission, UploadBatch
from leaderboard.services import quotas
from leaderboard.services.review import review
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, client_of, post_json
from tests.leaderboard.browsing import archive

pytestmark = pytest.mark.django_db
SUBMISSIONS = "/api/submissions"
SLOWER = {**SAMPLE, "duration_s": 43.2, "throughput_tokens_per_s": 6400 / 43.2}


def post_zip(client: Any, content: bytes, query: str = "") -> Any:
    return client.generic("POST", f"{BENCHMARKS}{query}", content, content_type="application/zip")


def sample(number: int) -> tuple[str, bytes]:
    duration_s = 43.0 + number / 10_000
    values = {**SAMPLE, "duration_s": duration_s, "throughput_tokens_per_s": 6400 / duration_s}
    return f"{number}.json", json.dumps(values).encode()


def replace(client: Any, url: str, body: Any, query: str = "?reason=Wrong+clock.") -> Any:
    return client.generic("POST", f"{url}/files{query}", json.dumps(body).encode(), content_type="application/json")


@pytest.fixture
def url(submission_id: str) -> str:
    return f"{SUBMISSIONS}/{submission_id}"


# Batches


def test_many_files_are_taken_and_read_in_the_background(api, anonymous):
    taken = post_zip(api, archive(*(sample(number) for number in range(51)), ("bad.json", b"{")), "?visibility=draft")
    row = taken.json()["batch"]
    assert (taken.status_code, row["state"], taken["Location"]) == (202, "waiting", row["url"])

    tasks.read_batch(row["id"])

    body = api.get(row["url"]).json()
    assert (body["state"], body["files_done"], body["files_total"]) == ("done", 52, 52)
    assert [refused["file"] for refused in body["refused"]] == ["bad.json"]
    assert len(api.get(body["submission_url"]).json()["results"]) == 51


def test_a_few_files_are_read_in_the_background_when_asked_for(api):
    assert post_json(api, SAMPLE, "?background=1").status_code == 202


def test_a_dry_run_is_never_a_batch(api):
    assert post_json(api, SAMPLE, "?background=1&dry_run=1").status_code == 200
    assert not UploadBatch.objects.exists()


def test_a_batch_is_its_owners_alone(api, foreign, anonymous, owner):
    address = post_json(api, SAMPLE, "?background=1").json()["batch"]["url"]

    assert foreign.get(address).status_code == 404
    assert anonymous.get(address).status_code == 401
    assert client_of(owner, "submit").get(address).status_code == 403
    assert api.get(f"/api/batches/{uuid.uuid4()}").status_code == 404


# Replaced files


def test_files_are_replaced_and_the_result_keeps_its_id(api, url):
    before = api.get(url).json()

    body = replace(api, url, SLOWER).json()

    assert (body["version"], body["results"][0]["duration_s"]) == (2, 43.2)
    assert body["results"][0]["id"] == before["results"][0]["id"]


def test_replacing_needs_a_reason(api, url):
    response = replace(api, url, SLOWER, "")

    assert response.status_code == 400
    assert "reason" in response.json()["error"]["fields"]


def test_more_files_than_a_request_reads_replace_nothing(api, url):
    content = archive(*(sample(number) for number in range(51)))

    response = api.generic("POST", f"{url}/files?reason=Wrong+clock.", content, content_type="application/zip")

    assert response.status_code == 400
    assert "At most 50 files" in response.json()["error"]["fields"]["file"]
    assert api.get(url).json()["version"] == 1


def test_replacing_with_the_impossible_changes_nothing(api, url):
    response = replace(api, url, {**SAMPLE, "avg_power_w": 5000.0})

    assert response.status_code == 422
    assert response.json()["findings"]
    assert Submission.objects.get().version == 1


def test_files_of_somebody_else_are_not_replaced(foreign, anonymous, owner, url):
    assert replace(foreign, url, SLOWER).status_code == 404
    assert replace(anonymous, url, SLOWER).status_code == 401
    assert replace(client_of(owner, "read"), url, SLOWER).status_code == 403


def test_what_was_withdrawn_is_not_replaced(api, url):
    api.patch(url, {"status": "pending"})
    api.patch(url, {"status": "withdrawn"})

    assert replace(api, url, SLOWER).status_code == 409


def test_a_result_that_was_replaced_away_is_gone_with_a_reason(api, anonymous, moderator):
    created = post_json(api, SAMPLE).json()
    review(submission=Submission.objects.get(), action=ReviewAction.APPROVE, by=moderator)
    replace(api, f"{SUBMISSIONS}/{created['id']}", {**SLOWER, "batch_size": 2})

    gone = anonymous.get(f"{BENCHMARKS}/{created['results'][0]['id']}")

    assert gone.status_code == 410
    assert gone.json()["tombstone"]["reason"] == "replaced: Wrong clock."
    assert gone.json()["tombstone"]["owner"] == "owner"


# Shares


def test_a_private_submission_is_shared_and_taken_back(api, foreign, url):
    api.patch(url, {"visibility": "private"})
    assert foreign.get(url).status_code == 404

    assert api.post(f"{url}/shares", {"username": "stranger"}).json() == {"shared_with": ["stranger"]}
    assert foreign.get(url).status_code == 200
    assert b"body.json" in b"".join(foreign.get(f"{url}/raw").streaming_content)

    assert api.delete(f"{url}/shares?username=stranger").status_code == 204
    assert api.get(f"{url}/shares").json() == {"shared_with": []}
    assert foreign.get(url).status_code == 404


def test_shares_are_for_the_owner(api, foreign, anonymous, url):
    api.patch(url, {"visibility": "private"})
    api.post(f"{url}/shares", {"username": "stranger"})

    assert foreign.get(f"{url}/shares").status_code == 404
    assert foreign.post(f"{url}/shares", {"username": "owner"}).status_code == 404
    assert foreign.delete(f"{url}/shares?username=stranger").status_code == 404
    assert anonymous.get(f"{url}/shares").status_code == 401


def test_sharing_with_nobody_known_names_the_field(api, url):
    api.patch(url, {"visibility": "private"})

    response = api.post(f"{url}/shares", {"username": "nobody"})

    assert response.status_code == 400
    assert "username" in response.json()["error"]["fields"]


# Licence, recall, limits


def test_a_licence_is_chosen_with_the_upload_and_answered_per_result(api):
    body = post_json(api, SAMPLE, "?licence=CC0-1.0").json()

    assert (body["licence"], body["results"][0]["licence"]) == ("CC0-1.0", "CC0-1.0")


def test_another_licence_is_refused(api, url):
    assert "licence" in post_json(api, SAMPLE, "?licence=MIT").json()["error"]["fields"]
    assert "licence" in api.patch(url, {"status": "pending", "licence": "MIT"}).json()["error"]["fields"]


def test_exports_name_the_licence_of_each_row(api, anonymous, moderator):
    post_json(api, SAMPLE, "?licence=CC0-1.0")
    review(submission=Submission.objects.get(), action=ReviewAction.APPROVE, by=moderator)

    exported = anonymous.get(f"{BENCHMARKS}.json?min_trust=T1")

    rows = json.loads(b"".join(exported.streaming_content))["results"]
    assert [row["licence"] for row in rows] == ["CC0-1.0"]


def test_what_waits_is_recalled(api, url):
    api.patch(url, {"status": "pending"})

    body = api.patch(url, {"status": "draft", "visibility": "private"}).json()

    assert (body["status"], body["visibility"]) == ("draft", "private")


def test_who_is_banned_is_told_until_when_and_why(api, owner, moderator, url):
    ban(user=owner, by=moderator, reason="Spam.")

    for response in (post_json(api, SLOWER), api.patch(url, {"status": "pending"}), replace(api, url, SLOWER)):
        assert response.status_code == 403
        assert "Spam." in response.json()["error"]["message"]


def test_over_the_days_share_it_answers_429_with_when_to_try_again(api, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.UPLOADS, 0)

    response = post_json(api, SAMPLE)

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
