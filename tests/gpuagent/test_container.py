"""Jobs in containers, with a program in the place of docker that runs a script instead."""

import json
import os
import sys
from pathlib import Path

import pytest

from gpuagent.executors import Exit, fetch
from gpuagent.executors.container import DAEMON_AWAY_S, ContainerExecutor
from gpuagent.host import clock
from gpuagent.host.folders import Home
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Offer

from .fake_site import CONFIG
from .waiting import wait_for

IMAGE = f"ghcr.io/example/llem@sha256:{'9f' * 32}"
GPUS = ["GPU-3f2a", "GPU-77aa"]
FETCH = """
at=$MODELS/models--Qwen--Qwen2.5-0.5B/snapshots/abc
mkdir -p $at; echo '{}' > $at/config.json; echo data > $at/model.safetensors
"""
JOB = "echo '     [5/6]  Measuring inference ...' >> $JOB_LOG; echo '{}' > $OUT/result.json"


@pytest.fixture
def docker(tmp_path, monkeypatch):
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "job.sh").write_text(JOB)
    (folder / "fetch.sh").write_text(FETCH)
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("fake_docker.py").read_text())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER", str(folder))
    return folder


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def executor(home, tmp_path, docker):
    policy = Policy(
        images={"transformers": IMAGE}, models_folder=str(tmp_path / "models"), gated_models=("Qwen/Qwen2.5-0.5B",)
    )
    return ContainerExecutor(home, policy)


def offered(home, **more):
    offer = Offer.model_validate(
        {
            "attempt": "0b7fd1d2-9a0b-4ab4-8a43-5a7c6f2b3c4d", "job": 1, "gpus": GPUS, "executor": "container",
            "engine": "transformers", "config": CONFIG, "config_sha256": "0" * 64, **more,
        }
    )  # fmt: skip
    folder = home.add_attempt(offer, "claim")
    folder.write("accepted.json", {"boot_s": clock.boot_s(), "boot_id": clock.boot_id()})
    return folder, offer


def ended(executor, folder):
    wait_for(lambda: executor.poll(folder) is not None)
    return executor.poll(folder)


def calls(docker, kind):
    return [call for line in (docker / "calls.jsonl").read_text().splitlines() if (call := json.loads(line))[0] == kind]


def test_a_job_runs_in_a_container_and_its_end_is_seen(executor, home, docker):
    folder, offer = offered(home)

    executor.start(folder, offer)

    assert ended(executor, folder).exit_code == 0
    assert b"Measuring" in folder["raw.log"].read_bytes()
    assert json.loads(folder["progress.jsonl"].read_bytes())["data"]["i"] == 5
    assert (folder["out"] / "result.json").exists()


def test_the_container_has_walls(executor, home, docker):
    folder, offer = offered(home)
    executor.start(folder, offer)
    ended(executor, folder)

    (run,) = calls(docker, "run")

    assert run[run.index("--network") + 1] == "none"
    assert run[run.index("--gpus") + 1] == '"device=GPU-3f2a,GPU-77aa","capabilities=compute,utility"'
    assert run[run.index("--cap-drop") + 1] == "ALL"
    assert run[run.index("--user") + 1] == "65532:65532"
    assert {"--read-only", "no-new-privileges:true", IMAGE} <= set(run)
    assert {"--privileged", "--rm", "--device", "--pid"}.isdisjoint(run)
    assert not any("docker.sock" in part or "TOKEN" in part for part in run)


def test_the_model_is_fetched_with_network_and_without_a_gpu_before_the_run(executor, home, docker):
    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B", "revision": "a" * 40})

    executor.start(folder, offer)
    assert folder.has("fetching")
    assert ended(executor, folder).exit_code == 0

    fetched, run = calls(docker, "run")
    assert "--gpus" not in fetched
    assert "--network" not in fetched
    assert any(part.endswith("dst=/models,readonly") for part in run)
    assert fetched[-2:] == ["Qwen/Qwen2.5-0.5B", "a" * 40]


