"""The files that the simulated executor writes are read by the site's importers, for whatever the site orders."""

from __future__ import annotations

import pytest
import yaml

from gpuagent.executors import simulated
from jobs import rendering
from jobs.config import LlemOrder
from leaderboard.importers import import_files
from lemsite.lib.archives import Entry

SINGLE = {
    "task": {"model": "Qwen/Qwen2.5-0.5B", "dataset": {"n_prompts": 40}, "max_output_tokens": 64},
    "engine": "vllm",
    "serving_mode": "offline",
    "vllm": {"engine_params": {"dtype": "bfloat16", "max_num_seqs": 8}},
}


@pytest.fixture
def import_run(tmp_path, monkeypatch):
    """Runs a configuration and imports all that it left."""
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "0.01")
    monkeypatch.setenv("LEM_PROGRESS", str(tmp_path / "progress.jsonl"))

    def run(text, gpus=1):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(f"GPU-simulated-0badcafe-{place}" for place in range(gpus)))
        (tmp_path / "config.yaml").write_text(text)
        assert simulated.main([str(tmp_path / "config.yaml"), str(tmp_path / "out")]) == 0
        paths = [path for path in sorted((tmp_path / "out").rglob("*")) if path.is_file()]
        return import_files([Entry(str(path.relative_to(tmp_path)), path.read_bytes()) for path in paths])

    return run


def test_a_run_is_imported_whole(import_run):
    (result,) = import_run(yaml.safe_dump(SINGLE)).results

    values = result.values
    assert (values.model, values.backend) == ("Qwen/Qwen2.5-0.5B", "vllm")
    assert (values.precision, values.batch_size) == ("bf16", 8)
    assert (values.hardware, values.gpu_count, values.tool) == ("NVIDIA A100-SXM4-80GB", 1, "llenergymeasure")
    assert values.total_energy_j > 0
    assert values.ttft_ms_p50 > 0
    assert values.throughput_tokens_per_s > 0
    assert result.config_hash_matches is True
    assert any("Simulated" in warning for warning in result.warnings)


@pytest.mark.parametrize("engine", ["transformers", "vllm", "tensorrt"])
def test_what_the_site_orders_is_what_it_imports(import_run, engine):
    order = LlemOrder(model="Qwen/Qwen2.5-0.5B", engine=engine, precision="bf16", batch_sizes=(2, 8), n_cycles=2)

    imported = import_run(rendering.render(order, seed=7, wall_s=3600))

    assert imported.shape == "study_manifest"
    found = [(result.values.batch_size, result.values.precision, result.values.runs) for result in imported.results]
    assert found == [(2, "bf16", 2), (8, "bf16", 2)]


def test_several_gpus_are_counted(import_run):
    (result,) = import_run(yaml.safe_dump(SINGLE), gpus=2).results

    assert result.values.gpu_count == 2


def test_a_measured_window_lies_within_its_own_times(import_run):
    (result,) = import_run(yaml.safe_dump(SINGLE)).results

    lasted = (result.values.ended_at - result.values.started_at).total_seconds()
    assert lasted == pytest.approx(result.values.duration_s, abs=1e-3)
