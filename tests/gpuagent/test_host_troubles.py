"""Troubles of the host itself: no room, a clock that is wrong, a pause, a GPU that falls off its bus."""

import errno
import json
import os
import signal
from datetime import UTC, datetime, timedelta

from gpuagent.gpu import telemetry
from gpuagent.host import clock, durable, loop, supervising

from .host import finished, folder_of, process, starts
from .waiting import wait_for


def test_each_file_that_could_not_be_written_for_want_of_room_is_written_again(protocol_site, home, start, monkeypatch):
    failed, write = set(), durable.write

    def write_at_the_second_try(path, content):
        if path.name not in failed:
            failed.add(path.name)
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(durable, "write", write_at_the_second_try)
    monkeypatch.setattr(loop, "TRY_AGAIN_S", 0.05)
    attempt = protocol_site.order()

    start()

    assert finished(attempt)["outcome"] == "succeeded"
    assert starts(home) == [attempt.id]
    assert {"claim.json", "offer.json", "accepted.json", "finish.json"} <= failed


def test_a_clock_that_is_a_day_off_decides_nothing(protocol_site, home, start, monkeypatch):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds")
    monkeypatch.setattr(clock, "utc_now", lambda: tomorrow)
    attempt = protocol_site.order()

    start()

    assert finished(attempt)["outcome"] == "succeeded"
    assert protocol_site.sessions[0]["told"]["agent_time"] == tomorrow


def test_an_agent_that_was_paused_goes_on_with_its_job(protocol_site, home, monkeypatch):
    attempt = protocol_site.order()
    agent = process(home, LEM_SIMULATED_WINDOW_S="2")
    try:
        wait_for((folder_of(home, attempt) / "pid.json").exists)
        os.kill(agent.pid, signal.SIGSTOP)
        wait_for((folder_of(home, attempt) / "exit.json").exists)
        os.kill(agent.pid, signal.SIGCONT)

        assert finished(attempt)["outcome"] == "succeeded"
        assert starts(home) == [attempt.id]
    finally:
        agent.kill()
        agent.communicate()


def test_a_job_whose_gpu_is_lost_is_the_hosts_fault(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "20")
    monkeypatch.setattr(supervising, "DISK_LOOK_S", 0.1)
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    told = {"fault": {"code": "gpu_lost", "uuid": "GPU-x", "text": "The GPU has fallen off its bus."}}
    with (folder_of(home, attempt) / telemetry.LIVE).open("ab") as live:
        live.write(json.dumps(told).encode() + b"\n")

    report = finished(attempt)
    assert (report["outcome"], report["code"]) == ("infra_failed", "gpu_lost")
    assert b"fallen off its bus" in attempt.log


def test_a_driver_that_does_not_answer_any_more_ends_the_job(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "20")
    monkeypatch.setattr(supervising, "DISK_LOOK_S", 0.1)
    monkeypatch.setattr(telemetry, "silence_s", lambda folder: supervising.SAMPLER_SILENCE_S + 1)
    attempt = protocol_site.order()

    start()

    report = finished(attempt)
    assert (report["outcome"], report["code"]) == ("infra_failed", "nvml_hung")
