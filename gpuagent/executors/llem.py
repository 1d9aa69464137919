"""Runs the installed `llem` command as a process, and understands what it leaves behind.

`python -m gpuagent.executors.llem CONFIG OUT` is what a process executor starts: it passes llem's output through, tells
its steps in $LEM_PROGRESS and ends with llem's exit code. A container runs `llem` itself; its log goes through `Steps`.
`classify` says in one code and one sentence how a run ended: llem's exit code is not enough, for a study of which every
run failed exits 0.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from gpuagent.executors.progress import Progress

INTERRUPTED = 130
NOT_FOUND = 127
MAX_REASON = 480
MAX_MANIFEST_BYTES = 16 << 20

Outcome = Literal["succeeded", "failed", "cancelled", "infra_failed"]


class Verdict(NamedTuple):
    """How an attempt ended. `reason` is a sentence for the person who ordered it."""

    outcome: Outcome
    code: str
    reason: str


class _Sign(NamedTuple):
    pattern: re.Pattern[str]
    outcome: Outcome
    code: str
    sentence: str


def _sign(pattern: str, outcome: Outcome, code: str, sentence: str) -> _Sign:
    return _Sign(re.compile(pattern, re.IGNORECASE), outcome, code, sentence)


# In this order: the first that is found in llem's message is the cause, the others mostly follow from it.
_SIGNS = (
    _sign(
        r"GPU is lost|fallen off the bus|\bXid\b|Unable to determine the device handle",
        "infra_failed",
        "gpu_lost",
        "The GPU stopped answering while the benchmark ran.",
    ),
    _sign(
        r"Failed to initialize NVML: Unknown Error",
        "infra_failed",
        "gpu_lost",
        "The container lost its access to the GPU while the benchmark ran.",
    ),
    _sign(
        r"CUDA not available|no CUDA-capable device|Found no NVIDIA driver|CUDA driver version is insufficient",
        "infra_failed",
        "no_cuda",
        "This host has no GPU that llem can use: CUDA is not available on it.",
    ),
    _sign(
        r"No space left on device|\[Errno 28\]",
        "infra_failed",
        "disk_full",
        "The disk of the host was full.",
    ),
    _sign(
        r"CUDA out of memory|OutOfMemoryError|No available memory for the cache blocks|cudaErrorMemoryAllocation",
        "failed",
        "gpu_out_of_memory",
        "The GPU's memory does not hold this model at this batch size and precision.",
    ),
    _sign(
        r"not available on host \(missing: (?P<what>[\w, .-]+)\)",
        "infra_failed",
        "engine_missing",
        "This host does not have the engine: {what} is not installed.",
    ),
    _sign(
        r"gated repo|401 Client Error|403 Client Error|Access to model .* is restricted",
        "failed",
        "model_gated",
        "The model is gated, and this host has no access to it.",
    ),
    _sign(
        r"is not a valid model identifier|RepositoryNotFound|404 Client Error|does not appear to have a file named",
        "failed",
        "model_not_found",
        "The model was not found, or it has no files that this engine can load.",
    ),
    _sign(
        r"trust_remote_code",
        "failed",
        "remote_code",
        "The model needs code of its own to be loaded, which this site does not run.",
    ),
    _sign(
        r"ConfigError|validation errors? for|Nothing to run",
        "failed",
        "bad_config",
        "llem refuses this configuration.",
    ),
)

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_STEP = re.compile(
    r"^\s*\[(?P<i>\d+)/(?P<n>\d+)\]\s+(?P<title>\S.*?)\s+(?:(?P<begun>\.\.\.)|(?P<ended>DONE|FAILED|SKIPPED)\b)"
)
_RUN = re.compile(r"^\s*\[\s*(?P<i>\d+)/(?P<n>\d+)\]\s+(?P<mark>[✓✗])")
_ERROR_LINE = re.compile(r"^\s*(?:[\w.]*(?:Error|Exception)\b.*|✗\s+\S.*)$")
_RANK = {"infra_failed": 0, "failed": 1}


def find_command() -> str | None:
    """Return the llem command beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("llem")
    return str(beside) if beside.is_file() else shutil.which("llem")


def command(config: Path, out: Path) -> list[str]:
    """The arguments by which a process executor runs llem with its steps told."""
    return [sys.executable, "-m", "gpuagent.executors.llem", str(config), str(out)]


class Steps:
    """Finds llem's steps in its output, fed in whatever pieces it comes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return what these bytes tell, as lines of progress.jsonl: {"type", "data"}."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-4096:]
        return [told for line in lines if (told := read_step(line.decode(errors="replace"))) is not None]


def read_step(line: str) -> dict[str, Any] | None:
    """Read one line of llem's output: a step that begins or ends, or a run of a study that is over."""
    plain = _ANSI.sub("", line)[:500]
    if found := _RUN.match(plain):
        state = "done" if found["mark"] == "✓" else "failed"
        return {"type": "run", "data": {"run": int(found["i"]), "runs": int(found["n"]), "state": state}}
    if found := _STEP.match(plain):
        title = " ".join(found["title"].split())
        state = "start" if found["begun"] else found["ended"].lower()
        name = title.partition(" ")[0].lower()
        return {
            "type": "step",
            "data": {"id": name, "state": state, "title": title, "i": int(found["i"]), "n": int(found["n"])},
        }
    return None


