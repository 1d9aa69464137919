from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from gpuagent.gpu import energy, fake, neighbours, sampler, telemetry
from gpuagent.gpu.fake import FakeSource, Script
from gpuagent.gpu.sampler import Sampler

ROOT = Path(__file__).resolve().parent.parent.parent
UUID, OTHER = "GPU-simulated-0badcafe-0", "GPU-simulated-0badcafe-1"
PATIENCE_S = 20


class Time:
    """A clock that only waiting moves."""

    def __init__(self, monkeypatch):
        self.now = 5000.0
        monkeypatch.setattr(sampler, "boottime", self)
        monkeypatch.setattr("gpuagent.gpu.sampler.time.time", lambda: 1e9 + self.now)
        monkeypatch.setattr("gpuagent.gpu.sampler.time.sleep", self.sleep)

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def until(self, seconds, *, then=lambda now: None, jump=0.0):
        """Waits as long as asked; says "enough" after so many seconds."""
        end = self.now + seconds

        def wait(asked):
            self.now += asked + jump
            then(self.now)
            return self.now >= end

        return wait


@pytest.fixture
def clock(monkeypatch):
    return Time(monkeypatch)


@pytest.fixture
def sampled(clock, tmp_path):
    """Samples for some seconds of made-up time and returns the folder."""

    def run(seconds=12.0, uuids=(UUID,), script=None, **waiting):
        source = FakeSource(uuids, folder=tmp_path, script=script, clock=clock)
        Sampler(source, uuids, tmp_path).run(clock.until(seconds, **waiting))
        return tmp_path

    return run


def newest(folder):
    found = telemetry.latest(folder)
    assert found is not None
    return found


def lines(folder):
    return list(telemetry.read_full(folder))


def test_ten_samples_a_second_are_kept_and_one_is_shown(sampled):
    folder = sampled(12)

    assert len([line for line in lines(folder) if "gpu" in line]) == pytest.approx(120, abs=2)
    assert telemetry.last_seq(folder) in (11, 12)


def test_the_schedule_does_not_drift(sampled):
    folder = sampled(30)

    times = [line["t"] for line in lines(folder) if "gpu" in line]
    assert times[-1] - times[0] == pytest.approx(0.1 * (len(times) - 1), abs=0.01)


def test_missed_samples_are_a_gap_and_not_a_burst(sampled):
    folder = sampled(5, jump=0.35)

    times = [line["t"] for line in lines(folder) if "gpu" in line]
    assert min(later - sooner for sooner, later in pairwise(times)) > 0.09


def test_a_second_is_shown_with_its_mean_power(sampled, tmp_path):
    fake.put_load(tmp_path, power_w=300, util=97, mem_mib=5000)

    folder = sampled(4)

    assert newest(folder)["gpu"][0]["power_w"] == pytest.approx(300, rel=0.01)


def test_each_gpu_is_sampled_by_its_uuid(sampled):
    folder = sampled(3, uuids=(UUID, OTHER))

    assert [gpu["uuid"] for gpu in newest(folder)["gpu"]] == [UUID, OTHER]
    assert [entry["uuid"] for entry in energy.report(folder)] == [UUID, OTHER]


def test_a_gpu_that_is_lost_is_told_once_and_the_other_goes_on(sampled, clock, tmp_path):
    folder = sampled(6, uuids=(UUID, OTHER), script=Script(lost_at_s=3))

    codes = [(fault["code"], fault["uuid"]) for fault in telemetry.faults(folder)]
    assert sorted(codes) == [("gpu_lost", UUID), ("gpu_lost", OTHER)]
    assert newest(folder)["gpu"][0]["temp_c"] is None


def test_a_sampler_that_takes_over_counts_time_and_numbers_on(sampled):
    sampled(3)
    first = newest(sampled(0.05))

    folder = sampled(3)

    last = newest(folder)
    assert last["seq"] > first["seq"]
    assert last["t"] > 5


def test_a_new_boot_begins_its_own_time(sampled, monkeypatch):
    sampled(3)
    monkeypatch.setattr(sampler, "boot_id", lambda: "another")

    assert newest(sampled(2))["t"] < 3


