"""What all calls of agents share."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import Scope
from accounts.services.tokens import create_token
from jobs.api import protocol
from jobs.models import AgentSession, AgentToken
from jobs.services.agents import issue_code
from tests.factories import UserFactory
from tests.jobs.calling import BASE, Host, session_body
from tests.jobs.factories import AttemptFactory, JobFactory, SessionFactory
from tests.permissions.cast import fill
from tests.permissions.routes import all_routes

pytestmark = pytest.mark.django_db
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def attempt(host):
    return AttemptFactory(agent=host.agent)


def attempt_calls(pk):
    posted = ("accept", "decline", "events", "telemetry", "artifacts", "finish")
    return [("PATCH", f"/attempts/{pk}/log"), *(("POST", f"/attempts/{pk}/{name}") for name in posted)]


def all_calls():
    """Every path of the agent API but those that need no token, with a method that it takes."""
    routes = [route for route in all_routes() if route.path.startswith(BASE)]
    assert len(routes) == 14
    for route in routes:
        if not route.path.endswith(("/meta", "/enroll")):
            method = "PATCH" if route.path.endswith("/log") or "v1/artifacts/" in route.path else "POST"
            yield method, fill(route.path, "pk", UNKNOWN) if route.parameters else route.path


def test_anybody_may_ask_what_is_spoken(client):
    answer = client.get(f"{BASE}/meta")

    assert answer.json()["protocol"] == {"min": 1, "max": 1}
    assert answer.json()["limits"]["log_chunk"] == 1 << 20


def test_an_error_is_told_as_rfc_9457_wants(host):
    answer = host.call("POST", "/session", session_body(instance_id=""))

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json() | {"detail": ""} == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid",
        "detail": "",
        "fields": {"instance_id": answer.json()["fields"]["instance_id"]},
    }


@pytest.mark.parametrize("given", ["", "0", "2", "one"])
def test_another_version_is_told_to_upgrade(host, given):
    host.protocol = given

    answer = host.call("POST", "/session", session_body())

    assert (answer.status_code, answer.json()["protocol"]) == (426, {"min": 1, "max": 1})


@pytest.mark.parametrize("given", ["", "nonsense", "7a0d1f3e-0000-4000-8000-000000000000"])
def test_a_session_that_is_not_known_was_replaced(host, attempt, given):
    host.session = given

    answer = host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []})

    assert (answer.status_code, answer.json()["code"]) == (409, "session_replaced")


def test_the_session_of_another_host_is_not_ones_own(host, attempt):
    host.session = str(SessionFactory().pk)

    assert host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []}).status_code == 409


def test_a_call_shows_that_the_host_is_there(host, attempt):
    AgentSession.objects.update(last_seen_at=timezone.now() - timedelta(seconds=40))

    host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []})

    assert timezone.now() - AgentSession.objects.get(pk=host.session).last_seen_at < timedelta(seconds=30)


def test_the_attempt_of_another_host_is_not_there(host):
    foreign = AttemptFactory()

    answers = [host.call(method, path, {}) for method, path in attempt_calls(foreign.pk)]

    assert [answer.status_code for answer in answers] == [404] * 7
    assert {answer.json()["code"] for answer in answers} == {"no_attempt"}


def test_an_answer_says_what_to_do_with_the_attempt(host, attempt):
    answer = host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []})

    assert answer["X-Attempt-Directive"] == "continue"


def test_a_cancellation_travels_on_errors_too(host):
    job = JobFactory(state="running", cancel_requested_at=timezone.now())
    attempt = AttemptFactory(agent=host.agent, job=job)

    answer = host.log(attempt, 5, b"late")

    assert (answer.status_code, answer["X-Attempt-Directive"]) == (416, "cancel")


def wrong_tokens(host):
    person = create_token(user=UserFactory(), name="all", scopes=Scope.values)[1]
    expired = Host(host.agent, session=AgentSession.objects.get(pk=host.session))
    AgentToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    code = issue_code(by=None, name="another")[1]
    return {"none": "", "person": person, "expired": expired.plain, "code": code, "made-up": "gpa_" + "0" * 36}


@pytest.mark.parametrize("kind", ["none", "person", "expired", "code", "made-up"])
def test_no_other_token_opens_any_call(host, kind):
    plain = wrong_tokens(host)[kind]
    bearer = {"Authorization": f"Bearer {plain}"} if plain else {}
    headers = {"X-Agent-Protocol": "1", "X-Agent-Session": host.session} | bearer

    answers = {path: Client().generic(method, path, headers=headers).status_code for method, path in all_calls()}

    assert {path for path, status in answers.items() if status != 401} == set()


def test_a_host_goes_with_its_operator(host):
    host.agent.owner.is_active = False
    host.agent.owner.save()

    assert host.call("POST", "/session", session_body()).status_code == 401


@pytest.mark.parametrize("path", ["/api/users/me", "/api/submissions", "/api/benchmarks"])
def test_an_agents_token_opens_nothing_elsewhere(host, path):
    assert Client().get(path, headers=host.headers()).status_code == 401


def test_a_token_in_the_address_is_none(host, attempt):
    answer = Client().post(f"{BASE}/attempts/{attempt.pk}/events?token={host.plain}", headers={"X-Agent-Protocol": "1"})

    assert answer.status_code == 401


def test_a_signed_in_person_is_nobody_here(client, owner):
    client.force_login(owner)

    assert client.post(f"{BASE}/session", headers={"X-Agent-Protocol": "1"}).status_code == 401


@pytest.mark.parametrize("where", ["jobs.api.authentication.find_caller", "jobs.services.sessions.living_session"])
def test_a_database_that_is_away_is_told_with_when_to_come_again(host, attempt, monkeypatch, where):
    def away(*args, **kwargs):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(where, away)

    answer = host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []})

    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "2", "database_down")


def test_a_token_that_calls_too_often_waits(host, attempt, monkeypatch):
    monkeypatch.setattr(protocol, "CALLS", 2)
    monkeypatch.setattr(protocol, "WINDOW_S", 3600)

    answers = [host.call("POST", f"/attempts/{attempt.pk}/events", {"events": []}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


HOSTILE = {
    "deep": b"[" * 100_000,
    "infinite": b'{"events": [{"seq": 1, "type": "x", "t": 1e400}]}',
    "nul": b'{"events": [{"seq": 1, "type": "x", "data": {"a": "\\u0000"}}]}',
    "surrogate": b'{"events": [{"seq": 1, "type": "x", "data": {"a": "\\ud800"}}]}',
    "twice": b'{"events": [], "events": []}',
    "nan": b'{"events": NaN}',
    "html": b"<html>",
    "cut": b'{"events": [',
    "digits": b'{"events": [{"seq": ' + b"9" * 5000 + b"}]}",
    "values": b'{"events": [' + b"1," * 60_000 + b"1]}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_body_is_refused(host, attempt, body):
    client = Client(raise_request_exception=False)

    answer = client.generic(
        "POST", f"{BASE}/attempts/{attempt.pk}/events", body, "application/json", headers=host.headers()
    )

    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad_request")


def test_a_body_that_is_too_large_is_not_read(host, attempt):
    answer = host.call("POST", f"/attempts/{attempt.pk}/events", {"events": [], "more": "x" * (1 << 20)})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_token_is_neither_logged_nor_stored(host, attempt, caplog):
    caplog.set_level("DEBUG")
    _, code = issue_code(by=None, name="another")
    enrolled = Client().post(f"{BASE}/enroll", {"code": code}, "application/json", headers={"X-Agent-Protocol": "1"})
    host.call("POST", "/session", {"gpus": host.plain})
    host.log(attempt, 7, b"after a gap")
    host.call("POST", "/token/rotate", {})

    secrets = (host.plain, code, enrolled.json()["token"])
    kept = [str(list(model._default_manager.values_list())) for model in apps.get_app_config("jobs").get_models()]
    assert [secret for secret in secrets if secret in caplog.text or any(secret in rows for rows in kept)] == []
