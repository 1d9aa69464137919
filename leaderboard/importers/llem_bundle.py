"""Bundles of llenergymeasure 0.7.0: result.json, with config.json and system.json beside it."""

from __future__ import annotations

from collections.abc import Sequence

from llenergymeasure.domain.experiment import ExperimentResult
from pydantic import ValidationError

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft, refusal
from leaderboard.importers.fields import Fields
from leaderboard.importers.llem_common import (
    TOOL,
    hash_matches,
    identity_of,
    read_declared_config,
    read_energy,
    read_energy_method,
    read_environment,
    read_gpu_count,
    read_latencies,
    read_memory,
    repeat_key_of,
)

_SERIES = ("ttft", "tpot", "itl", "e2e")
_NOT_BESIDE = "It is in {file}, which was not uploaded with the result; add it or state the value."


class LlemBundle:
    """One result bundle, offline or server mode. The tool's own model says what a whole result.json is."""

    shapes = ("bundle_2",)

    def detect(self, keys: frozenset[str]) -> str | None:
        return "bundle_2" if {"bundle_version", "declared_config_hash", "serving_mode"} <= keys else None

    def read(self, document: Document, sides: Sides) -> Sequence[Measurement]:
        result = Fields(document.data, document.path)
        draft = Draft(document.path)
        draft.given("config_hash", result.text("declared_config_hash", limit=80))
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.given("tool_version", result.text("llenergymeasure_version", limit=80))
        engine = result.text("engine", limit=80)
        draft.given("backend", engine)
        draft.given("model", result.text("model_name"))
        is_server = result.text("serving_mode") == "server"
        _read_figures(draft, result, is_server=is_server)
        # After our own reading, whose sentences are plainer; this catches what we do not look at.
        check_against_tool(document)
        declared = read_declared_config(draft, Fields(sides.config, document.path, "config.json: "))
        _read_traffic(draft, declared.below("server.traffic"))
        read_environment(draft, Fields(sides.environment, document.path, "system.json: "), engine=engine)
        _note_missing_sides(draft, sides)
        read_energy_method(draft, result, declared.raw("measurement.energy_sampler"))
        parsed = draft.finish(identity=identity_of(draft), config=declared.data, environment=sides.environment)
        parsed.config_hash_matches = hash_matches(declared.data, parsed.values.config_hash)
        return [Measurement(parsed, "bundle_2", repeat_key_of(parsed.values))]


def check_against_tool(document: Document) -> None:
    """Refuse what llenergymeasure's own model refuses; keys that it does not know are left alone."""
    try:
        ExperimentResult.model_validate(document.data)
    except ValidationError as error:
        faults = [fault for fault in error.errors(include_url=False) if fault["type"] != "extra_forbidden"]
        if faults:
            raise refusal(document.path, faults[0]) from None


def _read_figures(draft: Draft, result: Fields, *, is_server: bool) -> None:
    seconds = draft.times(result)
    draft.given("duration_s", result.measured("total_inference_time_sec"))
    draft.computed("duration_s", seconds, "From start to end; the file gives no inference time.")
    draft.given("output_tokens", result.tokens("output_tokens"))
    draft.given("input_tokens", result.count("input_tokens"))
    draft.total_tokens = result.tokens("total_tokens")
    read_energy(draft, result)
    # In server mode the tool counts only what the server streamed back.
    column = "throughput_tokens_per_s" if is_server else "total_throughput_tokens_per_s"
    draft.given(column, result.measured("avg_tokens_per_second"))
    draft.given("flops_per_second", result.measured("flops_per_second"))
    read_gpu_count(draft, result)
    read_memory(draft, result)
    read_latencies(draft, result)
    if is_server:
        _read_server(draft, result)
    draft.warnings += result.texts("measurement_warnings")


def _read_server(draft: Draft, result: Fields) -> None:
    metrics = result.below("server_metrics")
    for series in _SERIES:
        for percentile in ("p50", "p90", "p99"):
            draft.given(f"{series}_ms_{percentile}", metrics.number(f"{series}.{percentile}_ms"))
    draft.given("requests_per_s", metrics.number("request_throughput_req_s"))
    draft.given("success_rate", metrics.number("completion_rate"))
    counts = [metrics.count(f"{outcome}_count") or 0 for outcome in ("completed", "error", "timeout")]
    draft.computed("requests", sum(counts) or None, "Completed, failed and timed-out requests of the window.")
    server = result.below("server")
    if server.flag("level_valid") is False:
        reason = server.text("invalid_reason", limit=500) or "no reason given"
        draft.warnings.append(f"The tool marks this load level as not stable: {reason}")


def _read_traffic(draft: Draft, traffic: Fields) -> None:
    draft.given("request_rate_per_s", traffic.measured("rate"))
    draft.given("concurrency", traffic.small("concurrency_cap"))


def _note_missing_sides(draft: Draft, sides: Sides) -> None:
    if not sides.config:
        for name in ("precision", "batch_size", "max_output_tokens", "dataset"):
            draft.missing(name, _NOT_BESIDE.format(file="config.json"))
    if not sides.environment:
        draft.missing("hardware", _NOT_BESIDE.format(file="system.json"))