def test_it_ends_by_itself_a_while_after_the_attempt(sampled, clock, tmp_path):
    start = clock.now

    sampled(1000, then=lambda now: (tmp_path / "exit.json").touch())

    assert clock.now - start == pytest.approx(sampler.AFTER_EXIT_S, abs=1)


def test_a_process_that_is_not_the_job_s_is_noted_once(sampled, clock, tmp_path, monkeypatch):
    (tmp_path / "pid.json").write_text(json.dumps({"pid": os.getpid()}))
    monkeypatch.setattr(FakeSource, "pids", lambda self, uuid: [1, os.getpid()])

    folder = sampled(4)

    notes = [line for line in lines(folder) if "note" in line]
    assert [(note["note"], note["processes"]) for note in notes] == [("gpu_shared", 1)]
    assert "gpu_shared" in energy.report(folder)[0]["flags"]


def test_children_of_the_job_and_ended_processes_are_no_neighbours():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert neighbours.foreign([child.pid, os.getpid(), 2**22 + 1], os.getpid()) == []
        assert neighbours.foreign([os.getpid()], child.pid) == [os.getpid()]
    finally:
        child.communicate()


@pytest.mark.parametrize("content", [None, "", "[]", '{"pid": "x"}'], ids=["absent", "empty", "list", "text"])
def test_without_a_process_to_compare_with_nobody_is_a_neighbour(tmp_path, content):
    if content is not None:
        (tmp_path / "pid.json").write_text(content)

    assert neighbours.own_pid(tmp_path) is None


def test_a_process_of_another_session_is_a_neighbour_and_one_of_ours_is_not():
    ours = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    theirs = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        assert neighbours.foreign([ours.pid, theirs.pid], ours.pid) == [theirs.pid]
    finally:
        ours.communicate()
        theirs.communicate()


@pytest.fixture
def start():
    """Starts the program; all are ended with the test."""
    running = []

    def start(folder, *options):
        command = [sys.executable, "-m", "gpuagent.gpu.sampler", "--out", str(folder), "--gpus", UUID, *options]
        running.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def wait_for_samples(folder, count):
    deadline = time.monotonic() + PATIENCE_S
    while telemetry.last_seq(folder) < count:
        assert time.monotonic() < deadline, "nothing was sampled"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_program_samples_until_it_is_told_to_stop(start, tmp_path, number):
    process = start(tmp_path, "--simulate")
    wait_for_samples(tmp_path, 1)

    process.send_signal(number)

    assert process.wait(PATIENCE_S) == 0
    (entry,) = energy.report(tmp_path)
    assert entry["counter_j"] == pytest.approx(entry["integral_j"], rel=0.03)


def test_a_second_program_in_the_same_folder_waits_and_goes_on_when_the_first_is_killed(start, tmp_path):
    first = start(tmp_path, "--simulate")
    wait_for_samples(tmp_path, 1)
    second = start(tmp_path, "--simulate")
    assert (tmp_path / "sampler.lock").read_text() == str(first.pid)

    first.kill()

    wait_for_samples(tmp_path, 3)
    assert (tmp_path / "sampler.lock").read_text() == str(second.pid)


def test_a_program_that_waits_for_its_turn_ends_with_the_attempt(start, tmp_path):
    start(tmp_path, "--simulate")
    wait_for_samples(tmp_path, 1)

    (tmp_path / "exit.json").touch()

    assert start(tmp_path, "--simulate").wait(PATIENCE_S) == 0


def test_times_count_from_where_the_agent_says(start, tmp_path):
    start(tmp_path, "--simulate", "--since", str(sampler.boottime() - 500))

    wait_for_samples(tmp_path, 1)

    assert 500 < newest(tmp_path)["t"] < 530


def test_without_a_driver_the_program_ends_with_3_and_a_sentence(start, tmp_path):
    if Path("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1").exists():
        pytest.skip("this host has a driver")
    process = start(tmp_path)

    assert process.wait(PATIENCE_S) == 3
    assert b"no NVIDIA driver" in process.stderr.read()
