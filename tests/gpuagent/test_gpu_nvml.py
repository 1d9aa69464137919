"""The real bindings, on a driver made of C: what a host without a GPU can know of hosts with one."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .nvml.build import build

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import dataclasses, json, sys
from gpuagent.gpu.source import GpuFault, open_source
told = {}
try:
    source = open_source(False)
    gpus = source.gpus()
    told["gpus"] = [dataclasses.asdict(gpu) for gpu in gpus]
    told["sample"] = source.sample(gpus[0].uuid)._asdict()
    told["counter"], told["pids"] = source.energy_mj(gpus[0].uuid), source.pids(gpus[0].uuid)
    source.close()
except GpuFault as fault:
    told |= {"code": fault.code, "text": str(fault), "is_lost": fault.is_lost}
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session")
def host(driver):
    """Asks a host whose driver is in this mode, each once."""

    @functools.cache
    def ask(mode="", count=1, library=driver):
        env = os.environ | {"FAKE_NVML": mode, "FAKE_NVML_COUNT": str(count), "LD_LIBRARY_PATH": str(library)}
        run = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=env, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr.decode()
        return json.loads(run.stdout)

    return ask


def test_a_board_tells_all_its_figures(host):
    told = host()

    assert told["sample"] == {
        "power_w": 300.0,
        "energy_mj": told["sample"]["energy_mj"],
        "util": 97,
        "mem_mib": 40960,
        "temp_c": 61,
        "clock_mhz": 1980,
        "reasons": 4,
    }
    assert told["sample"]["energy_mj"] > 0


def test_a_session_tells_what_the_board_is_and_can_measure(host):
    assert host()["gpus"] == [
        {
            "uuid": "GPU-00000000-0000-0000-0000-000000000001",
            "name": "NVIDIA H100 80GB HBM3",
            "memory_mib": 81920,
            "cc": "9.0",
            "mig": False,
            "power_limit_w": 700.0,
            "nvml": {"energy_counter": True, "power": "average_1s", "instant": True, "scope": "gpu"},
        }
    ]


def test_every_gpu_of_the_host_is_found(host):
    assert len(host(count=8)["gpus"]) == 8


def test_a_board_without_a_counter_has_none_and_not_0(host):
    told = host("pascal")

    assert told["sample"]["energy_mj"] is None
    assert told["gpus"][0]["nvml"]["energy_counter"] is False


def test_a_ga100_tells_instant_power_and_other_amperes_an_average(host):
    assert host("a100")["gpus"][0]["nvml"]["power"] == "instant"


def test_a_sliced_gpu_says_so_and_has_no_utilisation(host):
    told = host("mig")

    assert told["gpus"][0]["mig"] is True
    assert told["sample"]["util"] is None


def test_a_board_that_knows_only_its_module_is_read_by_the_module(host):
    told = host("module")

    assert told["sample"]["power_w"] == 650.0
    assert told["gpus"][0]["nvml"]["scope"] == "module"


def test_a_gpu_without_memory_of_its_own_counts_the_host_s(host):
    told = host("unified")

    assert told["sample"]["mem_mib"] is None
    assert told["gpus"][0]["memory_mib"] > 0


@pytest.mark.parametrize(
    ("mode", "code", "is_lost"),
    [
        ("nodriver", "no_driver", False),
        ("mismatch", "driver_mismatch", False),
        ("denied", "no_permission", False),
        ("lost", "gpu_lost", True),
    ],
    ids=["nodriver", "mismatch", "denied", "lost"],
)
def test_what_is_wrong_has_a_code_and_a_sentence(host, mode, code, is_lost):
    told = host(mode)

    assert (told["code"], told["is_lost"]) == (code, is_lost)
    assert told["text"].endswith(".")


def test_one_lost_gpu_does_not_hide_the_others(host):
    assert len(host("half", count=3)["gpus"]) == 2


def test_a_host_without_a_driver_says_so(host, tmp_path):
    if Path("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1").exists():
        pytest.skip("this host has a driver")

    assert host(library=tmp_path)["code"] == "no_library"


def test_processes_on_the_gpu_are_named(host):
    assert host("shared")["pids"] == [1]
    assert host()["pids"] == []