def read_manifest(out: Path) -> dict[str, Any] | None:
    """Return the newest manifest below `out`, None where none can be read. What it says is not trusted."""
    found = sorted(out.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    for path in (*reversed(found), out / "manifest.json"):
        try:
            if path.is_symlink() or path.stat().st_size > MAX_MANIFEST_BYTES:
                continue
            manifest = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(manifest, dict):
            return manifest
    return None


def classify(out: Path, *, exit_code: int | None, signal: int | None = None, log_tail: str = "") -> Verdict:
    """Say how a run of llem ended, from its manifest, its results, its exit and the end of its log."""
    results = sum(1 for _ in out.glob("**/result.json"))
    manifest = read_manifest(out) or {}
    if exit_code == INTERRUPTED or (signal in _STOPPED and manifest.get("status") == "interrupted"):
        return Verdict("cancelled", "interrupted", "The benchmark was interrupted and ended cleanly.")
    if exit_code == 0 and results:
        return _succeeded(manifest, results)
    if signal is not None or (exit_code or 0) > 128:
        return _killed(signal if signal is not None else (exit_code or 0) - 128, log_tail)
    if exit_code == NOT_FOUND:
        return Verdict("infra_failed", "llem_missing", "This host does not have the llem command.")
    return _failed(_messages(manifest), exit_code, log_tail)


_STOPPED = {signal.SIGINT, signal.SIGTERM}


def _messages(manifest: dict[str, Any]) -> list[str]:
    """Return what the manifest says of each run that failed."""
    runs = manifest.get("experiments")
    listed = runs if isinstance(runs, list) else []
    failed = [run for run in listed if isinstance(run, dict) and run.get("status") == "failed"]
    return [f"{run.get('error_type') or 'Error'}: {run.get('error_message') or 'no message'}" for run in failed]


def _succeeded(manifest: dict[str, Any], results: int) -> Verdict:
    messages, planned = _messages(manifest), manifest.get("total_experiments")
    total = max(results + len(messages), planned if isinstance(planned, int) else 0)
    if results == total:
        return Verdict("succeeded", "ok", "")
    why = f" {_explain(messages[0]).reason}" if messages else ""
    return Verdict("succeeded", "partial", _cut(f"{results} of {total} runs have a result.{why}"))


def _failed(messages: Sequence[str], exit_code: int | None, log_tail: str) -> Verdict:
    if messages:
        # A cause that lies with the host explains the others.
        verdicts = [_explain(message) for message in dict.fromkeys(messages)]
        worst = min(verdicts, key=lambda verdict: _RANK.get(verdict.outcome, 2))
        if len(messages) == 1:
            return worst
        return worst._replace(reason=_cut(f"All {len(messages)} runs failed. {worst.reason}"))
    tail = _ANSI.sub("", log_tail)
    verdict = _explain(tail, said=_last_error(tail))
    if verdict.code != "llem_failed":
        return verdict
    if exit_code == 0:
        return Verdict("failed", "no_results", "llem ended without an error, yet wrote no result.")
    if exit_code == 2:
        return verdict._replace(code="bad_config", reason=_cut(f"llem refuses this configuration. {_last_error(tail)}"))
    return verdict._replace(reason=_cut(f"llem ended with code {exit_code} and no result. {_last_error(tail)}"))


def _killed(number: int, log_tail: str) -> Verdict:
    """Explain an end by a signal that nobody of the agent's sent."""
    if (verdict := _explain(_ANSI.sub("", log_tail))).code in ("gpu_lost", "disk_full"):
        return verdict
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signal.SIGKILL:
        return Verdict(
            "failed", "killed", "The system killed the benchmark (SIGKILL): most often the host's memory ran out."
        )
    return Verdict("failed", "crashed", f"The benchmark crashed ({name}).")


def _explain(message: str, said: str | None = None) -> Verdict:
    """Find the cause in a message, with llem's own words after the sentence."""
    for sign in _SIGNS:
        if found := sign.pattern.search(message):
            sentence = sign.sentence.format(**found.groupdict())
            return Verdict(sign.outcome, sign.code, _with_words(sentence, message if said is None else said))
    return Verdict("failed", "llem_failed", _with_words("The benchmark failed.", message if said is None else said))


def _with_words(sentence: str, message: str) -> str:
    words = " ".join(_ANSI.sub("", message).split())
    return _cut(f"{sentence} llem said: {words}" if words else sentence)


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if _ERROR_LINE.match(line)]
    return lines[-1] if lines else ""


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"


def environment() -> dict[str, str]:
    """What llem needs of this process's environment. Its times have no zone, so they are told to be UTC."""
    return {**os.environ, "TZ": "UTC", "LLEM_TRUST_REMOTE_CODE": "0", "PYTHONUNBUFFERED": "1", "DO_NOT_TRACK": "1"}


def pump(source: IO[bytes], sink: IO[bytes], tell: Callable[[str, dict[str, Any]], None]) -> None:
    """Pass the bytes on as they come, and tell the steps in them."""
    steps = Steps()
    while data := os.read(source.fileno(), 1 << 16):
        sink.write(data)
        sink.flush()
        for told in steps.feed(data):
            tell(told["type"], told["data"])


def main(argv: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else list(argv)
    if len(arguments) < 2:
        sys.stderr.write("usage: python -m gpuagent.executors.llem CONFIG OUT [OPTIONS OF llem run]\n")
        return 2
    executable = find_command()
    if executable is None:
        sys.stderr.write("llem is not installed on this host: pip install './gpuagent[llem]'\n")
        return NOT_FOUND
    config, out, *options = arguments
    with _staying():
        return _run([executable, "run", config, "-o", out, *options])


def _run(command: Sequence[str]) -> int:
    with subprocess.Popen(  # noqa: S603 - an argument list; its only variable parts are paths of the agent's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
    ) as child:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        pump(child.stdout, sys.stdout.buffer, Progress().tell)
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _staying() -> Iterator[None]:
    """Signals go to the whole group, so llem gets them by itself; what it still prints is passed on."""
    # A function and not SIG_IGN, which llem would inherit.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
