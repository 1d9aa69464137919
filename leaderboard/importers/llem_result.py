"""Results of `llem run` before bundles: schema 2.0 (self-contained), 3.0, and 5.0 with files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft, ratio
from leaderboard.importers.engine_config import read_engine_config
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

#: Rounding in the tool's own average can put derived output tokens a hair above the total.
ROUNDING = 1.001


class LlemResult:
    """The flat result documents of packages 0.8.0 to 0.9.0 (schema 2.0, 3.0) and 0.6.0 (schema 5.0)."""

    shapes = ("result_2", "result_3", "result_5")

    def detect(self, keys: frozenset[str]) -> str | None:
        if "measurement_config_hash" not in keys:
            return None
        if {"backend", "effective_config"} <= keys:
            return "result_2"
        if {"engine", "input_tokens"} <= keys and "total_tokens" in keys:
            return "result_5"
        if {"engine", "process_results"} <= keys:
            return "result_3"
        return None

    def read(self, document: Document, sides: Sides) -> Sequence[Measurement]:
        result = Fields(document.data, document.path)
        draft = Draft(document.path)
        config = result.below("effective_config")
        engine = result.text("backend", limit=80) or result.text("engine", limit=80)
        draft.given("backend", engine)
        draft.given("backend_version", result.text("backend_version", limit=80))
        draft.given("backend_version", result.text("engine_version", limit=80))
        draft.given("config_hash", result.text("measurement_config_hash", limit=80))
        draft.given("tool_version", result.text("llenergymeasure_version", limit=80))
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        _read_configuration(draft, config, engine=engine)
        draft.given("model", result.text("model_name"))
        declared = read_declared_config(draft, Fields(sides.config, document.path, "config.json: "))
        _read_figures(draft, result)
        environment = sides.environment or result.object("environment_snapshot") or result.object("environment")
        read_environment(draft, Fields(environment, document.path, "environment: "), engine=engine)
        read_energy_method(draft, result, _sampler(config, declared))
        _note_more_tokens_than_asked(draft)
        stored = config.data or declared.data
        parsed = draft.finish(identity=identity_of(draft), config=stored, environment=environment)
        parsed.config_hash_matches = hash_matches(stored, parsed.values.config_hash)
        return [Measurement(parsed, self.detect(document.keys) or self.shapes[0], repeat_key_of(parsed.values))]


def _sampler(config: Fields, declared: Fields) -> Any:
    return config.raw("energy.backend") if config.data else declared.raw("measurement.energy_sampler")


def _read_configuration(draft: Draft, config: Fields, *, engine: str | None) -> None:
    """Read `effective_config` of schema 2.0; the later schemas have none."""
    draft.given("model", config.text("model"))
    read_engine_config(draft, config, engine=engine)
    draft.given("max_input_tokens", config.small("max_input_tokens"))
    draft.given("max_output_tokens", config.small("max_output_tokens"))
    draft.given("requests", config.small("n"))
    dataset = config.raw("dataset")
    draft.given("dataset", config.text("dataset.source") if isinstance(dataset, dict) else config.text("dataset"))


def _read_figures(draft: Draft, result: Fields) -> None:
    seconds = draft.times(result)
    draft.given("duration_s", result.measured("total_inference_time_sec"))
    draft.computed("duration_s", seconds, "From start to end; the file gives no inference time.")
    read_energy(draft, result)
    _read_tokens(draft, result)
    draft.given("total_throughput_tokens_per_s", result.measured("avg_tokens_per_second"))
    draft.given("flops_per_second", result.measured("flops_per_second"))
    read_gpu_count(draft, result)
    read_memory(draft, result)
    read_latencies(draft, result)
    draft.warnings += result.texts("measurement_warnings")
    notes = result.text("reproducibility_notes", limit=2000)
    if notes and not notes.startswith("Energy measured via"):
        draft.warnings.append(notes)


def _read_tokens(draft: Draft, result: Fields) -> None:
    """Read the token counts, or derive output tokens: schema 2.0 and 3.0 give only the sum of both."""
    total = result.tokens("total_tokens")
    if total is None:
        raise result.refuse("total_tokens", "is missing; it must be the number of input and output tokens")
    draft.total_tokens = total
    draft.given("output_tokens", result.tokens("output_tokens"))
    draft.given("input_tokens", result.count("input_tokens"))
    if "output_tokens" in draft.values:
        return
    _derive_tokens(draft, result, total)


def _derive_tokens(draft: Draft, result: Fields, total: int) -> None:
    output, note = _derived_output(draft, result)
    if output is None:
        draft.missing("output_tokens", note)
        return
    if output > total * ROUNDING:
        raise result.refuse("total_tokens", f"is {total}, but other fields give {output} output tokens")
    output = min(output, total)
    draft.computed("output_tokens", output, note)
    draft.computed("input_tokens", total - output, "All tokens less output tokens.")


def _derived_output(draft: Draft, result: Fields) -> tuple[int | None, str]:
    by_flops = ratio(result.measured("total_flops"), result.measured("flops_per_output_token"))
    if by_flops and round(by_flops):
        return round(by_flops), "total_flops divided by flops_per_output_token; the file gives only all tokens."
    by_energy = ratio(draft.number("total_energy_j"), result.measured("avg_energy_per_token_j"))
    if by_energy and round(by_energy):
        note = "Total energy divided by avg_energy_per_token_j, which counts output tokens; the file gives no count."
        return round(by_energy), note
    return None, "The file gives only the sum of input and output tokens, and nothing that tells them apart."


def _note_more_tokens_than_asked(draft: Draft) -> None:
    requests, limit = draft.values.get("requests"), draft.values.get("max_output_tokens")
    output = draft.values.get("output_tokens")
    if requests and limit and output and output > requests * limit:
        first = draft.notes.get("output_tokens", "")
        draft.notes["output_tokens"] = f"{first} That is more than {requests} requests of {limit} tokens allow.".strip()
