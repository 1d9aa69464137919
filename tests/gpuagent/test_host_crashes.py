"""The agent, its job and its shim are killed at every point; nothing is lost and nothing runs twice."""

import hashlib
import json
import os
import signal

import pytest

from gpuagent.host import clock

from .host import end, finished, folder_of, process, soon, starts
from .waiting import wait_for

KILLED = 137
#: in the order in which a job passes them, however slow the machine is: what has been sent is sent again by the next
POINTS = (
    "claim_written", "claim_answered", "offer_written", "accept_answered", "accepted_written",
    "launch_written", "shim_started", "exit_seen", "report_made", "finish_written", "log_sent", "batch_sent",
    "piece_sent", "file_sent", "finish_sent", "finish_answered", "verdict_written",
)  # fmt: skip


def run_until_it_dies(home, point):
    agent = process(home, crash_at=point)
    try:
        assert soon(lambda: agent.poll() == KILLED, 60), f"{point} was not reached"
    finally:
        agent.kill()
        agent.communicate()


@pytest.fixture
def agent(home):
    """Starts one as a process of its own, which is gone at the end."""
    started = []

    def agent(*arguments, **more):
        started.append(process(home, *arguments, **more))
        return started[-1]

    yield agent
    for each in started:
        each.kill()
        each.communicate()


@pytest.mark.long
def test_a_job_survives_the_death_of_its_agent_at_every_point(protocol_site, home, agent, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "2")
    attempt = protocol_site.order()

    for point in POINTS:
        run_until_it_dies(home, point)
    agent()

    report = finished(attempt)
    assert report["outcome"] == "succeeded"
    assert starts(home) == [attempt.id]
    assert (attempt.log.count(b"Interrupted"), hashlib.sha256(attempt.log).hexdigest()) == (0, report["log"]["sha256"])
    assert len({claim["claim_id"] for claim in protocol_site.claims[:2]}) == 1
    assert {claim["claim_id"] for claim in protocol_site.claims[2:]}.isdisjoint({attempt.claim_id})


def test_an_offer_whose_claim_is_dropped_is_accepted_by_the_next_agent(protocol_site, home, agent):
    attempt = protocol_site.order()

    run_until_it_dies(home, "claim_dropped")
    agent()

    assert finished(attempt)["outcome"] == "succeeded"
    assert starts(home) == [attempt.id]


@pytest.mark.parametrize(
    ("point", "outcome", "started"),
    [
        ("shim_locked", "succeeded", 1),
        ("shim_begun", "infra_failed", 0),
        ("shim_pid_written", "infra_failed", 0),
        ("shim_noted", "infra_failed", 1),
        ("shim_ended", "infra_failed", 1),
    ],
)
def test_a_shim_that_dies_is_told_as_what_it_is(protocol_site, home, start, monkeypatch, point, outcome, started):
    attempt = protocol_site.order()
    monkeypatch.setenv("LEM_AGENT_CRASH_AT", point)
    start()
    wait_for(lambda: (folder_of(home, attempt) / "shim.lock").exists())

    monkeypatch.delenv("LEM_AGENT_CRASH_AT")

    report = finished(attempt)
    assert (report["outcome"], report["code"]) == (outcome, "ok" if outcome == "succeeded" else "process_lost")
    assert len(starts(home)) == started


def test_a_job_goes_on_while_its_agent_is_dead(protocol_site, home, agent, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "1")
    attempt = protocol_site.order()
    first = agent()
    wait_for(lambda: attempt.log)

    first.kill()
    first.wait()
    wait_for((folder_of(home, attempt) / "exit.json").exists)
    assert attempt.finish is None
    agent()

    assert finished(attempt)["outcome"] == "succeeded"
    assert protocol_site.sessions[-1]["told"]["attempts"][0]["phase"] == "uploading"


def test_a_job_that_was_killed_with_its_agent_and_shim_is_reported_by_the_next_agent(
    protocol_site, home, agent, monkeypatch
):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "10")
    attempt = protocol_site.order()
    first = agent()
    mark = folder_of(home, attempt) / "pid.json"
    wait_for(lambda: attempt.log and mark.exists())

    first.kill()
    os.kill(json.loads(mark.read_bytes())["shim"], signal.SIGKILL)
    agent()

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("infra_failed", "process_lost")
    assert clock.start_time(json.loads(mark.read_bytes())["pid"]) is None


def test_after_a_restart_of_the_host_what_ran_is_reported_as_such(protocol_site, home, agent, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "10")
    attempt = protocol_site.order()
    first = agent()
    mark = folder_of(home, attempt) / "pid.json"
    wait_for(lambda: attempt.log and mark.exists())
    known = json.loads(mark.read_bytes())
    first.kill()
    os.kill(known["shim"], signal.SIGKILL)
    end(mark)

    mark.write_text(json.dumps(known | {"boot_id": "another"}))
    agent()

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("infra_failed", "host_rebooted")


def test_a_second_agent_does_not_run_from_the_same_folder(home, agent):
    agent()
    wait_for(lambda: (home.path / "instance.lock").exists())

    second = agent()

    assert second.wait(20) == 1
    assert "another agent runs from" in second.stderr.read()


def test_an_upgrade_leaves_the_job_to_the_next_agent(protocol_site, home, agent, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "1")
    attempt = protocol_site.order()
    first = agent()
    wait_for(lambda: starts(home))

    first.send_signal(signal.SIGHUP)
    assert first.wait(20) == 0
    assert attempt.finish is None
    agent()

    assert finished(attempt)["outcome"] == "succeeded"
    assert starts(home) == [attempt.id]
