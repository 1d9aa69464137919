"""What an end means: for the site in a code, for people in a sentence."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from gpuagent.executors import Exit, llem
from gpuagent.host import durable
from gpuagent.host.folders import AttemptFolder
from gpuagent.host.schema import Offer

TAIL_BYTES = 64 * 1024
#: it did not run, and another host would not run it either
OF_THE_JOB = {"model_refused"}
CODE = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)

#: why it was stopped -> outcome and code
STOPPED = {
    "cancel": ("cancelled", "cancelled"),
    "abandon": ("abandoned", "abandoned"),
    "forget": ("abandoned", "forgotten"),
    "kill": ("timed_out", "killed"),
    "wall": ("timed_out", "wall_limit"),
    "silence": ("timed_out", "silence"),
    "fetch": ("timed_out", "fetch_limit"),
    "disk": ("failed", "disk_limit"),
    "disk_full": ("infra_failed", "disk_full"),
    "gpu_lost": ("infra_failed", "gpu_lost"),
    "nvml_hung": ("infra_failed", "nvml_hung"),
    "agent_stopped": ("infra_failed", "agent_stopped"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    outcome: str
    code: str
    detail: str = ""


def judge(folder: AttemptFolder, offer: Offer, ended: Exit) -> Judgement:
    """A stop that came too late does not count: who had ended with success has succeeded."""
    stop = folder.read("stop.json")
    own = None if ended.lost else _own_end(folder, offer, ended)
    if own and own.outcome == "succeeded" and (stop is None or stop["why"] in {"cancel", "wall", "silence"}):
        return own
    if stop is not None:
        outcome, code = STOPPED.get(str(stop["why"]), ("infra_failed", "stopped"))
        return Judgement(outcome, code, str(stop.get("detail", "")))
    outcome = "failed" if ended.lost in OF_THE_JOB else "infra_failed"
    return own or Judgement(outcome, ended.lost, ended.detail)


def _own_end(folder: AttemptFolder, offer: Offer, ended: Exit) -> Judgement:
    tail = _tail(folder["raw.log"])
    if offer.executor == "race":
        return _race_end(folder, ended, tail)
    verdict = llem.classify(folder["out"], exit_code=ended.exit_code, signal=ended.signal, log_tail=tail)
    if verdict.outcome == "cancelled":
        # Nobody has asked for that through the site.
        return Judgement("infra_failed", "interrupted", "Somebody on the host interrupted it.")
    return Judgement(verdict.outcome, verdict.code, verdict.reason)


def _race_end(folder: AttemptFolder, ended: Exit, tail: str) -> Judgement:
    if ended.exit_code == 0:
        return Judgement("succeeded", "ok")
    for line, _ in durable.lines(folder["progress.jsonl"]):
        if b'"failed"' in line and (told := _told_failure(line)) is not None:
            return told
    lines = [line for line in tail.splitlines() if line.strip() and not line.startswith("[agent]")]
    why = lines[-1][:400] if lines else f"It ended with code {ended.exit_code}."
    return Judgement("failed", "race_failed", why)


def _told_failure(line: bytes) -> Judgement | None:
    """What the program itself says of its failure: {"type": "failed", "data": {"code", "detail"}}."""
    try:
        told = json.loads(line)
        code, detail = str(told["data"]["code"]), str(told["data"]["detail"])
    except (ValueError, KeyError, TypeError):
        return None
    return Judgement("failed", code, detail[:480]) if told["type"] == "failed" and CODE.fullmatch(code) else None


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
