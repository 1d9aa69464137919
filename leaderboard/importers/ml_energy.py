"""ML.ENERGY: rows of the leaderboard's second and third version, and the benchmark's own results.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from leaderboard.importers.base import Document, ImportRefused, Measurement, Sides
from leaderboard.importers.draft import NAIVE_TIME, Draft, ratio
from leaderboard.importers.engine_config import plain_dtype
from leaderboard.importers.fields import Fields, as_object
from leaderboard.normal import ParsedResult
from lemsite.lib.archives import Entry

TOOL = "ml-energy"
MAX_ROWS = 2000
_V2 = frozenset({"Model", "GPU", "TP", "PP", "Energy/req (J)", "Token tput (tok/s)"})
_V3 = frozenset({"gpu_model", "num_gpus", "energy_per_token_joules", "output_throughput_tokens_per_sec"})
_V3_LIST = frozenset({"task", "configurations"})
#: rows of the image and video tasks
_NO_TOKENS = frozenset({"energy_per_image_joules", "energy_per_video_joules"})
_RUN = frozenset({"steady_state_energy", "steady_state_energy_per_token", "gpu_model"})
_FP4 = frozenset({"mxfp4", "nvfp4", "fp4"})
_METER = "Zeus reads the GPUs' own counters, inside the server."


class MlEnergy:
    """Energy is that of all GPUs in the steady state, per output token."""

    shapes = ("ml_energy_v2", "ml_energy_v3", "ml_energy_run")

    def detect(self, keys: frozenset[str]) -> str | None:
        if keys >= _V2:
            return "ml_energy_v2"
        if keys >= _RUN:
            return "ml_energy_run"
        is_image = bool(keys & _NO_TOKENS) and "gpu_model" in keys
        return "ml_energy_v3" if keys >= _V3 or keys >= _V3_LIST or is_image else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        result = Fields(document.data, document.path)
        shape = self.detect(document.keys) or "ml_energy_v3"
        if shape == "ml_energy_v2":
            return [Measurement(_read_v2(result), shape)]
        if shape == "ml_energy_run":
            return [Measurement(_read_run(result), shape)]
        rows = result.each("configurations") if "configurations" in result.data else [result]
        if not rows:
            raise result.refuse("configurations", "is an empty list; it must hold at least one row")
        if len(rows) > MAX_ROWS:
            raise result.refuse("configurations", f"holds more than {MAX_ROWS} rows; split it")
        return [Measurement(_read_v3(row, result), shape) for row in rows]


def _draft(label: str) -> Draft:
    draft = Draft(label)
    draft.computed("tool", TOOL, "The shape of the file is this tool's.")
    draft.missing("tool_version", "The file does not give the version of the benchmark.")
    draft.missing("backend", "The file does not name the inference engine; please state it.")
    return draft


def _finish(draft: Draft, source: Any, **more: Any) -> ParsedResult:
    """Without times and totals only a row that is equal in everything is the same measurement."""
    digest = hashlib.sha256(json.dumps(source, sort_keys=True, default=str).encode()).hexdigest()
    per_token = draft.number("energy_per_output_token_j")
    draft.computed("tokens_per_joule", ratio(1.0, per_token), "The inverse of the energy per output token.")
    if per_token or draft.number("total_energy_j"):
        draft.computed("energy_scope", "gpu", _METER)
        draft.computed("energy_method", "zeus", _METER)
    hardware = draft.values.get("hardware")
    environment = {"gpu": hardware, "gpu_count": draft.values.get("gpu_count")} if hardware else {}
    return draft.finish(identity=f"sha256:{digest}", environment=environment, **more)


def _read_v2(row: Fields) -> ParsedResult:
    draft = _draft(row.file)
    draft.given("model", row.text("Model"))
    draft.given("hardware", row.text("GPU"))
    tensor, pipeline = row.small("TP"), row.small("PP")
    draft.given("tensor_parallel", tensor)
    draft.given("pipeline_parallel", pipeline)
    draft.computed("gpu_count", tensor * pipeline if tensor and pipeline else None, "TP times PP.")
    draft.given("batch_size", row.small("Max BS (reqs)"), "The limit over all pipeline stages.")
    draft.missing("precision", "The file does not say in which precision the model ran; please state it.")
    throughput = row.measured("Token tput (tok/s)")
    draft.given("throughput_tokens_per_s", throughput, "Output tokens, all GPUs together.")
    per_token = ratio(row.measured("Energy/req (J)"), row.measured("Avg Output Tokens"))
    note = "Energy per request divided by its mean number of output tokens."
    draft.computed("energy_per_output_token_j", per_token, note)
    power = per_token * throughput if per_token and throughput else None
    draft.computed("avg_power_w", power, "Energy per token times throughput: all GPUs together.")
    tpot = row.measured("Avg TPOT (s)")
    draft.given("tpot_ms_mean", tpot and tpot * 1000, "From seconds; a mean over the engine's steps of the whole run.")
    return _finish(draft, row.data)


def _read_v3(row: Fields, whole: Fields) -> ParsedResult:
    """One configuration. What all rows of a file share (model, task, precision) is beside their list."""
    _refuse_images(row, whole)
    draft = _draft(f"{row.file}: {row.prefix}".rstrip(".: "))
    for fields in (row, whole):
        draft.given("model", fields.text("model_id"))
        _read_precision(draft, fields)
        draft.given("dataset", fields.text("task"))
        for parallel in (fields, fields.below("parallelization")):
            draft.given("tensor_parallel", parallel.small("tensor_parallel"))
    draft.given("hardware", row.text("gpu_model"))
    draft.given("gpu_count", row.small("num_gpus"))
    draft.given("batch_size", row.small("max_num_seqs"), "The engine's limit, max_num_seqs.")
    throughput = row.measured("output_throughput_tokens_per_sec")
    draft.given("throughput_tokens_per_s", throughput, "Output tokens, all GPUs together.")
    draft.given("energy_per_output_token_j", row.measured("energy_per_token_joules"))
    draft.given("avg_power_w", row.measured("avg_power_watts"), "The sum over all GPUs.")
    for part, name in (("p50", "median"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99")):
        draft.given(f"itl_ms_{part}", row.measured(f"{name}_itl_ms"))
    shared = {name: whole.raw(name) for name in ("model_id", "task")}
    return _finish(draft, [shared, row.data])


def _refuse_images(row: Fields, whole: Fields) -> None:
    name = next((name for name in sorted(_NO_TOKENS) if name in row.data), None)
    if name or whole.raw("architecture") == "diffusion":
        raise ImportRefused(
            f"{row.file}: it measures images or videos; this site compares language models by their tokens.",
            file=row.file,
            field=name,
        )


def _read_precision(draft: Draft, fields: Fields) -> None:
    stated = (fields.text("weight_precision") or "").lower()
    draft.given("precision", "fp4" if stated in _FP4 else plain_dtype(stated))
    if stated:
        draft.missing("precision", f"The file says {stated[:40]!r}, which is not one precision; please state it.")


def _read_run(run: Fields) -> ParsedResult:
    """The benchmark's own results.json: energy, tokens and time of the steady state, latencies of all requests."""
    draft = _draft(run.file)
    draft.given("model", run.text("model_id"))
    draft.given("hardware", run.text("gpu_model"))
    draft.given("gpu_count", run.small("num_gpus"))
    draft.given("batch_size", run.small("max_num_seqs"), "The engine's limit, max_num_seqs.")
    draft.given("concurrency", run.small("max_concurrency"))
    draft.missing("precision", "The file does not say in which precision the model ran; please state it.")
    energy, per_token = run.measured("steady_state_energy"), run.measured("steady_state_energy_per_token")
    draft.given("total_energy_j", energy, "All GPUs, in the steady state.")
    draft.given("energy_per_output_token_j", per_token)
    tokens = ratio(energy, per_token)
    note = "Energy divided by energy per token, both of the steady state; the file counts only the whole run."
    draft.computed("output_tokens", round(tokens) or None if tokens and tokens < 2**63 else None, note)
    draft.given("duration_s", run.measured("steady_state_duration"), "The steady state.")
    _read_requests(draft, run)
    for ours, theirs in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2el")):
        for part, name in (("mean", "mean"), ("p50", "median"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99")):
            draft.given(f"{ours}_ms_{part}", run.number(f"{name}_{theirs}_ms"))
    kept = {name: value for name, value in run.data.items() if not isinstance(value, list | dict)}
    return _finish(draft, kept, config=as_object(kept, file=run.file, field="the file"))


def without_requests(run: Document) -> Entry:
    """What is kept of a results.json: not the prompts and answers of each request, nor its timelines."""
    kept = {name: value for name, value in run.data.items() if not isinstance(value, list | dict)}
    return Entry(run.source, json.dumps(kept, indent=1, ensure_ascii=False).encode())


def _read_requests(draft: Draft, run: Fields) -> None:
    asked, done = run.small("num_prompts"), run.count("completed")
    draft.given("requests", asked)
    if asked and done is not None and done <= asked:
        draft.computed("success_rate", done / asked, "Completed requests of all requests.")
    if isinstance(run.raw("request_rate"), int | float):
        draft.given("request_rate_per_s", run.measured("request_rate"))
    if run.raw("max_output_tokens") != "dataset":
        draft.given("max_output_tokens", run.small("max_output_tokens"))
    written = run.text("date", limit=40)
    if written:
        draft.given("ended_at", _date(run, written), NAIVE_TIME)


def _date(run: Fields, written: str) -> datetime:
    try:
        return datetime.strptime(written, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise run.refuse("date", f"is {written!r}, but must be a date and time such as 20260314-093000") from None
