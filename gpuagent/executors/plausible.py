"""Figures that a run on a simulated A100 could have had: a roofline with the usual losses, and a wobble by seed."""

from __future__ import annotations

import copy
import itertools
import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: the board that gpuagent.gpu.fake simulates
GPU_NAME = "NVIDIA A100-SXM4-80GB"
GPU_MEMORY_MIB = 81920
POWER_LIMIT_W = 400.0
IDLE_W = 62.0
_BYTES_PER_S = 2.039e12
_FLOPS_PER_S = 312e12

#: shares of the board's bandwidth and arithmetic that an engine reaches, its least time per step, memory it takes
_ENGINES = {
    "transformers": (0.38, 0.22, 0.012, None),
    "vllm": (0.70, 0.45, 0.004, 0.90),
    "tensorrt": (0.74, 0.52, 0.003, 0.85),
}
#: bytes per weight; "float16" is a part of "bfloat16", so it comes later
_WIDTHS = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "fp8": 1.0, "int8": 1.0, "awq": 0.56, "gptq": 0.56}
_KNOWN_B = {"gpt2": 0.124, "gpt2-medium": 0.355, "gpt2-large": 0.774, "gpt2-xl": 1.5, "distilgpt2": 0.082}
_DEFAULT_B = 7.0
_DEFAULT_SEQUENCES = 256
_DEFAULT_TASK = {"max_input_tokens": 256, "max_output_tokens": 256, "random_seed": 42}
_DEFAULT_DATASET = {"source": "aienergyscore", "n_prompts": 100, "order": "interleaved"}
_NOT_OF_A_RUN = {"sweep", "study_execution", "study_name", "output", "runners", "images", "experiments", "base"}


class BadStudy(Exception):
    """The configuration is none that llem would run."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run comes to. Power is that of one GPU."""

    batch_size: int
    requests: int
    input_tokens: int
    output_tokens: int
    window_s: float
    power_w: float
    util: int
    weights_mib: float
    peak_mib: float
    ttft_ms: float
    itl_ms: float
    flops_per_token: float

    @property
    def fits(self) -> bool:
        return self.peak_mib <= GPU_MEMORY_MIB


def study_of(document: Any) -> tuple[list[dict[str, Any]], int]:
    """Expand an llem configuration as llem does: (one configuration per cell of the sweep, cycles)."""
    if not isinstance(document, dict) or not isinstance(document.get("task"), dict):
        raise BadStudy("The configuration has no task.")
    if not isinstance(document["task"].get("model"), str):
        raise BadStudy("The task names no model.")
    fixed = {name: value for name, value in document.items() if name not in _NOT_OF_A_RUN}
    cells = [_completed(cell) for cell in _cells(fixed, document.get("sweep") or {})]
    execution = document.get("study_execution")
    cycles = execution.get("n_cycles", 1) if isinstance(execution, dict) else 1
    return cells, max(1, int(cycles))


def _cells(fixed: dict[str, Any], sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    axes = [
        [(path, value) for value in (values if isinstance(values, list) else [values])]
        for path, values in sweep.items()
    ]
    for choice in itertools.product(*axes):
        cell = copy.deepcopy(fixed)
        for path, value in choice:
            _put(cell, path, value)
        yield cell


def _put(cell: dict[str, Any], path: str, value: Any) -> None:
    # A group of an axis is a set of paths of its own.
    if isinstance(value, dict):
        for inner, one in value.items():
            _put(cell, inner, one)
        return
    *above, name = path.split(".")
    place = cell
    for step in above:
        place = place.setdefault(step, {})
    place[name] = value


def _completed(cell: dict[str, Any]) -> dict[str, Any]:
    task = {**_DEFAULT_TASK, **cell["task"]}
    dataset = task.get("dataset")
    task["dataset"] = {**_DEFAULT_DATASET, **(dataset if isinstance(dataset, dict) else {})}
    engine = cell.get("engine", "transformers")
    if engine not in _ENGINES:
        raise BadStudy(f"There is no engine {str(engine)[:40]!r}.")
    return {"serving_mode": "offline", **cell, "engine": engine, "task": task}


def parameters_b(model: str) -> float:
    """Return the parameters in 10^9 as the model's name tells them."""
    name = model.rpartition("/")[2].lower()
    if name in _KNOWN_B:
        return _KNOWN_B[name]
    found = re.findall(r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z])", name)
    if not found:
        return _DEFAULT_B
    times, size, unit = found[0]
    return float(times or 1) * float(size) / (1000 if unit == "m" else 1)


