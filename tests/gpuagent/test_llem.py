"""The real llem command, as far as it goes on a host without a GPU, and what is made of its ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuagent.executors import llem
from gpuagent.executors.llem import Steps, classify, read_step

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT.parent / "shared" / "data" / "llenergymeasure"
SINGLE = {
    "task": {"model": "gpt2", "dataset": {"n_prompts": 10}},
    "engine": "transformers",
    "serving_mode": "offline",
    "transformers": {"engine_params": {"dtype": "bfloat16"}, "llem_execution": {"batch_size": 4}},
}
STUDY = {
    **SINGLE,
    "study_name": "small",
    # llem takes a configuration for a study only if it has a sweep.
    "sweep": {"transformers.engine_params.dtype": ["bfloat16"]},
    "study_execution": {"n_cycles": 2, "experiment_gap_seconds": 0, "cycle_gap_seconds": 0},
}

needs_llem = pytest.mark.skipif(llem.find_command() is None, reason="llem is not installed here")
needs_no_gpu = pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="this host has a GPU, so llem would run")


def run_llem(folder, document, *options):
    """Run the program that a process executor starts."""
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    command = [*llem.command(folder / "config.yaml", folder / "out"), *options]
    (folder / "work").mkdir()
    env = os.environ | {"LEM_PROGRESS": str(folder / "progress.jsonl"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder / "work", env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def without_cuda(tmp_path_factory):
    """A real run of llem on a host without CUDA: (its folder, how it ended)."""
    folder = tmp_path_factory.mktemp("llem")
    return folder, run_llem(folder, SINGLE)


@needs_llem
def test_llem_s_own_check_passes_a_configuration_through(tmp_path):
    run = run_llem(tmp_path, SINGLE, "--dry-run")

    assert run.returncode == 0
    assert "Config valid" in run.stdout


@needs_llem
@needs_no_gpu
def test_without_cuda_the_reason_is_clear(without_cuda):
    folder, run = without_cuda

    verdict = classify(folder / "out", exit_code=run.returncode, log_tail=run.stdout)

    assert run.returncode == 1
    assert (verdict.outcome, verdict.code) == ("infra_failed", "no_cuda")
    assert verdict.reason.startswith("This host has no GPU that llem can use: CUDA is not available on it.")


@needs_llem
@needs_no_gpu
def test_its_steps_are_told_while_it_runs(without_cuda):
    folder, _ = without_cuda

    first = json.loads((folder / "progress.jsonl").read_text().splitlines()[0])
    assert first == {
        "type": "step",
        "data": {"id": "checking", "state": "start", "title": "Checking environment and Docker", "i": 1, "n": 5},
    }


@needs_llem
@needs_no_gpu
def test_a_study_of_which_all_runs_failed_has_not_succeeded_though_llem_exits_0(tmp_path):
    run = run_llem(tmp_path, STUDY)

    verdict = classify(tmp_path / "out", exit_code=run.returncode)

    assert run.returncode == 0
    assert (verdict.outcome, verdict.code) == ("infra_failed", "no_cuda")
    assert verdict.reason.startswith("All 2 runs failed.")


@needs_llem
def test_a_configuration_that_llem_refuses_is_the_job_s_fault(tmp_path):
    run = run_llem(tmp_path, {**SINGLE, "engine": "none"})

    verdict = classify(tmp_path / "out", exit_code=run.returncode, log_tail=run.stdout)

    assert run.returncode == 2
    assert (verdict.outcome, verdict.code) == ("failed", "bad_config")


def test_a_host_without_llem_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(llem, "find_command", lambda: None)

    assert llem.main([str(tmp_path / "c.yaml"), str(tmp_path / "out")]) == 127

    assert "not installed" in capsys.readouterr().err
    assert classify(tmp_path, exit_code=127).code == "llem_missing"


def fake_command(tmp_path, monkeypatch, text):
    command = tmp_path / "llem"
    command.write_text(f"#!{sys.executable}\n{text}\n")
    command.chmod(0o755)
    monkeypatch.setattr(llem, "find_command", lambda: str(command))


@pytest.mark.parametrize("code", [0, 1, 130])
def test_the_exit_code_is_llem_s(tmp_path, monkeypatch, code):
    fake_command(tmp_path, monkeypatch, f"raise SystemExit({code})")

    assert llem.main(["c.yaml", "out"]) == code


def test_a_death_by_a_signal_is_told_as_a_shell_tells_it(tmp_path, monkeypatch):
    fake_command(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)")

    assert llem.main(["c.yaml", "out"]) == 137


def test_llem_s_times_are_told_to_be_utc_and_remote_code_is_off(tmp_path, monkeypatch, capfdbinary):
    fake_command(tmp_path, monkeypatch, "import os; print(os.environ['TZ'], os.environ['LLEM_TRUST_REMOTE_CODE'])")

    llem.main(["c.yaml", "out"])

    assert capfdbinary.readouterr().out == b"UTC 0\n"


def test_a_signal_to_the_group_reaches_llem_and_its_last_words_are_kept(tmp_path):
    program = "import signal, sys, time\n"
    program += "def stop(*_):\n    print('stopped cleanly', flush=True); sys.exit(130)\n"
    program += "signal.signal(signal.SIGINT, stop); print('ready', flush=True); time.sleep(60)"
    starter = f"from gpuagent.executors import llem; llem.find_command = lambda: {str(tmp_path / 'llem')!r}; "
    (tmp_path / "llem").write_text(f"#!{sys.executable}\n{program}\n")
    (tmp_path / "llem").chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-c", starter + "raise SystemExit(llem.main(['c', 'o']))"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdout.readline() == b"ready\n"

        os.killpg(process.pid, signal.SIGINT)

        assert process.stdout.read() == b"stopped cleanly\n"
        assert process.wait(20) == 130


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (
            "     [7/9]  Measuring        inference (60 prompts)              ...  ",
            {"id": "measuring", "state": "start", "title": "Measuring inference (60 prompts)", "i": 7, "n": 9},
        ),
        (
            "     [4/9]  Warming up       6 iterations (converged  CV=0.8%)  DONE  0.0s",
            {"id": "warming", "state": "done", "title": "Warming up 6 iterations (converged CV=0.8%)", "i": 4, "n": 9},
        ),
        ("\x1b[1m [ 3/12]\x1b[0m  ✓  gpt2 / transformers", {"run": 3, "runs": 12, "state": "done"}),
        (" [ 2/4]  ✗  gpt2 / transformers", {"run": 2, "runs": 4, "state": "failed"}),
    ],
    ids=["begins", "ends", "run done", "run failed"],
)
def test_steps_are_read_from_llem_s_lines(line, data):
    told = read_step(line)

    assert told is not None
    assert told["data"] == data


@pytest.mark.parametrize("line", ["", "Experiment: gpt2", "  · Iteration 2/5  CV: 0.002", "[x/9] y ...", "\x00\x1b["])
def test_other_lines_are_no_steps(line):
    assert read_step(line) is None


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(1, 7))
def test_steps_are_the_same_in_whatever_pieces_the_output_comes(noise, size):
    output = noise + b"\n     [7/9]  Measuring  inference ...\n" + noise
    pieces, whole = Steps(), Steps()

    told = [step for place in range(0, len(output), size) for step in pieces.feed(output[place : place + size])]

    assert told == whole.feed(output)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files are not here")
def test_real_results_of_llem_are_a_success():
    for sample in ("pypi070_single", "pypi070_study", "pypi070_multi_gpu"):
        assert classify(SAMPLES / sample, exit_code=0) == ("succeeded", "ok", "")


@pytest.fixture
def left(tmp_path):
    """What llem leaves: the messages of its failed runs, and so many results."""

    def leave(*messages, results=0, status="completed"):
        runs = [{"status": "failed", "error_type": "EngineError", "error_message": text} for text in messages]
        runs += [{"status": "completed"}] * results
        (tmp_path / "study").mkdir()
        (tmp_path / "study" / "manifest.json").write_text(json.dumps({"status": status, "experiments": runs}))
        for place in range(results):
            (tmp_path / "study" / str(place)).mkdir()
            (tmp_path / "study" / str(place) / "result.json").write_text("{}")
        return tmp_path

    return leave


@pytest.mark.parametrize(
    ("message", "outcome", "code"),
    [
        ("vllm CUDA out of memory. Try a smaller batch", "failed", "gpu_out_of_memory"),
        ("NVML: GPU is lost", "infra_failed", "gpu_lost"),
        ("Failed to initialize NVML: Unknown Error", "infra_failed", "gpu_lost"),
        ("OSError: [Errno 28] No space left on device", "infra_failed", "disk_full"),
        ("✗ vllm not available on host (missing: vllm). Engine code", "infra_failed", "engine_missing"),
        ("You are trying to access a gated repo.", "failed", "model_gated"),
        ("x/y is not a valid model identifier", "failed", "model_not_found"),
        ("Please pass trust_remote_code=True", "failed", "remote_code"),
        ("something else", "failed", "llem_failed"),
    ],
    ids=["memory", "lost", "nvml", "disk", "engine", "gated", "not found", "remote code", "other"],
)
def test_each_cause_has_its_code_and_llem_s_words(left, message, outcome, code):
    verdict = classify(left(message), exit_code=1)

    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert message[:20] in verdict.reason


def test_a_missing_engine_is_named(left):
    message = "vllm not available on host (missing: vllm). Engine code runs inside Docker"

    assert "vllm is not installed" in classify(left(message), exit_code=1).reason


def test_some_failed_runs_beside_results_are_a_success_that_says_so(left):
    verdict = classify(left("CUDA out of memory", results=3), exit_code=0)

    assert (verdict.outcome, verdict.code) == ("succeeded", "partial")
    assert verdict.reason.startswith("3 of 4 runs have a result. The GPU's memory does not hold")


def test_a_study_that_ended_before_its_last_run_says_how_far_it_came(left):
    folder = left(results=2)
    path = folder / "study" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "status": "timed_out", "total_experiments": 5}))

    assert classify(folder, exit_code=0) == ("succeeded", "partial", "2 of 5 runs have a result.")


def test_a_fault_of_the_host_outweighs_one_of_the_job(left):
    assert classify(left("CUDA out of memory", "GPU is lost"), exit_code=0).code == "gpu_lost"


def test_no_result_and_no_error_is_a_failure(tmp_path):
    assert classify(tmp_path, exit_code=0).code == "no_results"


@pytest.mark.parametrize(("exit_code", "number"), [(137, None), (None, 9)], ids=["code", "signal"])
def test_a_kill_by_the_system_is_told_as_one(tmp_path, exit_code, number):
    assert classify(tmp_path, exit_code=exit_code, signal=number).code == "killed"


def test_an_unknown_signal_is_a_crash(tmp_path):
    assert classify(tmp_path, exit_code=None, signal=200).reason == "The benchmark crashed (signal 200)."


def test_results_of_a_run_that_was_killed_do_not_make_it_a_success(left):
    assert classify(left(results=2), exit_code=None, signal=9).outcome == "failed"


def test_an_interrupted_study_is_cancelled(left):
    assert classify(left(status="interrupted"), exit_code=None, signal=signal.SIGTERM).outcome == "cancelled"


def test_a_reason_is_never_too_long_for_the_site(left):
    assert len(classify(left("x" * 10_000), exit_code=1).reason) <= 480


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"experiments": 5}',
        b'{"experiments": [1, {"status": "failed"}]}',
        b'{"experiments": {"a": 1}}',
        b'{"status": {}, "experiments": [{"status": "failed", "error_message": {"a": 1}}]}',
    ],
    ids=["empty", "list", "torn", "deep", "number", "odd runs", "object", "odd message"],
)
def test_a_manifest_that_is_no_manifest_gives_a_failure_and_no_exception(tmp_path, content):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "manifest.json").write_bytes(content)

    assert classify(tmp_path, exit_code=1).outcome == "failed"


def test_a_manifest_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "elsewhere.json").write_text('{"status": "interrupted"}')
    (tmp_path / "study" / "manifest.json").symlink_to(tmp_path / "elsewhere.json")

    assert llem.read_manifest(tmp_path) is None
