"""LocalScore: the JSON of its command line, a run as its website gives it, and the runs of its database."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft, ratio
from leaderboard.importers.fields import Fields
from leaderboard.normal import ParsedResult

TOOL = "localscore"
_CLI = frozenset({"accelerator_info", "runtime_info", "results"})
_SITE = frozenset({"accelerator", "accelerator_type", "runtime", "results"})
_QUANTISED = re.compile(r"I?Q([2-68])_")
_PLAIN = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "mxfp4": "fp4"}
_WHOLE = "Over all tests of the run, prompts and answers of every length together: "


class LocalScore:
    """A run is a fixed list of tests, each of one prompt and one answer length, one sequence at a time."""

    shapes = ("localscore",)

    def detect(self, keys: frozenset[str]) -> str | None:
        return "localscore" if keys >= _CLI or keys >= _SITE else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        run = Fields(document.data, document.path)
        tests = run.each("results")
        if not tests:
            raise run.refuse("results", "is empty; it must hold at least one test")
        draft = Draft(document.path)
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.missing("tool_version", "The tool gives only the version of llamafile, which it is part of.")
        _read_machine(draft, run)
        _read_model(draft, run, tests)
        _read_figures(draft, tests)
        _read_energy(draft, tests, run)
        return [Measurement(_finish(draft, run), "localscore")]


def _finish(draft: Draft, run: Fields) -> ParsedResult:
    digest = hashlib.sha256(json.dumps(run.data, sort_keys=True, default=str).encode()).hexdigest()
    names = ("accelerator_info", "accelerator", "accelerator_type", "accelerator_memory_gb", "system_info", "system")
    environment = {name: run.data[name] for name in names if run.data.get(name) is not None}
    return draft.finish(identity=f"sha256:{digest}", environment=environment)


def _read_machine(draft: Draft, run: Fields) -> None:
    is_cli = "accelerator_info" in run.data
    draft.given("hardware", run.text("accelerator_info.name" if is_cli else "accelerator"))
    draft.computed("gpu_count", 1, "The tool runs on one device, the one that the file names.")
    runtime = run.below("runtime_info" if is_cli else "runtime")
    draft.given("backend", runtime.text("name", limit=80))
    draft.given("backend_version", runtime.text("version", limit=80))
    draft.computed("batch_size", 1, "The tool runs one sequence at a time.")
    moment = None if is_cli else run.moment("created_at")
    if moment:
        draft.given("ended_at", moment.at, "When the website stored the run, right after it; without a zone, so UTC.")


def _read_model(draft: Draft, run: Fields, tests: Sequence[Fields]) -> None:
    named = [(test.text("model_name"), test.text("model_quant_str")) for test in tests]
    if any(other != named[0] for other in named):
        raise run.refuse("results", "must all be of one model and one quantisation")
    name, quantisation = named[0]
    if isinstance(run.raw("model"), dict):
        name, quantisation = name or run.text("model.name"), quantisation or run.text("model.quant")
    draft.given("model", name)
    draft.given("precision", _precision(quantisation), f"From the quantisation {(quantisation or '')[:40]!r}.")
    if quantisation:
        draft.missing("precision", f"The quantisation {quantisation[:40]!r} is not one precision; please state it.")


def _precision(quantisation: str | None) -> str | None:
    """The width of a llama.cpp quantisation such as "Q4_K - Medium"."""
    match = _QUANTISED.match(quantisation or "")
    return f"int{match[1]}" if match else _PLAIN.get((quantisation or "").lower())


def _each(tests: Sequence[Fields], name: str) -> list[float] | None:
    """The figure of every test, or None where one of them lacks it (the tool writes 0 then)."""
    found = [value for test in tests if (value := test.measured(name))]
    return found if len(found) == len(tests) else None


def _counts(tests: Sequence[Fields], name: str) -> list[int] | None:
    found = [count for test in tests if (count := test.count(name)) is not None]
    return found if len(found) == len(tests) else None


def _read_figures(draft: Draft, tests: Sequence[Fields]) -> None:
    """Sum the tests: the throughput of the run counts the time of its prompts, unlike the tool's own gen_tps."""
    times, output, incoming = _each(tests, "avg_time_ms"), _counts(tests, "n_gen"), _counts(tests, "n_prompt")
    if times is None or output is None or incoming is None:
        draft.missing("throughput_tokens_per_s", "Some test of the run has no time or no token count.")
        return
    draft.computed("duration_s", sum(times) / 1000, f"{_WHOLE}the sum of their times.")
    draft.computed("output_tokens", sum(output), f"{_WHOLE}the sum of n_gen.")
    draft.computed("input_tokens", sum(incoming), f"{_WHOLE}the sum of n_prompt.")
    firsts, speeds = _each(tests, "ttft_ms"), _each(tests, "gen_tps")
    if firsts is not None:
        draft.computed("ttft_ms_mean", sum(firsts) / len(tests), f"{_WHOLE}the mean.")
    if speeds is not None:
        seconds = sum(count / speed for count, speed in zip(output, speeds, strict=True))
        note = f"{_WHOLE}time of generation divided by generated tokens."
        draft.computed("tpot_ms_mean", ratio(seconds * 1000, sum(output)), note)


def _read_energy(draft: Draft, tests: Sequence[Fields], run: Fields) -> None:
    """Mean power of each test times its time. What the meter sees depends on the maker of the device."""
    powers, times = _each(tests, "power_watts"), _each(tests, "avg_time_ms")
    if powers is None or times is None:
        draft.missing("total_energy_j", "The tool did not measure power in every test (it writes 0 then).")
        return
    energy = sum(power * time / 1000 for power, time in zip(powers, times, strict=True))
    draft.computed("total_energy_j", energy, f"{_WHOLE}the sum of each test's mean power times its time.")
    if _is_nvidia(run):
        draft.computed("energy_scope", "gpu", "On NVIDIA the tool reads the one GPU through NVML.")
        note = "The tool takes the higher of sampled power and counter, through NVML."
        draft.computed("energy_method", "nvml_sampled", note)
    else:
        draft.missing("energy_scope", "The file does not say what its power meter saw; please state it.")
        draft.computed("energy_method", "unknown", "The file does not say how power was measured.")


def _is_nvidia(run: Fields) -> bool:
    is_cli = "accelerator_info" in run.data
    kind = run.text("accelerator_info.type" if is_cli else "accelerator_type")
    name = run.text("accelerator_info.name" if is_cli else "accelerator") or ""
    return kind == "GPU" and name.upper().startswith("NVIDIA")
