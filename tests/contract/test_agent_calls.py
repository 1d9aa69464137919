"""What the agent says is what the site understands, and the reverse: the agent's own client against the real views."""

import hashlib
import json

import httpx2
import pytest
from django.db import OperationalError
from django.test import Client

from gpuagent.host.api import Api, Away, Refused
from jobs.models import Artifact, AttemptState, Job, JobState
from jobs.queries.logs import attempt_log
from jobs.services.agents import issue_code
from jobs.services.artifacts import open_artifact
from jobs.services.tickets import issue_ticket
from tests.jobs.factories import JobFactory

pytestmark = pytest.mark.django_db
GPU = "GPU-3f2a0000-0000-0000-0000-000000000001"
ABOUT = {
    "instance_id": "6f0c",
    "boot_id": "b1c4",
    "agent_version": "1.4.0",
    "protocols": [1],
    "host": {"os": "Ubuntu 24.04", "toolkit": "1.17.8"},
    "gpus": [{"uuid": GPU, "name": "NVIDIA H100 80GB HBM3", "memory_mib": 81_559}],
    "executors": ["container"],
    "attempts": [],
}
LOG = b"loading\nmeasuring\ndone\n"
RESULT = b'{"energy_j": 345.1}'


def answered(request):
    """The site's answer to a request of the agent's HTTP library."""
    headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
    kind = headers.pop("content-type", "")
    response = Client().generic(
        request.method, str(request.url.raw_path.decode()), request.read(), kind, headers=headers
    )
    return httpx2.Response(response.status_code, headers=dict(response.headers), content=response.content)


def api_of(token, told=None):
    api = Api("http://testserver", token, **({"told": told} if told else {}))
    headers = api._client.headers
    api._client.close()
    api._client = httpx2.Client(
        base_url="http://testserver/api/agent/v1", headers=headers, transport=httpx2.MockTransport(answered)
    )
    return api


@pytest.fixture
def directives():
    return []


@pytest.fixture
def token():
    _, code = issue_code(by=None, name="gpu-1")
    return api_of(None).enroll(code, {"simulated": False}).token


@pytest.fixture
def api(token, directives):
    """The client of a host that has a session."""
    api = api_of(lambda: token, lambda attempt_id, directive: directives.append(directive))
    api.use_session(api.open_session(ABOUT).session)
    return api


@pytest.fixture
def job(api):
    job = JobFactory()
    issue_ticket(job)
    return job


@pytest.fixture
def attempt(api, job):
    """One that the host has claimed and accepted."""
    offer, _ = api.claim("c9", [GPU])
    assert offer is not None
    api.accept(offer.id, [GPU])
    return job.attempts.get()


def report(**others):
    body = {
        "finish_id": "f3",
        "outcome": "succeeded",
        "exit_code": 0,
        "signal": None,
        "code": "ok",
        "run_s": 12.5,
        "log": {"size": len(LOG), "sha256": hashlib.sha256(LOG).hexdigest()},
        "telemetry": {"last_seq": 2},
        "events": {"last_seq": 1},
        "artifacts": [{"name": "out/result.json", "size": len(RESULT), "sha256": hashlib.sha256(RESULT).hexdigest()}],
        "energy": [{"uuid": GPU, "counter_j": 345.1, "integral_j": 347.9, "method": "counter", "samples": 118}],
        **others,
    }
    return json.dumps(body).encode()


def bring_everything(api, attempt):
    pk = str(attempt.pk)
    api.log(pk, 0, LOG)
    api.events(pk, [{"seq": 1, "t": 0.5, "type": "step", "data": {"id": "measure"}}])
    api.telemetry(
        pk, {"first_seq": 1, "period_ms": 1000, "t": [1.0, 2.0], "gpu": [{"uuid": GPU, "power_w": [400.0, None]}]}
    )
    artifact, offset = api.artifact(pk, "out/result.json", len(RESULT), hashlib.sha256(RESULT).hexdigest())
    api.artifact_piece(artifact, offset, RESULT)


def test_both_say_which_protocol_they_speak(token):
    assert api_of(None).meta()["protocol"]["max"] == 1


def test_a_spent_code_is_refused_for_good(token):
    with pytest.raises(Refused) as refused:
        api_of(None).enroll("gpe_" + "0" * 36, {})

    assert refused.value.status == 401


