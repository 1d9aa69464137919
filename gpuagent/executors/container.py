"""Runs an attempt in two containers: one fetches the model, with network and no GPU; one runs, without network.

The name of a container makes a second start impossible. None is removed before the site has the report, so that exit
code and log outlive this program.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from gpuagent.executors import CannotStart, Exit, Rung, fetch, llem
from gpuagent.host import clock, durable
from gpuagent.host.folders import AttemptFolder, Home
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Offer

TOOL_ANSWERS_S = 60.0
#: a daemon that is restarted comes back within that
DAEMON_AWAY_S = 300.0
NOBODY = "65532"
SIGNALS: dict[Rung, str] = {"int": "INT", "term": "TERM", "kill": "KILL"}


class ToolAway(Exception):
    """The container tool does not answer, or its daemon does not."""


class ContainerExecutor:
    def __init__(self, home: Home, policy: Policy) -> None:
        self._home, self._policy = home, policy
        self._away_since: float | None = None
        self._steps: dict[str, _Steps] = {}

    def start(self, attempt: AttemptFolder, offer: Offer) -> None:
        """Only notes that it has begun: `poll` does what is due next, also after a crash."""
        if offer.engine not in self._policy.images:
            raise CannotStart("no_image", f"This host has no image for {offer.engine}.")
        _open_to_the_job(attempt)
        if offer.model:
            attempt.write("fetching", {"boot_s": clock.boot_s()})
        with contextlib.suppress(FileExistsError):
            attempt["run.lock"].mkdir()
        durable.sync_folder(attempt.path)

    def poll(self, attempt: AttemptFolder) -> Exit | None:
        try:
            ended = self._next(attempt, attempt.offer)
            self._away_since = None
            return ended
        except ToolAway as away:
            self._away_since = self._away_since or clock.boot_s()
            if clock.boot_s() - self._away_since < DAEMON_AWAY_S:
                return None
            return Exit(lost="docker_away", detail=f"The container tool does not answer: {away}")

    def _next(self, attempt: AttemptFolder, offer: Offer) -> Exit | None:
        if attempt.has("fetching"):
            return self._fetch(attempt, offer)
        self._steps.setdefault(attempt.id, _Steps(attempt)).tell()
        state = self._inspect(_name(attempt))
        if state is None:
            return self._run(attempt, offer)
        return _ended(state, attempt) if state.get("Status") in {"exited", "dead"} else None

    # the model

    def _fetch(self, attempt: AttemptFolder, offer: Offer) -> Exit | None:
        name = f"{_name(attempt)}-fetch"
        folder = self._model_folder(offer)
        if attempt.has("stop.json"):
            self._tool("rm", "--force", name)
            return Exit(lost="not_started", detail="It was stopped before it began.")
        if not (folder / fetch.WHOLE).exists():
            state = self._inspect(name)
            if state is None:
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o777)
                self._tool(*self._fetch_arguments(name, attempt, offer), check=True)
                return None
            if state.get("Status") not in {"exited", "dead"}:
                return None
            if state.get("ExitCode") != 0:
                return Exit(lost="fetch_failed", detail=f"The model could not be fetched. {self._last_line(name)}")
            try:
                fetch.verify(folder)
            except fetch.NotSafe as problem:
                return Exit(exit_code=1, lost="model_refused", detail=str(problem))
        durable.remove(attempt["fetching"])
        return None

    def _model_folder(self, offer: Offer) -> Path:
        assert offer.model is not None  # noqa: S101 - only then something is fetched
        key = f"{offer.model.id.replace('/', '--')}--{offer.model.revision or 'main'}"
        return Path(self._policy.models_folder) / key

    def _fetch_arguments(self, name: str, attempt: AttemptFolder, offer: Offer) -> list[str]:
        assert offer.model is not None  # noqa: S101 - as above
        argv = ["run", "--detach", "--name", name, *self._labels(attempt), "--pull", "never", "--restart", "no"]
        argv += [*_WALLS, "--memory", "8g", "--cpus", "4", "--tmpfs", _TMP]
        argv += ["--mount", f"type=bind,src={fetch.__file__},dst=/fetch.py,readonly"]
        argv += ["--mount", f"type=bind,src={self._model_folder(offer)},dst=/models"]
        token = self._home.path / "hf_token"
        if offer.model.gated and offer.model.id in self._policy.gated_models and token.exists():
            argv += ["--mount", f"type=bind,src={token},dst=/hf_token,readonly", "--env", "HF_TOKEN_PATH=/hf_token"]
        argv += ["--env", "HOME=/tmp", "--env", "HF_HUB_DISABLE_TELEMETRY=1", "--entrypoint", "python3"]
        return [*argv, self._policy.images[offer.engine], "/fetch.py", offer.model.id, offer.model.revision or "main"]

    # the run

    def _run(self, attempt: AttemptFolder, offer: Offer) -> Exit | None:
        """Starts it, unless it was started before and is gone."""
        if attempt.has("began.json"):
            began = attempt.read("began.json") or {}
            if began.get("boot_id") != clock.boot_id():
                return Exit(lost="host_rebooted", detail="The host was restarted while the job ran.")
            if attempt.has("container"):
                return Exit(lost="container_gone", detail="Somebody removed the job's container.")
        else:
            attempt.write("began.json", {"boot_s": clock.boot_s(), "boot_id": clock.boot_id()})
            self._home.note_start(attempt.id, 0)
        durable.crash_at("container_noted")
        labels, models = self._labels(attempt), self._models(offer)
        done = self._tool(*run_arguments(attempt, offer, self._policy, labels=labels, models=models))
        durable.crash_at("container_started")
        if done.returncode and self._inspect(_name(attempt)) is None:
            return Exit(lost="container_refused", detail=f"The container was not started: {_said(done)}")
        attempt.write("container", {"id": done.stdout.strip()[:64]})
        return None

    def _models(self, offer: Offer) -> Path | None:
        return self._model_folder(offer) if offer.model else None

    def _labels(self, attempt: AttemptFolder) -> list[str]:
        own = f"gpuagent.instance={self._home.instance_id}"
        return ["--label", f"gpuagent.attempt={attempt.id}", "--label", own]

    def signal(self, attempt: AttemptFolder, rung: Rung) -> None:
        with contextlib.suppress(ToolAway):
            self._tool("kill", "--signal", SIGNALS[rung], _name(attempt))

    def cleanup(self, attempt: AttemptFolder) -> None:
        self._steps.pop(attempt.id, None)
        with contextlib.suppress(ToolAway):
            self._tool("rm", "--force", "--volumes", _name(attempt), f"{_name(attempt)}-fetch")

    def reap(self, wanted: Collection[str]) -> None:
        """Remove containers of this agent whose attempt is over or unknown."""
        own = f"label=gpuagent.instance={self._home.instance_id}"
        listed = self._tool("ps", "--all", "--filter", own, "--format", '{{.Names}} {{.Label "gpuagent.attempt"}}')
        for line in listed.stdout.splitlines():
            name, _, attempt_id = line.partition(" ")
            if name.startswith("gpuagent-") and attempt_id.strip() not in wanted:
                self._tool("rm", "--force", "--volumes", name)

    # the tool

    def _inspect(self, name: str) -> dict[str, Any] | None:
        """Its state; None where there is no such container."""
        done = self._tool("inspect", "--type", "container", "--format", "{{json .State}}", name)
        if done.returncode == 0:
            state = json.loads(done.stdout)
            return state if isinstance(state, dict) else {}
        if "no such" in done.stderr.lower():
            return None
        raise ToolAway(_said(done))

    def _last_line(self, name: str) -> str:
        lines = (self._tool("logs", "--tail", "3", name).stderr or "").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def _tool(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(  # noqa: S603 - a list, whose parts were checked one by one
                [self._policy.container_tool, *arguments], capture_output=True, text=True, errors="replace",
                timeout=TOOL_ANSWERS_S, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolAway(str(error)) from error
        if check and done.returncode:
            raise ToolAway(_said(done))
        return done


_TMP = "/tmp:rw,noexec,nosuid,nodev,size=4g,mode=1777"  # noqa: S108 - the container's own
#: whoever is inside is nobody, has no powers, cannot gain any and changes nothing but what is mounted for that
_WALLS = [
    "--init", "--read-only", "--user", f"{NOBODY}:{NOBODY}", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges:true", "--ipc", "private", "--cgroupns", "private", "--pids-limit", "1024",
    "--ulimit", "core=0", "--log-driver", "local", "--log-opt", "max-size=64m", "--log-opt", "max-file=2",
]  # fmt: skip


def run_arguments(
    attempt: AttemptFolder, offer: Offer, policy: Policy, *, labels: list[str], models: Path | None
) -> list[str]:
    """The run: one set of GPUs by their UUIDs, no network, no secret, and limits on all that can grow."""
    limits = offer.limits
    memory = f"{min(limits.memory_mib, policy.max_memory_mib)}m"
    argv = ["run", "--detach", "--name", _name(attempt), *labels, "--pull", "never", "--restart", "no", *_WALLS]
    # One argument in the CSV of its own: without the inner quotes it is refused.
    argv += ["--gpus", f'"device={",".join(offer.gpus)}","capabilities=compute,utility"', "--network", "none"]
    argv += ["--memory", memory, "--memory-swap", memory, "--cpus", f"{limits.cpus:g}", "--shm-size", "8g"]
    argv += ["--ulimit", "nofile=65536:65536", "--ulimit", "fsize=2147483648:2147483648", "--oom-score-adj", "500"]
    argv += ["--stop-signal", "SIGINT", "--stop-timeout", "30"]
    argv += ["--tmpfs", _TMP]
    # Kernels are compiled and loaded there.
    argv += ["--tmpfs", f"/cache:rw,exec,nosuid,nodev,size=16g,uid={NOBODY},gid={NOBODY},mode=0700"]
    argv += ["--mount", f"type=bind,src={attempt['config.yaml']},dst=/job/config.yaml,readonly"]
    argv += ["--mount", f"type=bind,src={attempt['raw.log']},dst=/job/log"]
    argv += ["--mount", f"type=bind,src={attempt['out']},dst=/out"]
    if models is not None:
        argv += ["--mount", f"type=bind,src={models},dst=/models,readonly"]
    for name, value in _ENVIRONMENT.items():
        argv += ["--env", f"{name}={value}"]
    return [*argv, "--workdir", "/out", "--entrypoint", "/usr/local/bin/llem-job", policy.images[offer.engine]]


_ENVIRONMENT = {
    "HOME": "/cache",
    "HF_HOME": "/cache/hf",
    "HF_HUB_CACHE": "/models",
    "XDG_CACHE_HOME": "/cache",
    "TRITON_CACHE_DIR": "/cache/triton",
    "TORCHINDUCTOR_CACHE_DIR": "/cache/inductor",
    "VLLM_CACHE_ROOT": "/cache/vllm",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "LLEM_TRUST_REMOTE_CODE": "0",
    "PYTHONUNBUFFERED": "1",
    "TZ": "UTC",
}


class _Steps:
    """Steps in llem's output, as lines of progress.jsonl. After a restart those that are there are not told again."""

    def __init__(self, attempt: AttemptFolder) -> None:
        self._attempt, self._read, self._reader = attempt, 0, llem.Steps()
        self._told = sum(1 for _ in durable.lines(attempt["progress.jsonl"]))

    def tell(self) -> None:
        try:
            with self._attempt["raw.log"].open("rb") as file:
                file.seek(self._read)
                new = file.read(1 << 20)
        except FileNotFoundError:
            return
        self._read += len(new)
        for told in self._reader.feed(new):
            if self._told:
                self._told -= 1
            else:
                durable.append(self._attempt["progress.jsonl"], json.dumps(told).encode() + b"\n")


def _name(attempt: AttemptFolder) -> str:
    return f"gpuagent-{attempt.id}"


def _open_to_the_job(attempt: AttemptFolder) -> None:
    """The container's user is nobody on this host; the folder above lets nobody else in."""
    attempt["raw.log"].touch()
    attempt["raw.log"].chmod(0o666)
    attempt["out"].chmod(0o777)
    attempt["config.yaml"].chmod(0o644)


def _ended(state: dict[str, Any], attempt: AttemptFolder) -> Exit:
    code = state.get("ExitCode")
    started, ended = _moment(state.get("StartedAt")), _moment(state.get("FinishedAt"))
    if state.get("OOMKilled"):
        attempt.note("The job used more memory than its limit.")
    return Exit(
        exit_code=code if isinstance(code, int) else None,
        run_s=round((ended - started).total_seconds(), 3) if started and ended else attempt.run_s(),
        started_at=started.isoformat() if started else "",
        ended_at=ended.isoformat() if ended else "",
    )


def _moment(text: object) -> datetime | None:
    """Docker writes nanoseconds."""
    head, _, fraction = str(text).rstrip("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{fraction[:6]:0<6}+00:00")
    except ValueError:
        return None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1][:300] if lines else f"exit code {done.returncode}"
