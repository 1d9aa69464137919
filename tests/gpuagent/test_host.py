"""The whole way of a job on a host: claimed, accepted, run, reported."""

import gzip
import hashlib
import json

import pytest

from .host import finished, folder_of, starts
from .waiting import wait_for


def test_a_job_is_claimed_run_and_reported_with_all_that_it_made(protocol_site, home, start):
    attempt = protocol_site.order()

    start()

    report = finished(attempt)
    assert (report["outcome"], report["code"], report["exit_code"]) == ("succeeded", "ok", 0)
    assert report["log"] == {"size": len(attempt.log), "sha256": hashlib.sha256(attempt.log).hexdigest()}
    assert sorted(attempt.events) == list(range(1, report["events"]["last_seq"] + 1))
    assert sorted(attempt.samples) == list(range(1, report["telemetry"]["last_seq"] + 1))
    assert any(name.endswith("result.json") for name in attempt.artifacts)
    assert starts(home) == [attempt.id]


def test_what_was_uploaded_is_what_lies_on_the_host(protocol_site, home, start):
    attempt = protocol_site.order()

    start()
    finished(attempt)

    for name, file in attempt.artifacts.items():
        assert (folder_of(home, attempt) / name).read_bytes() == file["content"]
    recorded = gzip.decompress(attempt.artifacts["telemetry.ndjson.gz"]["content"]).splitlines()
    assert "began_boottime" in json.loads(recorded[0])


def test_a_session_tells_what_the_host_is(protocol_site, home, start):
    start(simulated_gpus=2, labels=("quiet",))
    wait_for(lambda: protocol_site.sessions)

    told = protocol_site.sessions[0]["told"]

    assert told["simulated"] is True
    assert (told["executors"], told["labels"], told["protocols"]) == (["simulate", "race"], ["quiet"], [1])
    assert [gpu["uuid"] for gpu in told["gpus"]] == sorted({gpu["uuid"] for gpu in told["gpus"]})
    assert told["instance_id"] == home.instance_id


def test_jobs_run_side_by_side_on_gpus_of_their_own(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "2")
    first, second = protocol_site.order(), protocol_site.order()

    start(simulated_gpus=2)

    wait_for(lambda: len(starts(home)) == 2)
    assert first.finish is None
    assert set(first.offer["gpus"]).isdisjoint(second.offer["gpus"])
    assert finished(first)["outcome"] == finished(second)["outcome"] == "succeeded"


def test_no_job_is_claimed_while_no_gpu_is_free(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "0.5")
    first, second = protocol_site.order(), protocol_site.order()

    start()
    finished(second)

    assert starts(home) == [first.id, second.id]
    assert not any(claim["gpus"] == [] for claim in protocol_site.claims)


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [("no_cuda", "infra_failed", "no_cuda"), ("no_results", "failed", None), ("crash", "failed", None)],
)
def test_a_failure_is_reported_with_its_reason(protocol_site, home, start, monkeypatch, fault, outcome, code):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", fault)
    attempt = protocol_site.order()

    start()

    report = finished(attempt)
    assert report["outcome"] == outcome
    assert code in {None, report["code"]}
    assert len(report["detail"]) > 20


def test_a_draining_agent_finishes_what_runs_and_goes(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "1")
    first, second = protocol_site.order(), protocol_site.order()
    agent = start()
    wait_for(lambda: starts(home))

    agent.drain()
    agent.thread.join(20)

    assert not agent.thread.is_alive()
    assert first.finish["outcome"] == "succeeded"
    assert second.state == "queued"
    assert protocol_site.calls["DELETE /session"] == 1


def test_a_second_request_to_drain_stops_what_runs(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", "hang")
    attempt = protocol_site.order()
    agent = start()
    wait_for(lambda: starts(home))

    agent.drain()
    agent.drain()

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("infra_failed", "agent_stopped")


def test_a_site_that_drains_the_host_gives_it_nothing(protocol_site, home, start):
    protocol_site.drain = True
    attempt = protocol_site.order()

    start()
    wait_for(lambda: len(protocol_site.heartbeats) > 2)

    assert attempt.state == "queued"
    assert protocol_site.claims == []


def test_the_heartbeat_tells_where_a_job_is(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "1")
    attempt = protocol_site.order()

    start()
    finished(attempt)

    beats = [beat["attempts"][0] for beat in protocol_site.heartbeats if beat["attempts"]]
    assert {"running", "uploading"} <= {beat["phase"] for beat in beats}
    assert any(beat["step"] == "Measuring inference" and beat["step_n"] == 6 for beat in beats)


def test_a_lane_waits_for_the_start_that_the_site_gives(protocol_site, home, start):
    lane = {
        "kind": "race", "lane": "a", "model": "Qwen/Qwen2.5-0.5B", "use_cases": ["extraction"],
        "suite_version": "2026.1", "max_tokens": 16, "concurrency": 4, "wait_s": 30, "run_s": 60, "simulate": True,
    }  # fmt: skip
    attempt = protocol_site.order(json.dumps(lane), executor="race", simulated=True)
    start()
    wait_for(lambda: "ready" in attempt.phases)
    attempt_folder = folder_of(home, attempt)
    assert not (attempt_folder / "go").exists()

    attempt.go_in_s = 0.5

    assert finished(attempt)["outcome"] == "succeeded", attempt.log
    assert (attempt_folder / "go").exists()
