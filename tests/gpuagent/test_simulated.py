from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import yaml

from gpuagent.executors import plausible, simulated
from gpuagent.executors.llem import classify
from gpuagent.gpu import fake

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 30
SINGLE = {
    "task": {"model": "Qwen/Qwen2.5-0.5B", "dataset": {"n_prompts": 60}, "max_output_tokens": 64},
    "engine": "transformers",
    "serving_mode": "offline",
    "transformers": {"engine_params": {"dtype": "bfloat16"}, "llem_execution": {"batch_size": 4}},
}
STUDY = {
    **SINGLE,
    "study_name": "two by two",
    "sweep": {
        "transformers.engine_params.dtype": ["float16", "bfloat16"],
        "transformers.llem_execution.batch_size": [1, 4],
    },
    "study_execution": {"n_cycles": 2},
}


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """The folder of an attempt, and the environment of what runs in it."""
    monkeypatch.setenv("LEM_PROGRESS", str(tmp_path / "progress.jsonl"))
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "0.01")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-simulated-0badcafe-0")
    return tmp_path


def run(folder, document):
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    return simulated.main([str(folder / "config.yaml"), str(folder / "out")])


def read(folder, pattern):
    return [json.loads(path.read_text()) for path in sorted(folder.glob(pattern))]


def progress(folder):
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


def test_a_run_leaves_a_bundle_and_a_manifest(attempt):
    assert run(attempt, SINGLE) == 0

    (manifest,) = read(attempt, "out/*/manifest.json")
    assert (manifest["status"], manifest["completed"]) == ("completed", 1)
    (bundle,) = [path.parent for path in attempt.glob("out/*/*/result.json")]
    assert sorted(path.name for path in bundle.iterdir()) == ["config.json", "result.json", "system.json"]


def test_every_result_says_that_it_is_simulated(attempt):
    run(attempt, SINGLE)

    (result,) = read(attempt, "out/*/*/result.json")
    (system,) = read(attempt, "out/*/*/system.json")
    assert "Simulated" in result["measurement_warnings"][0]
    assert "Simulated" in result["reproducibility_notes"]
    assert system["simulated"] is True


def test_a_study_runs_every_cell_in_every_cycle(attempt):
    assert run(attempt, STUDY) == 0

    (manifest,) = read(attempt, "out/*/manifest.json")
    assert manifest["completed"] == 8
    assert len({entry["config_hash"] for entry in manifest["experiments"]}) == 4
    assert [entry["cycle"] for entry in manifest["experiments"]] == [1] * 4 + [2] * 4
    assert len(read(attempt, "out/*/*/result.json")) == 8


def test_parameters_that_go_together_are_one_axis_of_a_sweep():
    group = [{"transformers.engine_params.dtype": "float16"}, {"transformers.engine_params.load_in_8bit": True}]

    cells, _ = plausible.study_of({**SINGLE, "sweep": {"transformers.precision": group}})

    assert [plausible.precision_of(cell) for cell in cells] == ["float16", "int8"]


def test_without_a_file_to_tell_steps_in_it_runs_all_the_same(attempt, monkeypatch):
    monkeypatch.delenv("LEM_PROGRESS")

    assert run(attempt, SINGLE) == 0


def test_it_wants_a_configuration_and_a_folder(capsys):
    assert simulated.main([]) == 2

    assert "usage" in capsys.readouterr().err


def test_its_steps_are_told_as_they_come(attempt):
    run(attempt, SINGLE)

    steps = [line["data"] for line in progress(attempt) if line["type"] == "step"]
    assert [step["id"] for step in steps if step["state"] == "start"] == [
        "checking",
        "baseline",
        "load",
        "warmup",
        "measure",
        "save",
    ]
    assert steps[0] == {
        "id": "checking",
        "state": "start",
        "title": "Checking CUDA, model access",
        "i": 1,
        "n": 6,
        "run": 1,
        "runs": 1,
    }


def test_its_log_has_colours_as_llem_s_has(attempt, capsys):
    run(attempt, SINGLE)

    assert "\x1b[32mDONE\x1b[0m" in capsys.readouterr().out


def test_it_puts_load_on_the_gpus_and_takes_it_off(attempt, monkeypatch):
    loads = []
    put = fake.put_load

    def watched(folder, **load):
        loads.append(load)
        put(folder, **load)

    monkeypatch.setattr(fake, "put_load", watched)
    run(attempt, SINGLE)

    assert 62 < loads[0]["power_w"] <= 400
    assert not (attempt / fake.LOAD_FILE).exists()


def test_the_same_configuration_gives_about_the_same_figures_again(attempt, tmp_path):
    first, again = (plausible.figures(cell_of(SINGLE), gpus=1, cycle=cycle, longest_s=10) for cycle in (1, 2))

    assert again.itl_ms == pytest.approx(first.itl_ms, rel=0.03)
    assert again.itl_ms != first.itl_ms


def cell_of(document, **task):
    cells, _ = plausible.study_of({**document, "task": {**document["task"], **task}})
    return cells[0]


def rate(cell, **more):
    run = plausible.figures(cell, **{"gpus": 1, "cycle": 1, "longest_s": 5, **more})
    return run.output_tokens / run.window_s


