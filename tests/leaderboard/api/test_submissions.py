from __future__ import annotations

import io
import uuid
import zipfile
from base64 import b64encode

import pytest

from leaderboard.models import ReviewAction, Submission
from leaderboard.services.review import review
from tests.factories import SubmissionFactory, published_result
from tests.leaderboard.api.clients import SAMPLE, client_of, post_json, stored_files

pytestmark = pytest.mark.django_db
SUBMISSIONS = "/api/submissions"


@pytest.fixture
def url(submission_id) -> str:
    return f"{SUBMISSIONS}/{submission_id}"


def test_one_sees_ones_own_submissions_newest_first(api, url):
    second = post_json(api, {**SAMPLE, "batch_size": 2}).json()["id"]
    SubmissionFactory()

    body = api.get(SUBMISSIONS).json()

    assert [row["id"] for row in body["results"]] == [second, url.rpartition("/")[2]]
    assert [row["status"] for row in body["results"]] == ["pending", "draft"]


def test_the_list_is_read_page_by_page_in_a_fixed_number_of_queries(api, owner, django_assert_max_num_queries):
    for _ in range(5):
        SubmissionFactory(owner=owner)

    first = api.get(f"{SUBMISSIONS}?limit=3").json()

    assert len(first["results"]) == 3
    with django_assert_max_num_queries(5):
        assert len(api.get(first["next"]).json()["results"]) == 2


@pytest.mark.parametrize("cursor", [b"p=no time", b"p=\x00", b"o=-1", b"o=many", b"\xff"])
def test_a_wrong_cursor_is_named(api, url, cursor):
    response = api.get(SUBMISSIONS, {"cursor": b64encode(cursor).decode()})

    assert response.status_code == 400
    assert "cursor" in response.json()["error"]["fields"]


def test_the_list_needs_a_token_with_the_scope_read(owner, anonymous):
    assert anonymous.get(SUBMISSIONS).status_code == 401
    assert client_of(owner, "submit").get(SUBMISSIONS).status_code == 403


def test_a_submission_shows_results_files_and_what_is_missing(api, url):
    body = api.get(url).json()

    assert (body["status"], body["visibility"], body["owner"]) == ("draft", "draft", "owner")
    assert body["files"][0]["name"] == "body.json"
    assert len(body["results"]) == 1


def test_an_edit_does_everything_or_nothing(api, url):
    refused = api.patch(url, {"note": "new", "stated": {"precision": "bf17"}})

    assert refused.status_code == 400
    assert "precision" in refused.json()["error"]["fields"]
    assert Submission.objects.get().note == ""


def test_a_draft_is_completed_and_handed_in(api, url):
    changes = {"stated": {"concurrency": 2}, "note": "idle machine", "visibility": "public", "status": "pending"}

    body = api.patch(url, changes).json()

    assert (body["status"], body["visibility"], body["note"]) == ("pending", "public", "idle machine")
    assert body["results"][0]["concurrency"] == 2
    assert body["submitted_at"]


def test_a_draft_is_kept_private(api, url):
    assert api.patch(url, {"visibility": "private"}).json()["visibility"] == "private"


def test_handing_in_twice_is_refused(api, url):
    api.patch(url, {"status": "pending"})

    assert api.patch(url, {"status": "pending"}).status_code == 409


def test_nothing_is_stated_about_what_is_pending(api, url):
    api.patch(url, {"status": "pending"})

    assert api.patch(url, {"stated": {"concurrency": 2}}).status_code == 409


def test_the_note_of_what_is_pending_may_be_changed(api, url):
    api.patch(url, {"status": "pending"})

    assert api.patch(url, {"note": "late"}).json()["note"] == "late"


def test_a_submission_without_hardware_is_not_handed_in(api):
    lacking = {name: value for name, value in SAMPLE.items() if name != "hardware"}
    created = post_json(api, lacking).json()

    response = api.patch(f"{SUBMISSIONS}/{created['id']}", {"status": "pending"})

    assert response.status_code == 400
    assert "hardware" in response.json()["error"]["fields"]


