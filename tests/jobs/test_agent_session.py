"""Coming, being the only one, going: enrol, session, rotate."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notification
from jobs.models import AgentSession, Gpu
from jobs.services import agents
from jobs.services.callers import find_caller
from jobs.services.tickets import issue_ticket
from tests.jobs.calling import BASE, GPU, Host, session_body
from tests.jobs.factories import AgentFactory, AttemptFactory, GpuFactory, JobFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def host():
    """A host whose session is that of the machine that session_body() speaks of."""
    agent = AgentFactory()
    return Host(agent, session=SessionFactory(agent=agent, instance_id="instance-one", boot_id="boot-one"))


def opened(host, /, **others):
    answer = host.call("POST", "/session", session_body(**others))
    assert answer.status_code == 201, answer.content
    return answer.json()


def enrol(code):
    return Client().post(f"{BASE}/enroll", {"code": code}, "application/json", headers={"X-Agent-Protocol": "1"})


def test_a_code_is_answered_with_a_token_that_works():
    _, code = agents.issue_code(by=None, name="gpu-1")

    answer = enrol(code)

    assert (answer.status_code, answer.json()["name"]) == (201, "gpu-1")
    assert find_caller(answer.json()["token"]) is not None


@pytest.mark.parametrize("code", ["", "gpe_x", "lem_1", "gpe_" + "0" * 36])
def test_what_is_no_code_is_unauthorized(code):
    assert enrol(code).status_code == 401


def test_rotating_answers_with_another_token(host):
    answer = host.call("POST", "/token/rotate", {})

    assert answer.status_code == 201
    assert answer.json()["token"] != host.plain


def test_a_session_tells_the_site_what_the_host_is(host):
    opened(host)

    host.agent.refresh_from_db()
    gpu = Gpu.objects.get(agent=host.agent)
    assert (host.agent.host["driver"], host.agent.labels) == ("575.57.08", ["quiet-host"])
    assert (gpu.uuid, gpu.name, gpu.memory_mib, gpu.is_present) == (GPU["uuid"], GPU["name"], 81_559, True)


def test_a_gpu_of_the_catalogue_is_known(host, small_catalogue):
    opened(host, gpus=[GPU | {"name": "NVIDIA H100"}])

    assert Gpu.objects.get(agent=host.agent).hardware.slug == "h100"


def test_a_gpu_that_is_gone_is_kept_as_absent(host):
    gone = GpuFactory(agent=host.agent)

    opened(host)

    gone.refresh_from_db()
    assert not gone.is_present


def test_the_newer_session_ends_the_older_of_the_same_machine(host):
    newer = opened(host)["session"]

    assert [str(session.pk) for session in AgentSession.objects.filter(ended_at=None)] == [newer]


def test_a_second_machine_with_the_token_is_refused_and_told_of(host):
    answer = host.call("POST", "/session", session_body(instance_id="a-copy"))

    assert (answer.status_code, answer.json()["code"]) == (409, "session_elsewhere")
    assert Notification.objects.filter(user=host.agent.owner).count() == 1


def test_it_may_come_once_the_first_is_silent_for_a_lease(host):
    AgentSession.objects.update(last_seen_at=timezone.now() - timedelta(seconds=61))

    opened(host, instance_id="a-new-machine")


def test_a_session_that_was_ended_leaves_room_for_another_machine(host):
    assert host.call("DELETE", "/session").status_code == 204

    opened(host, instance_id="a-new-machine")


def test_a_clock_that_is_wrong_is_noted(host):
    opened(host, agent_time=(timezone.now() + timedelta(days=1)).isoformat())

    host.agent.refresh_from_db()
    assert host.agent.clock_offset_s == pytest.approx(86_400, abs=60)


@pytest.mark.parametrize(("toolkit", "executors"), [("1.17.8", ["container"]), ("1.17.7", []), ("", [])])
def test_an_old_container_toolkit_runs_no_containers(host, toolkit, executors):
    body = opened(host, host={"toolkit": toolkit})

    assert AgentSession.objects.get(pk=body["session"]).executors == executors
    assert bool(body["warnings"]) == (not executors)


def test_other_protocols_alone_are_426(host):
    assert host.call("POST", "/session", session_body(protocols=[7])).status_code == 426


def test_a_simulating_agent_is_marked_so(host):
    opened(host, simulated=True)

    host.agent.refresh_from_db()
    assert host.agent.is_simulated


def test_a_host_does_not_turn_simulated_under_a_real_job(host):
    AttemptFactory(agent=host.agent)

    answer = host.call("POST", "/session", session_body(simulated=True))

    assert (answer.status_code, answer.json()["code"]) == (409, "kind_changed")


def test_a_reboot_clears_the_gpus_that_were_set_aside():
    agent = AgentFactory()
    gpu = GpuFactory(agent=agent, uuid=GPU["uuid"], quarantined_at=timezone.now())
    host = Host(agent, session=SessionFactory(agent=agent, instance_id="instance-one", boot_id="boot-zero"))

    opened(host, boot_id="boot-one")

    gpu.refresh_from_db()
    assert gpu.quarantined_at is None


def test_a_restart_without_reboot_does_not():
    agent = AgentFactory()
    gpu = GpuFactory(agent=agent, uuid=GPU["uuid"], quarantined_at=timezone.now())
    host = Host(agent, session=SessionFactory(agent=agent, instance_id="instance-one", boot_id="boot-one"))

    opened(host, boot_id="boot-one")

    gpu.refresh_from_db()
    assert gpu.quarantined_at is not None


def todo(host, attempt, **told):
    return opened(host, attempts=[{"id": str(attempt.pk), "phase": "running", **told}])["attempts"][0]


def test_what_still_runs_is_resumed_from_what_is_here(host):
    attempt = AttemptFactory(agent=host.agent, log_bytes=8192, next_event=15, next_telemetry=421)

    assert todo(host, attempt) == {
        "id": str(attempt.pk),
        "do": "resume",
        "log_offset": 8192,
        "event_seq": 15,
        "telemetry_seq": 421,
    }


def test_what_has_ended_is_uploaded(host):
    attempt = AttemptFactory(agent=host.agent, state="uploading")

    assert todo(host, attempt, phase="uploading")["do"] == "upload"


def test_what_was_cancelled_meanwhile_is_stopped(host):
    attempt = AttemptFactory(agent=host.agent, job=JobFactory(state="running", cancel_requested_at=timezone.now()))

    assert todo(host, attempt)["do"] == "cancel"


def test_what_ended_before_the_cancellation_was_heard_is_uploaded(host):
    attempt = AttemptFactory(agent=host.agent, job=JobFactory(state="running", cancel_requested_at=timezone.now()))

    assert todo(host, attempt, exit=0)["do"] == "upload"


def test_what_was_lost_and_is_still_wanted_goes_on(host):
    job = JobFactory(state="queued")
    issue_ticket(job)
    lost = AttemptFactory(agent=host.agent, job=job, state="lost", lost_at=timezone.now())

    assert todo(host, lost)["do"] == "resume"

    lost.refresh_from_db()
    assert (lost.state, lost.job.state) == ("running", "running")


def test_a_session_renews_the_lease_of_what_runs(host):
    attempt = AttemptFactory(agent=host.agent, lease_until=timezone.now())

    todo(host, attempt)

    attempt.refresh_from_db()
    assert attempt.lease_until > timezone.now() + timedelta(seconds=30)


def test_what_was_lost_and_taken_by_another_is_abandoned(host):
    job = JobFactory(state="running")
    lost = AttemptFactory(agent=host.agent, job=job, state="lost", lost_at=timezone.now())
    AttemptFactory(job=job)

    assert todo(host, lost)["do"] == "abandon"


@pytest.mark.parametrize("state", ["done", "offer_expired", "declined"])
def test_what_is_over_is_forgotten(host, state):
    assert todo(host, AttemptFactory(agent=host.agent, state=state))["do"] == "forget"


def test_the_attempt_of_another_host_is_unknown(host):
    foreign = AttemptFactory(log_bytes=77)

    assert todo(host, foreign)["log_offset"] == 0


def test_an_attempt_that_the_site_does_not_know_is_told_to_operator_and_moderators(host, moderator):
    answer = opened(host, attempts=[{"id": "00000000-0000-4000-8000-000000000000", "phase": "running"}])

    assert answer["attempts"][0]["do"] == "upload"
    assert set(Notification.objects.values_list("user", flat=True)) == {host.agent.owner.pk, moderator.pk}


WRONG = {
    "no-instance": {"instance_id": None},
    "gpu-without-uuid": {"gpus": [{"name": "H100"}]},
    "gpu-uuid-path": {"gpus": [GPU | {"uuid": "GPU-../../etc"}]},
    "control-characters": {"host": {"os": "Ubuntu\u202e"}},
    "long-label": {"labels": ["x" * 41]},
    "negative-memory": {"gpus": [GPU | {"memory_mib": -1}]},
    "text-for-number": {"gpus": [GPU | {"memory_mib": "81559"}]},
    "attempt-id": {"attempts": [{"id": "../../x"}]},
    "many-gpus": {"gpus": [GPU] * 65},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_session_of_nonsense_is_refused_with_the_field(host, wrong):
    answer = host.call("POST", "/session", session_body(**wrong))

    assert answer.status_code == 422
    assert answer.json()["fields"]
