"""The first generations of the llem CLI (`lem experiment`): aggregated results and their raw processes.

Their averages mislead: J per token is over all tokens, tokens per second is the mean of one process, inference time
is the sum over processes, and energy is CodeCarbon's, which counts processor and memory too. So throughput is taken
from the tokens and the wall time between start and end, and per-token figures from the summed output tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.importers.base import Document, ImportRefused, Measurement, Sides
from leaderboard.importers.draft import Draft
from leaderboard.importers.engine_config import plain_dtype, read_engine_config
from leaderboard.importers.fields import Fields
from leaderboard.importers.llem_common import TOOL, identity_of, read_latencies, read_memory
from leaderboard.normal import ParsedResult


class LlemV1:
    """One aggregated result, or the raw file of an experiment that is known to have had a single process."""

    shapes = ("aggregated_v1", "raw_process_v1")

    def detect(self, keys: frozenset[str]) -> str | None:
        if {"process_index", "inference_metrics"} <= keys:
            return "raw_process_v1"
        is_aggregated = {"aggregation", "process_results"} <= keys
        return "aggregated_v1" if is_aggregated and "measurement_config_hash" not in keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        if self.detect(document.keys) == "raw_process_v1":
            return [Measurement(read_aggregated(as_aggregated(document), file=document.path), "raw_process_v1")]
        return [Measurement(read_aggregated(document.data, file=document.path), "aggregated_v1")]


def as_aggregated(document: Document) -> dict[str, Any]:
    """Give the raw file of a single-process experiment the form of an aggregated one, or refuse it."""
    process = Fields(document.data, document.path)
    config = process.below("effective_config")
    stated = [
        config.small(f"{section}.num_processes") for section in ("pytorch", "vllm", "tensorrt") if config.raw(section)
    ]
    counts = {count for count in (*stated, config.small("num_processes")) if count}
    if process.count("process_index") != 0 or counts != {1}:
        what = "is one process of several" if counts - {1} or process.raw("process_index") else "may be one of several"
        raise ImportRefused(
            f"{document.path}: process_index {what}; send the aggregated result of the experiment instead.",
            file=document.path,
            field="process_index",
        )
    data = document.data
    times = process.below("timestamps").data
    return {
        **{name: data.get(name) for name in ("backend", "backend_version", "effective_config", "environment")},
        **{name: data.get(name) for name in ("extended_metrics", "energy_breakdown", "energy_tracking_failed")},
        "process_results": [data],
        "start_time": times.get("start"),
        "end_time": times.get("end"),
        "total_tokens": process.raw("inference_metrics.total_tokens"),
        "total_energy_j": process.raw("energy_metrics.total_energy_j"),
    }


def read_aggregated(data: dict[str, Any], *, file: str) -> ParsedResult:
    """Return the ParsedResult of one aggregated document of schema 2.0.0 or 3.0.0."""
    result = Fields(data, file)
    processes = result.each("process_results")
    if not processes:
        raise result.refuse("process_results", "is empty; it must hold the processes that the figures were summed from")
    draft = Draft(file)
    draft.computed("tool", TOOL, "The shape of the file is this tool's.")
    config = _configuration(result, processes)
    _read_names(draft, result, processes)
    _read_setup(draft, config, processes)
    _read_tokens_and_time(draft, result, processes)
    _read_energy(draft, result, processes)
    read_memory(draft, result)
    _read_memory(draft, processes)
    read_latencies(draft, result)
    environment = result.object("environment") or processes[0].object("environment")
    machine = Fields(environment, file, "environment.")
    if not any(process.text("gpu_name") for process in processes):
        draft.given("hardware", machine.text("gpu.name"))
        draft.missing("hardware", "The file does not name the GPU; please state it.")
    draft.given("power_limit_w", machine.measured("thermal.power_limit_w"))
    for process in (result, *processes):
        draft.warnings += process.texts("config_warnings") + process.texts("aggregation.warnings")
    return draft.finish(identity=identity_of(draft), config=config.data, environment=environment)


def _configuration(result: Fields, processes: list[Fields]) -> Fields:
    own = result.below("effective_config")
    return own if own.data.get("fp_precision") else processes[0].below("effective_config") if processes else own


def _same(draft: Draft, column: str, values: Sequence[str | None]) -> None:
    """Keep what all processes agree on."""
    found = {value for value in values if value}
    if len(found) == 1:
        draft.given(column, found.pop())
    elif found:
        draft.missing(column, f"The processes name different ones: {', '.join(sorted(found))[:200]}.")


def _read_names(draft: Draft, result: Fields, processes: list[Fields]) -> None:
    draft.given("backend", result.text("backend", limit=80))
    draft.given("backend_version", result.text("backend_version", limit=80))
    _same(draft, "model", [process.text("model_name") for process in processes])
    _same(draft, "hardware", [process.text("gpu_name") for process in processes])


def _read_setup(draft: Draft, config: Fields, processes: list[Fields]) -> None:
    # Schema 2.0.0 names no backend; then the one section that is filled in tells it.
    sections = [name for name in ("pytorch", "vllm", "tensorrt") if isinstance(config.data.get(name), dict)]
    filled = sections[0] if len(sections) == 1 else None
    engine = config.text("backend", limit=80) or draft.values.get("backend") or filled
    read_engine_config(draft, config, engine=engine)
    widths = [process.text("compute_metrics.compute_precision", limit=80) for process in processes]
    _same(draft, "precision", [plain_dtype(width) for width in widths])
    draft.given("max_input_tokens", config.small("max_input_tokens"))
    draft.given("max_output_tokens", config.small("max_output_tokens"))
    draft.given("requests", config.small("num_input_prompts"))
    if isinstance(config.raw("dataset"), dict):
        draft.given("dataset", config.text("dataset.name"))
    devices = {process.count("gpu_id") for process in processes} - {None}
    visible = len(config.items("gpus"))
    if devices and visible <= len(devices):
        draft.computed("gpu_count", len(devices), "The number of different GPUs that the processes ran on.")
    draft.computed("gpu_count", visible or None, "The number of GPUs that the configuration lists.")


def _read_tokens_and_time(draft: Draft, result: Fields, processes: list[Fields]) -> None:
    total = result.tokens("total_tokens")
    if total is None:
        raise result.refuse("total_tokens", "is missing; it must be the number of input and output tokens")
    draft.total_tokens = total
    for column in ("output_tokens", "input_tokens"):
        note = f"The sum of {column} over {len(processes)} process(es)."
        summed = _sum([process.count(f"inference_metrics.{column}") for process in processes])
        draft.computed(column, summed, note)
    if draft.values.get("output_tokens") == 0:
        raise result.refuse("process_results", "count 0 output tokens, but a measured run has at least one")
    seconds = draft.times(result)
    draft.computed("duration_s", seconds, "From start to end; the tool's own inference time is summed over processes.")
    if len(processes) == 1:
        draft.given("duration_s", processes[0].measured("inference_metrics.inference_time_sec"))
    speed = _sum([process.number("compute_metrics.flops_per_second") for process in processes])
    draft.computed("flops_per_second", speed or None, "The sum over processes.")


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum over all processes, None unless every one of them has the value."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _read_energy(draft: Draft, result: Fields, processes: list[Fields]) -> None:
    if any(fields.flag("energy_tracking_failed") for fields in (result, *processes)):
        for column in ("total_energy_j", "adjusted_energy_j", "idle_power_w"):
            draft.missing(column, "The tool says that energy tracking failed, so its energy figures are not used.")
        return
    draft.given("total_energy_j", result.measured("total_energy_j"))
    if "total_energy_j" not in draft.values:
        draft.missing("total_energy_j", "The tool did not measure energy (it writes 0 then).")
        return
    draft.given("energy_method", "codecarbon", "This generation of the tool always measures with CodeCarbon.")
    _read_scope(draft, processes)
    draft.given("adjusted_energy_j", result.number("energy_breakdown.adjusted_j", may_be_negative=True))
    baseline = _sum([process.measured("energy_breakdown.baseline_power_w") for process in processes])
    draft.computed("idle_power_w", baseline, "The sum of the baselines of the processes.")
    if len(processes) == 1:
        draft.given("idle_power_w", result.measured("energy_breakdown.baseline_power_w"))


def _read_scope(draft: Draft, processes: list[Fields]) -> None:
    machine = any(
        process.measured(f"energy_metrics.{part}_energy_j") for process in processes for part in ("cpu", "ram")
    )
    gpu = any(process.measured("energy_metrics.gpu_energy_j") for process in processes)
    if gpu and not machine:
        draft.computed("energy_scope", "gpu", "The file gives energy of the GPUs only.")
    draft.computed("energy_scope", "node", "CodeCarbon's total counts processor and memory of the machine too.")


def _read_memory(draft: Draft, processes: list[Fields]) -> None:
    peaks = [process.measured("compute_metrics.peak_memory_mb") for process in processes]
    known = [peak for peak in peaks if peak is not None]
    draft.computed("peak_memory_mb", max(known, default=None), "The highest peak of any process.")
    if len(processes) > 1 and len(known) == len(processes) == draft.values.get("gpu_count"):
        draft.computed("peak_memory_total_mb", sum(known), "The sum of the peaks of the processes, one per GPU.")
