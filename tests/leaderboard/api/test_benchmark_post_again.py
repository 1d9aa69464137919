"""An upload under an Idempotency-Key that is sent again is stored once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError

from accounts.models import IdempotencyKey
from accounts.services.idempotency import claim_key
from leaderboard.models import RawFile, Submission, UploadBatch
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, client_of, post_json

pytestmark = pytest.mark.django_db
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def push(client: Any, body: Any = SAMPLE, *, key: str = KEY, query: str = "") -> Any:
    raw = json.dumps(body).encode()
    path = f"{BENCHMARKS}{query}"
    return client.generic("POST", path, raw, content_type="application/json", headers={"Idempotency-Key": key})


def form(client: Any, *, boundary: str, name: str = "a.json", note: str = "night run") -> Any:
    """As any program sends a form: each time with another boundary."""
    parts = (f'name="note"\r\n\r\n{note}', f'name="file"; filename="{name}"\r\n\r\n{json.dumps(SAMPLE)}')
    raw = "".join(f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    kind = f"multipart/form-data; boundary={boundary}"
    raw = f"{raw}--{boundary}--\r\n"
    return client.generic("POST", BENCHMARKS, raw, content_type=kind, headers={"Idempotency-Key": KEY})


def test_the_same_again_is_the_first_answer(api: Any) -> None:
    first, second = push(api), push(api)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content, second["Location"]) == (first.content, first["Location"])
    assert (first.headers.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Submission.objects.count() == 1


def test_an_answer_is_the_same_with_a_key_and_without(api: Any) -> None:
    with_key = push(api, query="?visibility=draft")
    without = post_json(api, SAMPLE, "?visibility=draft")

    assert set(with_key.json()) == set(without.json())
    assert without["Location"] == without.json()["url"]
    assert Submission.objects.count() == 2


def test_a_form_sent_again_has_another_boundary(api: Any) -> None:
    first, second = form(api, boundary="one"), form(api, boundary="two")

    assert (second.status_code, second.content) == (201, first.content)
    assert Submission.objects.count() == 1


def test_a_batch_is_opened_once(api: Any) -> None:
    first, second = push(api, query="?background=1"), push(api, query="?background=1")

    assert (first.status_code, second.status_code, second.json()) == (202, 202, first.json())
    assert UploadBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("send", "other"),
    [
        (form, {"boundary": "one", "note": "another night"}),
        (form, {"boundary": "one", "name": "b.json"}),
        (push, {"query": "?visibility=draft"}),
        (push, {"body": {**SAMPLE, "batch_size": 2}}),
    ],
    ids=["field", "file name", "query", "content"],
)
def test_another_body_is_refused_by_the_name_of_the_header(api: Any, send: Any, other: dict[str, Any]) -> None:
    send(api, **{"boundary": "one"} if send is form else {})

    response = send(api, **other)

    assert response.status_code == 422
    assert set(response.json()["error"]["fields"]) == {"Idempotency-Key"}
    assert Submission.objects.count() == 1


def test_while_the_first_is_being_answered_it_is_told_to_wait(api: Any, owner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("accounts.api.idempotency.body_sha256", lambda request: "a" * 64)
    claim_key(user=owner, path=BENCHMARKS, key=KEY, body_sha256="a" * 64)

    response = push(api)

    assert (response.status_code, response["Retry-After"]) == (409, "20")
    assert set(response.json()["error"]["fields"]) == {"Idempotency-Key"}
    assert not Submission.objects.exists()


def test_a_refused_upload_frees_the_key(api: Any) -> None:
    assert push(api, {**SAMPLE, "tokens_per_joule": 900.0}).status_code == 422
    assert not IdempotencyKey.objects.exists()

    assert push(api).status_code == 201


def test_a_dry_run_takes_no_key(api: Any) -> None:
    assert push(api, query="?dry_run=1").status_code == 200

    assert not IdempotencyKey.objects.exists()


def test_people_do_not_see_each_others_answers(api: Any, foreign: Any) -> None:
    own = push(api, query="?visibility=private").json()["id"]

    other = push(foreign, query="?visibility=private")

    assert (other.status_code, other.json()["id"] == own) == (201, False)


def test_a_token_of_the_same_person_is_the_same_person(api: Any, owner: Any) -> None:
    first = push(api)

    assert push(client_of(owner)).content == first.content


def test_a_slash_behind_the_path_makes_no_other_request(api: Any) -> None:
    headers = {"Idempotency-Key": KEY}
    for path in (BENCHMARKS, f"{BENCHMARKS}/"):
        api.generic("POST", path, json.dumps(SAMPLE).encode(), content_type="application/json", headers=headers)

    assert Submission.objects.count() == 1


@pytest.mark.parametrize("key", ['"a b"', "", '""', '"', '"open', "k\u00e9y", "a b", "k" * 256, '"a\\b"'])
def test_a_key_that_is_none_is_refused(api: Any, key: str) -> None:
    response = push(api, key=key)

    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == {"Idempotency-Key"}
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [("k" * 255, f'"{"k" * 255}"'), ("a\\b", '"a\\\\b"'), ('a"b', '"a\\"b"'), ("!~,;=", '"!~,;="')],
    ids=["longest", "backslash", "quote", "signs"],
)
def test_a_key_is_the_same_with_quotes_and_without(api: Any, one: str, other: str) -> None:
    first = push(api, key=one)

    assert push(api, key=other).content == first.content


def test_what_cannot_be_kept_is_not_stored(api: Any, file_storage: Any, monkeypatch: Any) -> None:
    """The upload and its answer stand in one transaction."""

    def fails(request: Any) -> None:
        raise DatabaseError("no room for the answer")

    monkeypatch.setattr("accounts.api.idempotency._answer", lambda store: fails(store()))

    with pytest.raises(DatabaseError):
        push(api)

    for rows in (Submission, RawFile, IdempotencyKey):
        assert not rows.objects.exists()
