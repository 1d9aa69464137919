"""/api/notifications."""

from __future__ import annotations

import pytest

from accounts.models import NotificationKind
from accounts.services.notifications import notify
from tests.leaderboard.api.clients import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(owner):
    return client_of(owner, "read")


def tell(person, title):
    notify(to=[person], kind=NotificationKind.COMMENT, title=title, url="/results/1/")
    return person.notifications.get(title=title)


def titles(response):
    return [row["title"] for row in response.json()["results"]]


def test_one_reads_ones_own_newest_first(api, owner, stranger):
    tell(owner, "old")
    new = tell(owner, "new")
    tell(stranger, "not yours")

    response = api.get("/api/notifications")

    assert titles(response) == ["new", "old"]
    row = response.json()["results"][0]
    assert (row["id"], row["event_id"], row["kind"]) == (new.pk, str(new.event_id), "comment")
    assert (row["url"], row["read_at"]) == ("http://testserver/results/1/", None)


def test_the_list_has_pages(api, owner):
    for number in range(3):
        tell(owner, f"number {number}")

    first = api.get("/api/notifications?limit=2")
    second = api.get(first.json()["next"])

    assert [titles(first), titles(second)] == [["number 2", "number 1"], ["number 0"]]
    assert second.json()["next"] is None


def test_the_unread_alone(api, owner):
    tell(owner, "read")
    post_read = post_to(api, {})
    tell(owner, "unread")

    assert post_read == 1
    assert titles(api.get("/api/notifications?unread=1")) == ["unread"]
    assert titles(api.get("/api/notifications?unread=0")) == ["unread", "read"]


def post_to(api, body):
    response = api.post("/api/notifications/read", body, format="json")
    assert response.status_code == 200
    return response.json()["marked"]


def test_marking_up_to_an_id_leaves_what_came_since(api, owner):
    old = tell(owner, "old")
    tell(owner, "since")

    assert post_to(api, {"upto": old.pk}) == 1
    assert titles(api.get("/api/notifications?unread=1")) == ["since"]


def test_the_notifications_of_others_stay_unread(api, stranger):
    tell(stranger, "theirs")

    assert post_to(api, {}) == 0
    assert stranger.notifications.unread().count() == 1


@pytest.mark.parametrize("query", ["unread=2", "unread=maybe", "unraed=1", "cursor=x"])
def test_a_parameter_that_is_not_right_is_named(api, query):
    response = api.get(f"/api/notifications?{query}")

    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("body", [{"upto": "x"}, {"upto": -1}, {"up_to": 1}], ids=["text", "negative", "unknown"])
def test_a_field_that_is_not_right_is_named_and_nothing_is_marked(api, owner, body):
    tell(owner, "unread")

    response = api.post("/api/notifications/read", body, format="json")

    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == list(body)
    assert owner.notifications.unread().count() == 1


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b"null", b'{"upto": 9223372036854775808}'],
    ids=["list", "cut off", "null", "huge number"],
)
def test_a_body_that_cannot_be_read_is_refused(api, body):
    response = api.generic("POST", "/api/notifications/read", body, content_type="application/json")

    assert response.status_code == 400


def test_without_a_token_there_is_nothing(client):
    assert client.get("/api/notifications").status_code == 401
    assert client.post("/api/notifications/read").status_code == 401


def test_a_token_without_the_scope_read_is_refused(owner):
    assert client_of(owner, "ingest").get("/api/notifications").status_code == 403
