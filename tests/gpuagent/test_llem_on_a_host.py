"""The whole way of a real job on a host whose GPU is a driver's word only: llem runs, finds no CUDA, and says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpuagent.executors import llem

from .host import REPOSITORY, finished
from .nvml.build import build

CONFIG = """serving_mode: offline
task:
  model: openai-community/gpt2
  dataset:
    n_prompts: 4
engine: transformers
transformers:
  engine_params:
    dtype: bfloat16
  llem_execution:
    batch_size: 1
"""
POLICY = "allow_process = true\nmin_free_mib = 0\n"


@pytest.mark.skipif(llem.find_command() is None, reason="llem is not installed here")
@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="this host has a GPU, so llem would run")
def test_llem_without_cuda_reaches_the_site_as_a_clear_reason(protocol_site, home, tmp_path):
    (home.path / "policy.toml").write_text(POLICY)
    attempt = protocol_site.order(CONFIG, executor="process", collect=("out/**/manifest.json",))
    env = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "LD_LIBRARY_PATH": str(build(tmp_path, "idle")),
        "LEM_AGENT_POLICY": str(home.path / "policy.toml"),
    }
    with subprocess.Popen([sys.executable, "-m", "gpuagent", "--home", str(home.path), "run"], env=env) as agent:
        try:
            report = finished(attempt)
        finally:
            agent.kill()

    assert (report["outcome"], report["code"], report["exit_code"]) == ("infra_failed", "no_cuda", 1)
    assert report["detail"].startswith("This host has no GPU that llem can use: CUDA is not available on it.")
    assert b"CUDA not available" in attempt.log
    assert report["energy"][0]["uuid"] == "GPU-00000000-0000-0000-0000-000000000001"
    assert report["energy"][0]["method"] == "counter+power_average_1s"
    assert attempt.events[1]["data"]["title"] == "Checking environment and Docker"
