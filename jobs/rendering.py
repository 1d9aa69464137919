"""An order as the configuration that `llem run` reads. Everything in it is written here; nothing is handed on."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from jobs.config import LlemOrder

_BATCH = {
    "transformers": "transformers.llem_execution.batch_size",
    "vllm": "vllm.engine_params.max_num_seqs",
    "tensorrt": "tensorrt.engine_params.max_batch_size",
}
_SWEPT = {
    "n_prompts": "task.dataset.n_prompts",
    "max_input_tokens": "task.max_input_tokens",
    "max_output_tokens": "task.max_output_tokens",
}
_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
#: options of ours that llem keeps elsewhere than among the parameters of the engine
_SECTION_OF = {
    "torch_compile": "llem_execution",
    "torch_compile_mode": "llem_execution",
    "allow_tf32": "llem_execution",
    "ignore_eos": "sampling_params",
}
_SAMPLING = ("temperature", "top_p", "top_k", "repetition_penalty")

_ENGINE_PATHS = {
    "transformers": {
        "engine_params": (
            "dtype", "load_in_4bit", "load_in_8bit", "bnb_4bit_compute_dtype", "bnb_4bit_quant_type",
            "bnb_4bit_use_double_quant", "attn_implementation", "use_cache", "cache_implementation", "num_beams",
            "prompt_lookup_num_tokens", "device_map",
        ),
        "llem_execution": ("batch_size", "torch_compile", "torch_compile_mode", "allow_tf32"),
        "sampling_params": ("temperature", "top_p", "top_k", "repetition_penalty"),
    },
    "vllm": {
        "engine_params": (
            "dtype", "quantization", "max_num_seqs", "tensor_parallel_size", "pipeline_parallel_size",
            "gpu_memory_utilization", "max_model_len", "max_num_batched_tokens", "block_size", "kv_cache_dtype",
            "enforce_eager", "enable_chunked_prefill", "enable_prefix_caching",
        ),
        "sampling_params": ("temperature", "top_p", "top_k", "repetition_penalty", "ignore_eos"),
    },
    "tensorrt": {
        "engine_params": (
            "dtype", "quant_config", "max_batch_size", "tensor_parallel_size", "backend", "max_input_len",
            "max_seq_len", "max_num_tokens", "fast_build",
        ),
        "sampling_params": ("temperature", "top_p", "top_k", "repetition_penalty", "ignore_eos"),
    },
}  # fmt: skip
#: every place of llem's configuration that can be written here
PATHS = frozenset(
    {
        "task.model", "task.dataset.source", "task.dataset.n_prompts", "task.dataset.order", "task.max_input_tokens",
        "task.max_output_tokens", "task.random_seed", "engine", "serving_mode", "sampling_preset",
        "measurement.energy_sampler", "measurement.latency_profiling", "measurement.baseline.duration_seconds",
        "measurement.baseline.strategy", "offline.warmup.n_prompts", "offline.warmup.thermal_floor_seconds",
        "study_name", "study_execution.n_cycles", "study_execution.experiment_order",
        "study_execution.experiment_timeout_seconds",
        *(
            f"{engine}.{section}.{name}"
            for engine, sections in _ENGINE_PATHS.items()
            for section, names in sections.items()
            for name in names
        ),
    }
)  # fmt: skip


def render(order: LlemOrder, *, seed: int, wall_s: int) -> str:
    """The YAML that the host is given. `seed` is the order's own, or one that the site drew."""
    return yaml.safe_dump(document(order, seed=seed, wall_s=wall_s), sort_keys=False, allow_unicode=True)


def sha256_of(rendered: str) -> str:
    return hashlib.sha256(rendered.encode()).hexdigest()


def document(order: LlemOrder, *, seed: int, wall_s: int) -> dict[str, Any]:
    """The study. One configuration is a sweep over one batch size: llem knows names and cycles of studies alone."""
    execution = {
        "n_cycles": order.n_cycles,
        "experiment_order": order.cycle_order,
        "experiment_timeout_seconds": float(wall_s),
    }
    common = _common(order, seed=seed, section=_engine_section(order))
    return {"study_name": _study_name(order), **common, "sweep": _sweep(order), "study_execution": execution}