def test_larger_batches_are_faster_and_larger_models_slower():
    larger_batch = {**SINGLE, "transformers": {"llem_execution": {"batch_size": 32}}}

    assert rate(cell_of(larger_batch)) > rate(cell_of(SINGLE))
    assert rate(cell_of(SINGLE, model="Qwen/Qwen2.5-14B")) < rate(cell_of(SINGLE))


def test_a_window_that_would_last_too_long_ends_early_at_the_same_rate():
    long = cell_of(SINGLE, dataset={"n_prompts": 100_000})

    figures = plausible.figures(long, gpus=1, cycle=1, longest_s=5)

    assert figures.window_s == pytest.approx(5)
    assert figures.output_tokens / figures.window_s == pytest.approx(rate(cell_of(SINGLE)), rel=0.05)


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("gpt2", 0.124),
        ("Qwen/Qwen2.5-0.5B", 0.5),
        ("meta-llama/Llama-3.1-8B-Instruct", 8),
        ("mistralai/Mixtral-8x7B-v0.1", 56),
        ("HuggingFaceTB/SmolLM2-135M", 0.135),
        ("someone/nameless", 7),
    ],
    ids=lambda value: str(value).rpartition("/")[2],
)
def test_the_size_of_a_model_is_read_from_its_name(model, billions):
    assert plausible.parameters_b(model) == pytest.approx(billions)


@pytest.mark.parametrize(
    ("section", "precision"),
    [
        ({"engine_params": {"dtype": "bfloat16"}}, "bfloat16"),
        ({"engine_params": {"dtype": "float16", "load_in_8bit": True}}, "int8"),
        ({"engine_params": {"load_in_4bit": True}}, "awq"),
        ({"engine_params": {"quantization": "fp8"}}, "fp8"),
        ({}, "bfloat16"),
    ],
    ids=["bfloat16", "8 bit", "4 bit", "fp8", "unset"],
)
def test_the_precision_is_read_where_llem_has_it(section, precision):
    assert plausible.precision_of({"engine": "transformers", "transformers": section}) == precision


def test_a_model_that_does_not_fit_fails_for_want_of_memory(attempt):
    assert run(attempt, {**SINGLE, "task": {"model": "meta-llama/Llama-3.1-70B"}}) == 1

    assert classify(attempt / "out", exit_code=1).code == "gpu_out_of_memory"


def test_it_fits_on_more_gpus(attempt, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")

    assert run(attempt, {**SINGLE, "task": {"model": "meta-llama/Llama-3.1-70B"}}) == 0

    (result,) = read(attempt, "out/*/*/result.json")
    assert result["multi_gpu"]["num_gpus"] == len(result["energy_per_device_j"]) == 2


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"task": {}},
        {**SINGLE, "engine": "none"},
        {**SINGLE, "sweep": {"engine.x": 1}},
        {**SINGLE, "sweep": [1]},
    ],
    ids=["empty", "list", "no task", "no model", "no engine", "path through a text", "sweep is a list"],
)
def test_a_configuration_that_llem_would_refuse_ends_with_2(attempt, document):
    assert run(attempt, document) == 2


@pytest.mark.parametrize("fault", ["no_cuda", "no_results"])
def test_faults_can_be_asked_for(attempt, monkeypatch, fault):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", fault)

    assert run(attempt, SINGLE) == 1

    assert classify(attempt / "out", exit_code=1).code == {"no_cuda": "no_cuda", "no_results": "llem_failed"}[fault]


def test_a_study_of_which_every_run_failed_exits_0_as_llem_does(attempt, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", "no_results")

    assert run(attempt, STUDY) == 0

    assert classify(attempt / "out", exit_code=0).outcome == "failed"


@pytest.fixture
def start(attempt):
    """Starts the program as an executor does; it is ended with the test."""
    running = []

    def start(**env):
        (attempt / "config.yaml").write_text(yaml.safe_dump(SINGLE))
        command = [sys.executable, "-m", "gpuagent.executors.simulated", attempt / "config.yaml", attempt / "out"]
        running.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | env,
                stdout=subprocess.PIPE,
                # As the shim does: what a shell has put into the background ignores SIGINT, and so do its children.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def wait_for_step(folder, name):
    deadline = time.monotonic() + PATIENCE_S
    while not ((folder / "progress.jsonl").exists() and name in (folder / "progress.jsonl").read_text()):
        assert time.monotonic() < deadline, "it did not get so far"
        time.sleep(0.02)


def test_sigint_ends_it_with_130_and_a_manifest_that_says_so(attempt, start):
    process = start(LEM_SIMULATED_WINDOW_S="60")
    wait_for_step(attempt, "measure")

    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE_S) == 130
    (manifest,) = read(attempt, "out/*/manifest.json")
    assert (manifest["status"], manifest["interrupted"]) == ("interrupted", 1)
    assert classify(attempt / "out", exit_code=130).outcome == "cancelled"
    assert not (attempt / fake.LOAD_FILE).exists()


def test_one_that_hangs_hears_no_signal_but_the_last(attempt, start):
    process = start(LEM_SIMULATED_FAULT="hang")
    while b"hangs" not in process.stdout.readline():
        pass

    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.kill()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL


def test_a_crash_is_told_as_one(attempt, start):
    process = start(LEM_SIMULATED_FAULT="crash")

    assert process.wait(PATIENCE_S) == -signal.SIGSEGV
    assert classify(attempt / "out", exit_code=None, signal=signal.SIGSEGV).code == "crashed"
