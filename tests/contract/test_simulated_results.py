"""What a host without a GPU makes up is what the site reads: results, samples, and two energies that agree."""

import os
import signal
import subprocess
import sys

import pytest

from jobs.config import LlemOrder
from jobs.models import JobState
from jobs.rendering import render
from jobs.services.results import import_result
from leaderboard.models import Trust
from tests.jobs.brought import keep, succeeded

pytestmark = pytest.mark.django_db
GPU = "GPU-simulated-0badcafe-0"
CYCLES = 2


@pytest.fixture
def brought(tmp_path):
    """The folder of an attempt in which the simulated tool ran beside the sampler."""
    order = LlemOrder(model="openai-community/gpt2", n_cycles=CYCLES, batch_sizes=(8,))
    (tmp_path / "config.yaml").write_text(render(order, seed=3, wall_s=600))
    env = {
        **os.environ,
        "LEM_SIMULATED_WINDOW_S": "4",
        "LEM_PROGRESS": str(tmp_path / "progress.jsonl"),
        "CUDA_VISIBLE_DEVICES": GPU,
    }
    sampler = [sys.executable, "-m", "gpuagent.gpu.sampler", "--out", str(tmp_path), "--gpus", GPU, "--simulate"]
    tool = [sys.executable, "-m", "gpuagent.executors.simulated", str(tmp_path / "config.yaml"), str(tmp_path / "out")]
    with subprocess.Popen(sampler, env=env) as sampling:
        try:
            subprocess.run(tool, env=env, check=True, timeout=60, stdout=subprocess.DEVNULL)
        finally:
            sampling.send_signal(signal.SIGTERM)
    return tmp_path


def test_a_simulated_run_is_imported_with_both_energies(catalogue, stored_files, brought):
    job = succeeded(is_simulated=True, bundle=False, joules=None)
    for path in [*(brought / "out").rglob("*.json"), brought / "telemetry.ndjson.gz"]:
        keep(job.attempts.get(), path.relative_to(brought).as_posix(), path.read_bytes())

    import_result(job.pk)

    job.refresh_from_db()
    assert (job.state, job.import_problem) == (JobState.SUCCEEDED, "")
    (result,) = job.submission.results.all()
    assert job.submission.is_simulated
    assert (result.trust, result.runs) == (Trust.DRAFT, CYCLES)
    assert result.host_energy_j == pytest.approx(result.total_energy_j, rel=0.2)