def experiment(order: LlemOrder, *, seed: int) -> dict[str, Any]:
    """The one experiment of an order that sweeps over nothing, for llem's own rules."""
    section = _engine_section(order)
    _, part, name = _BATCH[order.engine].split(".")
    section[part] = section.get(part, {}) | {name: order.batch_sizes[0]}
    return _common(order, seed=seed, section=section)


def _common(order: LlemOrder, *, seed: int, section: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "task": {
            "model": order.model,
            "dataset": {"source": order.dataset, "n_prompts": order.n_prompts, "order": order.prompt_order},
            "max_input_tokens": order.max_input_tokens,
            "max_output_tokens": order.max_output_tokens,
            "random_seed": seed,
        },
        "engine": order.engine,
        "serving_mode": "offline",
        "measurement": {
            "energy_sampler": "auto",
            "latency_profiling": order.latency,
            "baseline": {"duration_seconds": float(order.baseline_s), "strategy": "fresh"},
        },
        "offline": {
            "warmup": {"n_prompts": order.warmup_prompts, "thermal_floor_seconds": float(order.settle_s)},
        },
    }
    if order.sampling:
        found["sampling_preset"] = order.sampling
    if section:
        found[order.engine] = section
    return found


def _engine_section(order: LlemOrder) -> dict[str, Any]:
    options = getattr(order, order.engine).model_dump(exclude_none=True)
    sections: dict[str, dict[str, Any]] = {"engine_params": {}, "llem_execution": {}, "sampling_params": {}}
    for name, value in options.items():
        sections[_SECTION_OF.get(name, "engine_params")][name] = value
    sections["sampling_params"] |= {name: value for name in _SAMPLING if (value := getattr(order, name)) is not None}
    sections["engine_params"] |= _parallel(order)
    if not order.sweep.precision:
        sections["engine_params"] |= _precision(order, order.precision)
    return {section: values for section, values in sections.items() if values}


def _parallel(order: LlemOrder) -> dict[str, Any]:
    """How the GPUs share the model; Transformers spreads its layers over those that it sees."""
    if order.engine == "transformers":
        return {"device_map": "auto"} if order.gpu_count > 1 else {}
    stages = order.vllm.pipeline_parallel_size or 1
    return {"tensor_parallel_size": order.gpu_count // stages} if order.gpu_count > 1 else {}


def _precision(order: LlemOrder, precision: str) -> dict[str, Any]:
    """Parameters of the engine that give the weights this precision."""
    if precision in _DTYPES:
        return {"dtype": _DTYPES[precision]}
    if precision == "int8":
        return {"dtype": "bfloat16", "load_in_8bit": True}
    if precision == "int4":
        return {"dtype": "bfloat16", "load_in_4bit": True, "bnb_4bit_compute_dtype": "bfloat16"}
    if order.engine == "vllm":
        return {"dtype": "bfloat16", "quantization": "fp8"}
    return {"dtype": "bfloat16", "backend": "trt", "quant_config": {"quant_algo": "FP8"}}


def _sweep(order: LlemOrder) -> dict[str, Any]:
    swept: dict[str, Any] = {_BATCH[order.engine]: list(order.batch_sizes)}
    for name, values in order.axes().items():
        if name == "precision":
            # Several parameters go together, so that they are one axis: llem calls it a group.
            prefix = f"{order.engine}.engine_params"
            swept[f"{order.engine}.precision"] = [
                {f"{prefix}.{key}": value for key, value in _precision(order, precision).items()}
                for precision in values
            ]
        elif name in _SWEPT:
            swept[_SWEPT[name]] = list(values)
    return swept


def _study_name(order: LlemOrder) -> str:
    name = order.model.rpartition("/")[2]
    return f"{name}-{order.engine}"[:60]
