"""POST /api/ingest through the real ASGI application and the real writer thread."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection

from accounts.services.tokens import create_token
from runs import ingest as ingest_module
from runs.models import EvalScore, ProgressEvent, Run
from tests.factories import UserFactory
from tests.runs.messages import progress, run, score

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

SECRET = "a-shared-secret"


@pytest.fixture(autouse=True)
def _shared_secret(settings: Any) -> Any:
    settings.INGEST_TOKEN = SECRET
    ingest_module._senders.clear()
    yield
    ingest_module.writer.stop()
    ingest_module._senders.clear()


async def post(
    body: Any, *, token: str | None = SECRET, content_type: str = "application/json", method: str = "POST"
) -> tuple[int, Any, dict[str, str]]:
    from lemsite.asgi import application

    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [(b"host", b"testserver"), (b"content-type", content_type.encode())]
    if token is not None:
        headers.append((b"x-ingest-token", token.encode()))
    scope = {
        "type": "http",
        "method": method,
        "path": "/api/ingest",
        "raw_path": b"/api/ingest",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": content, "more_body": False})
    start = await communicator.receive_output(10)
    answer = await communicator.receive_output(10)
    await communicator.wait(10)
    headers_out = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], json.loads(answer["body"]), headers_out


async def stored() -> list[dict[str, Any]]:
    return [json.loads(text) async for text in ProgressEvent.objects.order_by("seq").values_list("body", flat=True)]


async def test_one_event_is_stored_when_it_is_acknowledged() -> None:
    status, answer, _ = await post(progress())

    assert (status, answer) == (200, {"ok": True, "kind": "progress"})
    assert await stored() == [progress()]


async def test_an_event_of_an_unknown_run_makes_a_stub() -> None:
    await post(progress())

    found = await Run.objects.aget(key="run-1")
    assert (found.started_at.isoformat(), found.ended_at) == ("2026-05-01T12:00:00+00:00", None)


async def test_an_envelope_stores_its_run_with_lanes() -> None:
    status, answer, _ = await post({"run": run(), "payload": score()})

    found = await Run.objects.prefetch_related("lanes").aget(key="run-1")
    assert (status, answer) == (200, {"ok": True, "kind": "score"})
    assert (found.label, [lane.cost_per_hour_usd for lane in found.lanes.all()]) == ("Nightly", [1.29])


async def test_a_score_sent_again_replaces_the_earlier_one() -> None:
    await post(score(composite=0.2))

    await post(score(composite=0.9))

    assert [one.composite async for one in EvalScore.objects.all()] == [0.9]


async def test_a_run_starts_and_ends() -> None:
    await post({"kind": "run_start", "payload": {"runId": "r", "gpus": [{"name": "g"}], "models": ["m"]}})
    status, answer, _ = await post({"kind": "run_end", "payload": {"runId": "r", "status": "failed"}})

    found = await Run.objects.aget(key="r")
    assert (status, answer) == (200, {"ok": True, "kind": "run_end"})
    assert (found.status, found.ended_at is not None) == ("failed", True)


async def test_the_end_of_an_unknown_run_is_404() -> None:
    status, answer, _ = await post({"kind": "run_end", "payload": {"runId": "nobody"}})

    assert (status, list(answer)) == (404, ["error"])


@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_wrong_token_is_401_and_stores_nothing(token: str | None) -> None:
    status, answer, _ = await post(progress(), token=token)

    assert (status, list(answer)) == (401, ["error"])
    assert await stored() == []


async def test_without_a_configured_secret_every_token_is_401(settings: Any) -> None:
    settings.INGEST_TOKEN = ""

    status, _, _ = await post(progress(), token="anything")

    assert status == 401


async def test_an_api_token_with_the_scope_ingest_owns_what_it_sends() -> None:
    from asgiref.sync import sync_to_async

    user = await sync_to_async(UserFactory)()
    _, plain = await sync_to_async(create_token)(user=user, name="lab", scopes=["ingest"])

    status, _, _ = await post(progress(), token=plain)

    assert (status, (await Run.objects.aget(key="run-1")).owner_id) == (200, user.pk)


async def test_an_api_token_without_the_scope_is_401() -> None:
    from asgiref.sync import sync_to_async

    user = await sync_to_async(UserFactory)()
    _, plain = await sync_to_async(create_token)(user=user, name="lab", scopes=["read"])

    assert (await post(progress(), token=plain))[0] == 401


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":', b"[1,", b'"\xff"', b"NaN", b'{"tokenPerSec": 1e999}'])
async def test_what_is_not_json_is_400_in_the_contracts_form(body: bytes) -> None:
    status, answer, _ = await post(body)

    assert (status, list(answer)) == (400, ["error"])


async def test_a_wrong_field_is_named() -> None:
    status, answer, _ = await post(progress(latencyMs="fast"))

    assert status == 400
    assert "latencyMs" in answer["error"]


async def test_an_array_is_accepted_row_by_row() -> None:
    status, answer, _ = await post([progress(), {}, score(), progress(ts="no"), progress(gpuId="gpu-1")])

    assert status == 200
    assert (answer["ok"], answer["accepted"], [row["index"] for row in answer["rejected"]]) == (True, 3, [1, 3])
    assert len(await stored()) == 2


async def test_lines_of_ndjson_are_accepted_one_by_one() -> None:
    lines = b"\n".join([json.dumps(progress()).encode(), b"{half", b"", json.dumps(score()).encode()])

    status, answer, _ = await post(lines, content_type="application/x-ndjson")

    assert (status, answer["accepted"], [row["index"] for row in answer["rejected"]]) == (200, 2, [1])


async def test_the_same_event_id_again_is_acknowledged_and_stored_once() -> None:
    event = progress(eventId="e-1")
    await post(event)

    status, answer, _ = await post([event, event, progress(eventId="e-2")])

    assert (status, answer["accepted"]) == (200, 3)
    assert [one["eventId"] for one in await stored()] == ["e-1", "e-2"]
    assert (await Run.objects.aget(key="run-1")).event_count == 2


async def test_the_same_event_id_of_another_run_is_another_event() -> None:
    await post(progress(eventId="e-1"))
    await post(progress(eventId="e-1", runId="run-2"))

    assert len(await stored()) == 2


async def test_a_batch_that_is_too_long_is_413() -> None:
    status, answer, _ = await post([{}] * (ingest_module.MAX_BATCH + 1))

    assert (status, list(answer)) == (413, ["error"])


async def test_a_body_that_is_too_large_is_413() -> None:
    status, answer, _ = await post(b" " * (ingest_module.MAX_BODY_BYTES + 1))

    assert (status, list(answer)) == (413, ["error"])


async def test_a_sender_that_is_too_fast_is_told_when_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MESSAGES_PER_S", 1)
    await post(progress())
    ingest_module._senders[SECRET].allowance = 0.0

    status, answer, headers = await post([progress()] * 5)

    assert (status, list(answer), int(headers["retry-after"]) >= 1) == (429, ["error"], True)


async def test_only_post_is_answered() -> None:
    status, _, headers = await post(b"", method="GET")

    assert (status, headers["allow"]) == (405, "POST")


async def test_html_in_every_string_is_stored_as_text() -> None:
    markup = "<img src=x onerror=alert(1)>"

    await post(progress(model=markup, useCase=markup, gpuId=markup))

    assert (await stored())[0]["model"] == markup


async def test_many_runs_in_one_batch_are_all_known_afterwards() -> None:
    status, answer, _ = await post([progress(runId=f"run-{n}") for n in range(500)])

    assert (status, answer["accepted"]) == (200, 500)
    assert await Run.objects.acount() == 500


async def test_events_get_the_order_of_their_arrival() -> None:
    for number in range(5):
        await post([progress(evalProgressIdx=number * 2), progress(evalProgressIdx=number * 2 + 1)])

    assert [one["evalProgressIdx"] for one in await stored()] == list(range(10))
    assert connection.vendor in ("sqlite", "postgresql")