def test_a_model_that_is_there_is_not_fetched_again(executor, home, docker):
    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B"})
    executor.start(folder, offer)
    ended(executor, folder)
    executor.cleanup(folder)
    folder.remove()

    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B"})
    executor.start(folder, offer)
    ended(executor, folder)

    assert len(calls(docker, "run")) == 3


@pytest.mark.parametrize(("gated", "mounted"), [(True, True), (False, False)])
def test_the_hugging_face_token_goes_only_where_a_gated_model_is_fetched(executor, home, docker, gated, mounted):
    (home.path / "hf_token").write_text("hf_CANARY")
    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B", "gated": gated})

    executor.start(folder, offer)
    ended(executor, folder)

    fetched, run = calls(docker, "run")
    assert any("hf_token" in part for part in fetched) is mounted
    assert not any("hf_token" in part or "CANARY" in part for part in run)


def test_a_fetch_that_fails_is_told_with_its_last_words(executor, home, docker):
    (docker / "fetch.sh").write_text("echo 'RepositoryNotFound: no such model' >&2; exit 1")
    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B"})

    executor.start(folder, offer)

    assert ended(executor, folder).lost == "fetch_failed"
    assert "no such model" in ended(executor, folder).detail


@pytest.mark.parametrize(
    "rest",
    [
        "echo x > $at/modeling.py",
        "echo x > $at/weights.bin",
        """echo '{"a": [{"auto\\u005fmap": {}}]}' > $at/config.json""",
        "rm $at/model.safetensors",
        "ln -s /etc/passwd $at/tokenizer.txt",
    ],
)
def test_a_model_that_is_or_needs_code_is_refused(executor, home, docker, rest):
    (docker / "fetch.sh").write_text(FETCH + rest)
    folder, offer = offered(home, model={"id": "Qwen/Qwen2.5-0.5B"})

    executor.start(folder, offer)

    assert ended(executor, folder).lost == "model_refused"
    assert len(calls(docker, "run")) == 1


def test_a_container_is_started_once_however_often_it_is_asked_for(executor, home, docker):
    (docker / "job.sh").write_text("sleep 30")
    folder, offer = offered(home)
    for _ in range(3):
        executor.start(folder, offer)
        assert executor.poll(folder) is None

    executor.signal(folder, "kill")

    assert len(calls(docker, "run")) == 1
    assert ended(executor, folder).exit_code == 137
    assert (home.path / "started.log").read_text().count("\n") == 1


def test_a_container_that_somebody_removed_is_the_hosts_fault(executor, home, docker):
    (docker / "job.sh").write_text("sleep 30")
    folder, offer = offered(home)
    executor.start(folder, offer)
    assert executor.poll(folder) is None
    executor.signal(folder, "kill")

    executor.cleanup(folder)

    assert executor.poll(folder) == Exit(lost="container_gone", detail="Somebody removed the job's container.")


def test_a_daemon_that_is_away_for_a_while_costs_nothing(executor, home, docker, monkeypatch):
    folder, offer = offered(home)
    executor.start(folder, offer)
    (docker / "down").touch()
    assert executor.poll(folder) is None

    later = clock.boot_s() + DAEMON_AWAY_S + 1
    (docker / "down").unlink()
    assert ended(executor, folder).exit_code == 0

    (docker / "down").touch()
    assert executor.poll(folder) is None
    monkeypatch.setattr(clock, "boot_s", lambda: later + 60)
    assert executor.poll(folder).lost == "docker_away"


def test_what_is_left_of_jobs_that_are_over_is_removed(executor, home, docker):
    folder, offer = offered(home)
    executor.start(folder, offer)
    ended(executor, folder)

    executor.reap([folder.id])
    assert (docker / f"gpuagent-{folder.id}").exists()
    executor.reap([])

    assert not (docker / f"gpuagent-{folder.id}").exists()


def test_verified_models_have_the_hashes_of_their_files(tmp_path):
    snapshot = tmp_path / "models--a--b" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"")

    fetch.verify(tmp_path)

    assert json.loads((tmp_path / fetch.WHOLE).read_text())["model.safetensors"].startswith("e3b0c442")