def test_an_offer_is_understood_and_is_the_same_when_asked_again(api, job):
    first, _ = api.claim("c9", [GPU])
    again, _ = api.claim("c9", [GPU])

    assert first is not None
    assert again is not None
    assert (first.job, first.gpus, first.id) == (job.pk, (GPU,), again.id)
    assert hashlib.sha256(first.config.encode()).hexdigest() == first.config_sha256


def test_nothing_to_do_says_how_long_to_wait(api):
    offer, wait_s = api.claim("c9", [GPU])

    assert (offer, wait_s > 0) == (None, True)


def test_a_declined_job_waits_for_another(api, job):
    offer, _ = api.claim("c9", [GPU])

    api.decline(offer.id, "gpu_busy", "Another program is on it.")

    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_a_job_is_run_and_reported(api, attempt, directives):
    bring_everything(api, attempt)

    verdict = api.finish(str(attempt.pk), report())

    assert (verdict.verdict, verdict.job_state) == ("accepted", "succeeded")
    assert b"".join(attempt_log(attempt)) == LOG
    with open_artifact(Artifact.objects.get()) as file:
        assert file.read() == RESULT
    assert directives[-1] == "forget"
    assert set(directives[:-1]) == {"continue"}


def test_what_is_missing_is_asked_for(api, attempt):
    api.log(str(attempt.pk), 0, LOG[:8])

    with pytest.raises(Refused) as refused:
        api.finish(str(attempt.pk), report())

    assert refused.value.status == 422
    missing = {name: refused.value.body[name] for name in ("log_from", "events_from", "telemetry_from", "artifacts")}
    assert missing == {"log_from": 8, "events_from": 1, "telemetry_from": 1, "artifacts": ["out/result.json"]}


@pytest.mark.parametrize("known", [0, 8])
def test_a_log_that_is_ahead_goes_back_to_the_end_of_the_sites(api, attempt, known):
    if known:
        api.log(str(attempt.pk), 0, LOG[:known])

    assert api.log(str(attempt.pk), 15, LOG[15:]) == known


def test_events_and_samples_that_are_ahead_go_back(api, attempt):
    assert api.events(str(attempt.pk), [{"seq": 3, "t": 1.0, "type": "step", "data": {}}]) == 1
    assert api.telemetry(str(attempt.pk), {"first_seq": 9, "t": [1.0], "gpu": []}) == 1


def test_a_piece_that_does_not_follow_is_told_the_place(api, attempt):
    artifact, _ = api.artifact(str(attempt.pk), "x", len(RESULT), hashlib.sha256(RESULT).hexdigest())

    assert api.artifact_piece(artifact, 7, RESULT[7:]) == 0


def test_a_file_that_changed_begins_anew(api, attempt):
    artifact, _ = api.artifact(str(attempt.pk), "x", len(RESULT), hashlib.sha256(RESULT).hexdigest())

    with pytest.raises(Refused) as refused:
        api.artifact_piece(artifact, 0, b"X" + RESULT[1:])

    assert (refused.value.status, refused.value.code) == (422, "digest_mismatch")


def test_a_heartbeat_brings_a_cancellation(api, attempt, job):
    Job.objects.update(cancel_requested_at=attempt.offered_at)

    reply = api.heartbeat({"attempts": [{"id": str(attempt.pk), "phase": "running", "log_size": 0}], "gpus": []})

    assert [told.do for told in reply.attempts] == ["cancel"]


def test_a_session_says_where_to_go_on(api, attempt):
    api.log(str(attempt.pk), 0, LOG)

    told = api.open_session(ABOUT | {"attempts": [{"id": str(attempt.pk), "phase": "running", "exit": None}]}).attempts[
        0
    ]

    assert (str(told.id), told.do, told.log_offset) == (str(attempt.pk), "resume", len(LOG))


def test_a_host_that_was_rebooted_reports_it_and_the_job_is_tried_again(api, attempt, job):
    body = report(outcome="infra_failed", code="host_rebooted", log=None, telemetry=None, events=None, artifacts=[])

    api.finish(str(attempt.pk), body)

    attempt.refresh_from_db()
    job.refresh_from_db()
    assert (attempt.state, job.state) == (AttemptState.DONE, JobState.QUEUED)


def test_a_rotated_token_works(api, token):
    new = api.rotate()

    assert api_of(lambda: new).open_session(ABOUT).session


def test_a_database_that_is_away_is_for_later(api, monkeypatch):
    def away(**kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("jobs.services.sessions.living_session", away)

    with pytest.raises(Away) as problem:
        api.heartbeat({"attempts": []})

    assert problem.value.retry_after_s == 2
