"""Claim, accept, decline, heartbeat and finish as a host calls them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone

from jobs.models import Agent, Attempt, AttemptState, GpuHold, Job, JobEvent, JobState
from jobs.services import polling
from jobs.services.cancelling import cancel_job
from tests.jobs.calling import Host
from tests.jobs.factories import AttemptFactory, GpuFactory, JobFactory
from tests.jobs.queueing import queued, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller():
    host = Host()
    GpuFactory(agent=host.agent)
    return host


def claim(caller, claim_id="claim-one", **asked):
    return caller.call("POST", "/claim", {"claim_id": claim_id, **asked})


def accepted(caller) -> str:
    attempt = claim(caller).json()["attempt"]
    assert caller.call("POST", f"/attempts/{attempt}/accept", {}).status_code == 200
    return attempt


def test_a_job_goes_from_claim_to_finish(caller):
    job = queued()

    offer = claim(caller).json()
    path = f"/attempts/{offer['attempt']}"
    assert caller.call("POST", f"{path}/accept", {"gpus": offer["gpus"]}).json() == {"lease_s": 60}
    beat = {"id": offer["attempt"], "phase": "running", "step": "measure", "step_i": 7, "step_n": 9}
    assert caller.call("POST", "/heartbeat", {"attempts": [beat]}).json()["attempts"] == [
        {"id": offer["attempt"], "do": "continue"}
    ]
    answer = caller.call("POST", f"{path}/finish", report())

    assert (answer.status_code, answer.json()) == (200, {"verdict": "accepted", "job_state": "succeeded"})
    assert answer["X-Attempt-Directive"] == "forget"
    events = JobEvent.objects.filter(job=job).values_list("event", flat=True)
    assert list(events) == ["offered", "accepted", "finished"]


def test_an_offer_holds_all_that_a_host_needs(caller):
    job = queued(wall_s=600)

    offer = claim(caller).json()

    assert offer["job"] == job.pk
    assert offer["gpus"] == [caller.agent.gpus.get().uuid]
    assert (offer["executor"], offer["image"], offer["number"]) == ("container", None, 1)
    assert hashlib.sha256(offer["config"].encode()).hexdigest() == offer["config_sha256"]
    assert offer["limits"]["wall_s"] == 600
    assert 25 < offer["accept_within_s"] <= 30
    assert "out/**/result.json" in offer["collect"]


def test_without_a_job_the_host_is_told_when_to_ask_again(caller):
    answer = claim(caller)

    assert (answer.status_code, answer["Retry-After"]) == (204, "3")


@pytest.mark.parametrize(("hosts", "wait_s"), [(300, "3"), (1000, "10"), (100_000, "120")])
def test_many_hosts_ask_less_often(caller, hosts, wait_s):
    cache.set(polling.KEY, hosts)

    assert claim(caller)["Retry-After"] == wait_s


def test_hosts_that_are_away_are_not_waited_for(caller):
    claim(caller)
    assert cache.get(polling.KEY) == 1

    cache.delete(polling.KEY)

    assert polling.next_claim_s(timezone.now() + timedelta(minutes=2)) == 3
    assert cache.get(polling.KEY) == 0


def test_the_same_claim_gets_the_same_offer_again(caller):
    queued()
    queued()

    first, second = claim(caller).json(), claim(caller).json()

    assert first["attempt"] == second["attempt"]
    assert Attempt.objects.count() == 1


def test_only_gpus_that_the_host_names_are_used(caller):
    other = GpuFactory(agent=caller.agent)
    queued()

    assert claim(caller, gpus=[other.uuid]).json()["gpus"] == [other.uuid]


def test_a_host_that_was_set_aside_gets_no_work(caller):
    Agent.objects.update(quarantined_at=timezone.now(), quarantine_reason="It failed three times.")
    queued()

    answer = claim(caller)

    assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    assert "It failed three times." in answer.json()["detail"]


def test_a_host_that_drains_gets_no_work(caller):
    Agent.objects.update(is_draining=True)
    queued()

    assert claim(caller).status_code == 204


def test_a_replaced_session_gets_no_work(caller):
    queued()
    caller.session = str(uuid4())

    answer = claim(caller)

    assert (answer.status_code, answer.json()["code"]) == (409, "session_replaced")


def test_a_claim_without_an_id_is_refused(caller):
    answer = caller.call("POST", "/claim", {})

    assert (answer.status_code, answer.json()["fields"]) == (422, {"claim_id": "Field required"})


def test_accepting_twice_is_fine_and_starts_once(caller):
    queued()
    attempt = accepted(caller)

    assert caller.call("POST", f"/attempts/{attempt}/accept", {}).status_code == 200
    assert Job.objects.get().attempts_used == 1


def test_accepting_what_was_cancelled_is_too_late(caller):
    job = queued()
    attempt = claim(caller).json()["attempt"]
    cancel_job(job=job, by=job.owner)

    answer = caller.call("POST", f"/attempts/{attempt}/accept", {})

    assert (answer.status_code, answer.json()["code"]) == (410, "offer_gone")
    assert answer["X-Attempt-Directive"] == "forget"


def test_accepting_other_gpus_than_were_offered_is_refused(caller):
    queued()
    attempt = claim(caller).json()["attempt"]

    answer = caller.call("POST", f"/attempts/{attempt}/accept", {"gpus": ["GPU-another"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "other_gpus")


@pytest.mark.parametrize("call", ["accept", "decline", "finish"])
def test_the_attempts_of_other_hosts_are_unknown(caller, call):
    other = AttemptFactory()

    answer = caller.call("POST", f"/attempts/{other.pk}/{call}", {"code": "policy"} | report())

    assert (answer.status_code, answer.json()["code"]) == (404, "no_attempt")


def test_a_declined_job_waits_for_another_host(caller):
    job = queued()
    attempt = claim(caller).json()["attempt"]

    answer = caller.call("POST", f"/attempts/{attempt}/decline", {"code": "disk_low", "detail": "3 GiB left"})

    assert answer.status_code == 200
    job.refresh_from_db()
    assert (job.state, job.reason) == (JobState.QUEUED, f"{caller.agent} declined: 3 GiB left")
    assert claim(caller, "claim-two").status_code == 204


def test_a_heartbeat_keeps_what_the_host_measured(caller):
    gpu = {"uuid": "GPU-3f2a", "power_w": 412.0, "util": 97, "mem_mib": None, "temp_c": 64}

    answer = caller.call("POST", "/heartbeat", {"gpus": [gpu], "disk_free_mib": 400_000})

    assert answer.json()["drain"] is False
    assert answer.json()["rotate_token"] is False
    assert Agent.objects.get(pk=caller.agent.pk).vitals == {"gpus": [gpu], "disk_free_mib": 400_000}


def test_a_heartbeat_shows_the_step(caller):
    queued()
    attempt = accepted(caller)
    beat = {"id": attempt, "phase": "running", "step": "measure", "step_i": 7, "step_n": 9}

    caller.call("POST", "/heartbeat", {"attempts": [beat]})

    stored = Attempt.objects.get()
    assert (stored.phase, stored.step, stored.step_index, stored.step_count) == ("running", "measure", 7, 9)


def test_a_heartbeat_is_not_refused_for_a_word(caller):
    queued()
    attempt = accepted(caller)
    beat = {"id": attempt, "phase": "dancing", "step": "\x1b[31m" + "warm-up " * 40}

    assert caller.call("POST", "/heartbeat", {"attempts": [beat]}).status_code == 200

    assert (Attempt.objects.get().phase, len(Attempt.objects.get().step)) == ("", 80)


def test_a_heartbeat_keeps_how_wrong_the_hosts_clock_is(caller):
    ahead = timezone.now() + timedelta(days=1)

    caller.call("POST", "/heartbeat", {"agent_time": ahead.isoformat()})

    assert Agent.objects.get(pk=caller.agent.pk).clock_offset_s == pytest.approx(86_400, abs=60)


def test_the_gpus_are_free_once_the_process_has_ended(caller):
    queued()
    attempt = accepted(caller)

    caller.call("POST", "/heartbeat", {"attempts": [{"id": attempt, "phase": "uploading"}]})

    assert Attempt.objects.get().state == AttemptState.UPLOADING
    assert not GpuHold.objects.exists()


def test_a_heartbeat_that_was_overtaken_does_not_bring_the_process_back(caller):
    queued()
    attempt = accepted(caller)
    caller.call("POST", "/heartbeat", {"attempts": [{"id": attempt, "phase": "uploading"}]})

    caller.call("POST", "/heartbeat", {"attempts": [{"id": attempt, "phase": "running"}]})

    assert (Attempt.objects.get().state, Attempt.objects.get().phase) == (AttemptState.UPLOADING, "uploading")


def test_an_unknown_attempt_is_to_be_kept_for_a_moderator(caller):
    unknown = str(uuid4())

    answer = caller.call("POST", "/heartbeat", {"attempts": [{"id": unknown, "phase": "running"}]})

    assert answer.json()["attempts"] == [{"id": unknown, "do": "upload"}]


def test_a_cancellation_reaches_the_host_with_its_next_call(caller):
    job = queued()
    attempt = accepted(caller)
    cancel_job(job=job, by=job.owner)

    beat = caller.call("POST", "/heartbeat", {"attempts": [{"id": attempt, "phase": "running"}]})
    log = caller.log(Attempt.objects.get(), 0, b"hello\n")

    assert beat.json()["attempts"][0]["do"] == "cancel"
    assert log["X-Attempt-Directive"] == "cancel"


def test_a_finish_before_all_has_arrived_says_what_is_missing(caller):
    queued()
    attempt = accepted(caller)
    caller.log(Attempt.objects.get(), 0, b"hello")
    digest = hashlib.sha256(b"hello world").hexdigest()
    file = {"name": "out/result.json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    body = report(
        log={"size": 11, "sha256": digest}, artifacts=[file], telemetry={"last_seq": 9}, events={"last_seq": 2}
    )

    answer = caller.call("POST", f"/attempts/{attempt}/finish", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "incomplete")
    told = {name: answer.json()[name] for name in ("log_from", "artifacts", "telemetry_from", "events_from")}
    assert told == {"log_from": 5, "artifacts": ["out/result.json"], "telemetry_from": 1, "events_from": 1}


def test_another_report_of_the_same_attempt_is_a_conflict(caller):
    queued()
    attempt = accepted(caller)
    caller.call("POST", f"/attempts/{attempt}/finish", report())

    answer = caller.call("POST", f"/attempts/{attempt}/finish", report("failed"))

    assert (answer.status_code, answer.json()["code"]) == (409, "finish_conflict")
    assert Job.objects.get().state == JobState.SUCCEEDED


def test_an_outcome_that_does_not_exist_is_refused(caller):
    queued()
    attempt = accepted(caller)

    answer = caller.call("POST", f"/attempts/{attempt}/finish", report("won"))

    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["outcome"])


@pytest.mark.parametrize(
    "path",
    [
        "/claim",
        "/heartbeat",
        "/attempts/0b6d3b1e-0000-4000-8000-000000000000/accept",
        "/attempts/0b6d3b1e-0000-4000-8000-000000000000/finish",
    ],
)
def test_without_a_token_nothing_is_answered(caller, path):
    caller.plain = "gpa_nonsense"

    assert caller.call("POST", path, {}).status_code == 401


def test_what_a_newer_agent_says_beside_is_kept_with_the_report(caller):
    queued()
    attempt = accepted(caller)

    caller.call("POST", f"/attempts/{attempt}/finish", report(new_figure=1.5))

    assert Attempt.objects.get().finish["new_figure"] == 1.5


def test_a_claim_that_fits_nothing_leaves_the_queue_as_it_is(caller):
    job = JobFactory(gpu_count=8)

    assert claim(caller).status_code == 204
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
