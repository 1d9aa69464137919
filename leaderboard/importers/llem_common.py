"""What the generations of the llem CLI have in common: latencies, memory, GPUs, versions, hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from leaderboard.importers.draft import Draft
from leaderboard.importers.engine_config import plain_dtype, read_engine_config
from leaderboard.importers.fields import Fields
from leaderboard.normal import NormalResult

TOOL = "llenergymeasure"
HASH_LENGTH = 16

_METHODS = {"nvml": "nvml_sampled", "zeus": "zeus", "codecarbon": "codecarbon"}
_FIXED_SENTENCE = "Energy measured via NVML polling"
_LATENCY_WORDS = {"mean": "mean", "median": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}
_PACKAGES = {"pytorch": "transformers", "transformers": "transformers", "vllm": "vllm", "tensorrt": "tensorrt_llm"}


def read_latencies(draft: Draft, result: Fields) -> None:
    """Read `latency_stats` (TTFT, ITL) and `extended_metrics` (TPOT, end to end), all in milliseconds."""
    stats = result.below("latency_stats")
    is_estimate = stats.data.get("measurement_mode") not in (None, "true_streaming")
    note = "The tool estimated it from the whole batch; it did not stream tokens." if is_estimate else None
    for metric in ("ttft", "itl"):
        for word, column in _LATENCY_WORDS.items():
            draft.given(f"{metric}_ms_{column}", stats.number(f"{metric}_{word}_ms"), note)
    extended = result.below("extended_metrics")
    draft.given("tpot_ms_mean", extended.measured("tpot_ms"), "The tool takes its mean inter-token latency for this.")
    requests = extended.below("request_latency")
    if requests.number("e2e_latency_samples") != 0:
        for word, column in _LATENCY_WORDS.items():
            draft.given(f"e2e_ms_{column}", requests.measured(f"e2e_latency_{word}_ms"))


def read_memory(draft: Draft, result: Fields) -> None:
    draft.given("peak_memory_mb", result.measured("extended_metrics.memory.peak_memory_mb"))
    draft.missing("peak_memory_mb", "The tool did not measure it (it writes 0 or null then).")


def read_energy(draft: Draft, result: Fields) -> None:
    """Read energy in the measured window. llem writes 0.0 when it could not measure: that is missing, not zero."""
    draft.given("total_energy_j", result.measured("total_energy_j"))
    if "total_energy_j" not in draft.values:
        draft.missing("total_energy_j", "The tool did not measure energy (it writes 0 then).")
        return
    draft.given("adjusted_energy_j", result.number("energy_adjusted_j", may_be_negative=True))
    draft.given("adjusted_energy_j", result.number("energy_breakdown.adjusted_j", may_be_negative=True))
    draft.given("idle_power_w", result.measured("baseline_power_w"))
    draft.given("idle_power_w", result.measured("energy_breakdown.baseline_power_w"))
    draft.given("energy_per_output_token_j", result.measured("avg_energy_per_token_j"))


def read_energy_method(draft: Draft, result: Fields, sampler: Any) -> None:
    """Set scope and method: the configured sampler where it is named, else what the result says."""
    if "total_energy_j" not in draft.values:
        return
    method = _METHODS.get(sampler) if isinstance(sampler, str) else None
    note = "The tool's sampler reads the GPUs only."
    if method == "codecarbon":
        draft.computed("energy_scope", "node", "CodeCarbon counts processor and memory of the machine too.")
    draft.computed("energy_scope", "gpu", note)
    draft.given("energy_method", method)
    if (result.text("reproducibility_notes", limit=2000) or "").startswith(_FIXED_SENTENCE):
        note = "The file says NVML polling, a sentence that the tool writes whatever its automatic choice was."
        draft.given("energy_method", "nvml_sampled", note)
    draft.computed("energy_method", "unknown", "The file does not say how energy was measured.")


def read_gpu_count(draft: Draft, result: Fields) -> None:
    draft.given("gpu_count", result.small("multi_gpu.num_gpus"))
    devices = len(result.items("energy_per_device_j"))
    draft.computed("gpu_count", devices or None, "The number of devices that energy is given for.")
    draft.missing("gpu_count", "The file does not say how many GPUs took part; please state it.")


def read_environment(draft: Draft, environment: Fields, *, engine: str | None) -> None:
    """Read an environment snapshot (schema 2.0), environment.json (5.0) or system.json (0.7.0)."""
    draft.given("hardware", environment.text("hardware.gpu.name"))
    draft.missing("hardware", "The file does not name the GPU; please state it.")
    draft.given("power_limit_w", environment.measured("hardware.thermal.power_limit_w"))
    draft.given("tool_version", environment.text("tool_version", limit=80))
    package = _PACKAGES.get(engine or "")
    version = package_version(environment.data.get("installed_packages"), package) if package else None
    draft.computed("backend_version", version, f"The version of {package} in the list of installed packages.")


def package_version(packages: Any, name: str) -> str | None:
    lines: Iterable[Any] = packages if isinstance(packages, list) else []
    found = (line.partition("==") for line in lines if isinstance(line, str))
    return next((version[:80] for package, _, version in found if package.lower().replace("-", "_") == name), None)


def read_declared_config(draft: Draft, side: Fields) -> Fields:
    """Read config.json (0.6.0 and 0.7.0) and return its declared configuration, empty where it has none."""
    engine = side.text("engine", limit=80)
    draft.given("backend", engine)
    draft.given("backend_version", side.text("engine_version", limit=80))
    draft.given("model", side.text("model_name"))
    declared = side.below("declared_config")
    task = declared.below("task")
    draft.given("model", task.text("model"))
    read_engine_config(draft, declared, engine=engine or declared.text("engine", limit=80))
    draft.given("precision", plain_dtype(_observed_dtype(side)), "The data type that the engine reported.")
    draft.given("max_input_tokens", task.small("max_input_tokens"))
    draft.given("max_output_tokens", task.small("max_output_tokens"))
    dataset = task.raw("dataset")
    if isinstance(dataset, dict):
        draft.given("dataset", task.text("dataset.source"))
        draft.given("requests", task.small("dataset.n_prompts"))
    return declared


def _observed_dtype(side: Fields) -> str | None:
    return side.text("observed_engine_params.dtype")


def hash_matches(config: dict[str, Any], stated: str | None) -> bool | None:
    """Is `stated` the first 16 hex digits of the SHA-256 of `config`? None where either is absent.

    Docker runs add runner_* keys after hashing, and 0.7.0 leaves the SLO bounds of server traffic out of the hash.
    """
    if not config or not stated:
        return None
    plain = {name: value for name, value in config.items() if not name.startswith("runner_")}
    return any(config_hash(candidate) == stated for candidate in (config, plain, _without_slo(plain)))


def config_hash(config: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:HASH_LENGTH]


def _without_slo(config: dict[str, Any]) -> dict[str, Any]:
    server = config.get("server")
    traffic = server.get("traffic") if isinstance(server, dict) else None
    if not isinstance(server, dict) or not isinstance(traffic, dict):
        return config
    kept = {name: value for name, value in traffic.items() if name != "slo"}
    return {**config, "server": {**server, "traffic": kept}}


def identity_of(draft: Draft) -> str:
    """Equal for files of one and the same measurement: configuration, start, energy and output tokens."""
    started = draft.values.get("started_at")
    parts = (
        draft.values.get("config_hash"),
        started.isoformat() if started else None,
        draft.values.get("total_energy_j"),
        draft.values.get("output_tokens"),
    )
    return "|".join("" if part is None else str(part) for part in parts)


def repeat_key_of(values: NormalResult) -> tuple[str, ...] | None:
    """Cycles of one configuration on the same GPUs with the same tool version are repeats of each other."""
    if not values.config_hash:
        return None
    names = ("config_hash", "hardware", "gpu_count", "tool_version")
    return tuple(str(getattr(values, name)) for name in names)