def precision_of(cell: Mapping[str, Any]) -> str:
    """Return the data type of the weights, or the method that quantised them."""
    settings = _settings(cell)
    if settings.get("load_in_4bit"):
        return "awq"
    if settings.get("load_in_8bit"):
        return "int8"
    for name in (settings.get("quantization"), settings.get("quant_algo"), settings.get("dtype")):
        if isinstance(name, str) and (known := next((width for width in _WIDTHS if width in name.lower()), None)):
            return known
    return "bfloat16"


def _settings(cell: Mapping[str, Any]) -> dict[str, Any]:
    section = cell.get(cell["engine"])
    layers = (section.get("engine_params"), section.get("llem_execution")) if isinstance(section, dict) else ()
    return {name: value for layer in layers if isinstance(layer, dict) for name, value in layer.items()}


def batch_size_of(cell: Mapping[str, Any]) -> int:
    names = {"vllm": "max_num_seqs", "tensorrt": "max_batch_size"}
    default = _DEFAULT_SEQUENCES if cell["engine"] == "vllm" else 1
    return max(1, int(_settings(cell).get(names.get(cell["engine"], "batch_size")) or default))


def figures(cell: Mapping[str, Any], *, gpus: int, cycle: int, longest_s: float) -> Figures:
    """Work out one run. A window that would last longer than `longest_s` ends early, with fewer tokens."""
    task = cell["task"]
    wobble = random.Random(f"{task['model']}|{cell['engine']}|{task['random_seed']}|{cycle}")  # noqa: S311 - made-up figures, no secret
    bandwidth_share, flops_share, least_step_s, share_taken = _ENGINES[cell["engine"]]
    weights = parameters_b(task["model"]) * 1e9 * _WIDTHS[precision_of(cell)]
    requests, per_answer = int(task["dataset"]["n_prompts"]), int(task["max_output_tokens"])
    batch = min(batch_size_of(cell), requests)
    flops_per_token = 2 * parameters_b(task["model"]) * 1e9
    reading_s = weights / gpus / (_BYTES_PER_S * bandwidth_share)
    computing_s = batch * flops_per_token / gpus / (_FLOPS_PER_S * flops_share)
    step_s = (max(reading_s, computing_s) + least_step_s) * (1 + 0.01 * wobble.uniform(-1, 1))
    prompt_tokens = max(1, round(int(task["max_input_tokens"]) * 0.7))
    prefill_s = batch * prompt_tokens * flops_per_token / gpus / (_FLOPS_PER_S * flops_share) + least_step_s
    batches = math.ceil(requests / batch)
    whole_s = batches * (prefill_s + per_answer * step_s)
    share = min(1.0, longest_s / whole_s)
    busy = 0.2 + 0.8 * (reading_s + computing_s) / (reading_s + computing_s + least_step_s)
    peak = (weights / gpus + batch * (prompt_tokens + per_answer) * 0.05 * 2**20) / 2**20 * 1.08
    if share_taken and peak < GPU_MEMORY_MIB * share_taken:
        peak = GPU_MEMORY_MIB * share_taken
    return Figures(
        batch_size=batch,
        requests=requests,
        input_tokens=max(1, round(requests * prompt_tokens * share)),
        output_tokens=max(1, round(requests * per_answer * share)),
        window_s=whole_s * share,
        power_w=(IDLE_W + (POWER_LIMIT_W * 0.93 - IDLE_W) * busy) * (1 + 0.01 * wobble.uniform(-1, 1)),
        util=max(1, round(100 * busy)),
        weights_mib=weights / gpus / 2**20,
        peak_mib=peak,
        ttft_ms=(prefill_s + step_s) * 1000,
        itl_ms=step_s * 1000,
        flops_per_token=flops_per_token,
    )