def test_a_private_one_is_never_pending(api, url):
    assert api.patch(url, {"visibility": "private", "status": "pending"}).status_code == 400


def test_a_submission_is_withdrawn_once_with_its_reason(api, url):
    body = api.patch(url, {"status": "withdrawn", "reason": "wrong clock"}).json()

    history = api.get(f"{url}/history").json()["results"]
    assert body["status"] == "withdrawn"
    assert (history[-1]["action"], history[-1]["reason"], history[-1]["by"]) == ("withdraw", "wrong clock", "owner")
    assert api.patch(url, {"status": "withdrawn"}).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [{"status": "published"}, {"visibility": "draft"}, {"owner": 1}, {"trust": "T4"}, {"note": "x" * 2001}],
)
def test_a_change_that_is_not_the_owners_to_make_changes_nothing(api, url, changes):
    before = api.get(url).json()

    response = api.patch(url, changes)

    assert response.status_code == 400
    assert next(iter(changes)) in response.json()["error"]["fields"]
    assert api.get(url).json() == before


@pytest.mark.parametrize("path", ["", "/raw", "/history"])
def test_a_draft_does_not_exist_for_strangers(foreign, anonymous, url, path):
    assert foreign.get(url + path).status_code == 404
    assert anonymous.get(url + path).status_code == 404
    assert foreign.get(f"{SUBMISSIONS}/{uuid.uuid4()}{path}").status_code == 404


def test_strangers_change_and_delete_nothing(foreign, anonymous, url):
    assert foreign.patch(url, {"note": "x"}).status_code == 404
    assert foreign.delete(url).status_code == 404
    assert anonymous.patch(url, {"note": "x"}).status_code == 401
    assert anonymous.delete(url).status_code == 401
    assert Submission.objects.exists()


def test_changing_needs_the_scope_submit(owner, url):
    assert client_of(owner, "read").patch(url, {"note": "x"}).status_code == 403
    assert client_of(owner, "read").delete(url).status_code == 403


def test_a_note_is_public_once_the_submission_is(api, anonymous, moderator):
    created = post_json(api, SAMPLE, "?note=An+idle+machine.").json()
    url = f"{SUBMISSIONS}/{created['id']}"
    assert client_of(moderator).get(url).json()["note"] == "An idle machine."

    review(submission=Submission.objects.get(), action=ReviewAction.APPROVE, by=moderator)

    assert anonymous.get(url).json()["note"] == "An idle machine."


def test_history_tells_every_decision_in_order(api, anonymous, moderator):
    created = post_json(api, SAMPLE).json()
    review(submission=Submission.objects.get(), action=ReviewAction.APPROVE, by=moderator, reason="fine")

    events = anonymous.get(f"{SUBMISSIONS}/{created['id']}/history").json()["results"]

    assert [(event["action"], event["by"]) for event in events] == [("submit", "owner"), ("approve", "moderator")]


def test_the_raw_files_come_as_one_zip(api, url):
    response = api.get(f"{url}/raw")

    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as archive:
        assert archive.namelist() == ["body.json"]
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_deleting_a_draft_leaves_nothing(api, url, file_storage, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(url).status_code == 204

    assert not Submission.objects.exists()
    assert stored_files(file_storage) == []
    assert api.delete(url).status_code == 404


def test_deleting_what_was_published_leaves_a_tombstone(api, moderator):
    created = post_json(api, SAMPLE).json()
    review(submission=Submission.objects.get(), action=ReviewAction.APPROVE, by=moderator)

    api.delete(f"{SUBMISSIONS}/{created['id']}?reason=wrong+meter")

    assert Submission.objects.get().events.last().reason == "wrong meter"
    assert api.get(f"{SUBMISSIONS}/{created['id']}").status_code == 404


def test_a_published_submission_is_shown_to_everyone(anonymous):
    result = published_result()

    assert anonymous.get(f"{SUBMISSIONS}/{result.submission_id}").status_code == 200


@pytest.mark.parametrize("method", ["post", "put"])
def test_other_methods_are_not_allowed(api, url, method):
    assert getattr(api, method)(url).status_code == 405
