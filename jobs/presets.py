"""Orders to begin with: ready ones by name, and those that a job or a result was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from jobs.config import PRECISIONS, SWEEPABLE, LlemOrder, errors_of
from jobs.models import Job
from jobs.queries.estimates import BACKENDS
from leaderboard.models import Result


@dataclass(frozen=True, slots=True)
class Preset:
    """What a name stands for; the model is chosen beside it."""

    name: str
    title: str
    words: str
    fields: Mapping[str, Any]


PRESETS = (
    Preset(
        "quick",
        "Quick look",
        "One configuration, one cycle: a few minutes.",
        {"n_prompts": 20, "max_output_tokens": 64, "n_cycles": 1, "batch_sizes": [8]},
    ),
    Preset(
        "energy",
        "Energy per token",
        "Four batch sizes, three cycles: the curve that people compare, with intervals.",
        {"batch_sizes": [1, 8, 32, 64], "n_cycles": 3},
    ),
    Preset(
        "precision",
        "Precision",
        "The same work in bf16 and 8 bit, at two batch sizes.",
        {"batch_sizes": [1, 16], "sweep": {"precision": ["bf16", "int8"]}, "engine": "transformers"},
    ),
    Preset(
        "serving",
        "Many at once",
        "vLLM with 16 to 256 sequences at a time.",
        {"engine": "vllm", "batch_sizes": [16, 64, 256], "n_prompts": 512},
    ),
    Preset(
        "long",
        "Long answers",
        "1,024 tokens each, where reading the weights is what counts.",
        {"max_output_tokens": 1024, "n_prompts": 50, "batch_sizes": [1, 8]},
    ),
)
BY_NAME = {preset.name: preset for preset in PRESETS}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a form begins with, and what of its source could not be taken over."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def of_job(job: Job) -> Beginning:
    return Beginning({**job.config, "simulate": job.is_simulated})


def of_result(result: Result) -> Beginning:
    """As much of a result's configuration as can be ordered; the notes say what cannot."""
    wanted = {name: value for name, value in _columns(result).items() if value not in (None, "")}
    notes = [] if "engine" in wanted else [f"{result.backend_name or 'Its engine'} is no engine of llem: choose one."]
    notes += [
        f"{name.replace('.', ' ').replace('_', ' ')} was left out: {words}."
        for name, words in drop_wrong(wanted).items()
        if name != "model"
    ]
    notes += [f"{path} cannot be ordered and was left out." for path in foreign_settings(result)]
    return Beginning(wanted, tuple(notes))


def of_cell(asked: Mapping[str, str]) -> dict[str, Any]:
    """The settings of an empty cell of a chart, as its address has them; what cannot be ordered is left out."""
    batch_size = _count(asked.get("batch_size", ""))
    wanted = {
        "engine": next((name for name, slug in BACKENDS.items() if slug == asked.get("backend")), None),
        "precision": asked.get("precision", "")[:20],
        "gpu_count": _count(asked.get("gpu_count", "")),
        "batch_sizes": batch_size and [batch_size],
    }
    fields: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    drop_wrong(fields)
    return fields


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def drop_wrong(fields: dict[str, Any]) -> dict[str, str]:
    """Take out of `fields` what an order would refuse; returns what went, and why."""
    dropped: dict[str, str] = {}
    for _ in range(len(fields)):
        try:
            LlemOrder.model_validate({"model": "org/name", **fields})
        except ValidationError as error:
            wrong = {name: words for name, words in errors_of(error).items() if name.partition(".")[0] in fields}
            if not wrong:
                break
            for name, words in wrong.items():
                fields.pop(name.partition(".")[0], None)
                dropped[name] = words
        else:
            break
    return dropped


def _columns(result: Result) -> dict[str, Any]:
    engine = next((name for name, slug in BACKENDS.items() if result.backend and result.backend.slug == slug), None)
    precision = result.precision if engine is None or result.precision in PRECISIONS[engine] else None  # type: ignore[index]  # engine is one of its keys
    task = _section(result.config, "task")
    columns = {
        "model": result.model.name if result.model else result.model_name,
        "engine": engine,
        "precision": precision,
        "batch_sizes": [result.batch_size] if result.batch_size else None,
        "n_prompts": result.requests or _section(task, "dataset").get("n_prompts"),
        "max_input_tokens": result.max_input_tokens,
        "max_output_tokens": result.max_output_tokens,
        "seed": task.get("random_seed"),
        "gpu_count": result.gpu_count,
        "hardware": result.hardware.slug if result.hardware else None,
        "n_cycles": result.runs,
    }
    return columns | _options(result, engine) if engine else columns


def _options(result: Result, engine: str) -> dict[str, Any]:
    """Settings of the engine that the result's llem configuration names and that can be ordered."""
    options = LlemOrder.model_fields[engine].annotation
    given = _settings(result, engine)
    chosen = {name: given[name] for name in options.model_fields if name in given}  # type: ignore[union-attr]  # the field of an engine is a model
    found: dict[str, Any] = {engine: chosen} if chosen else {}
    found |= {name: float(given[name]) for name in ("temperature", "top_p", "repetition_penalty") if name in given}
    if "top_k" in given:
        found["top_k"] = given["top_k"]
    return {**found, "sampling": result.config.get("sampling_preset")} if given or found else found


def _settings(result: Result, engine: str) -> dict[str, Any]:
    section = _section(result.config, engine)
    layers = [_section(section, name) for name in ("engine_params", "llem_execution", "sampling_params")]
    return {name: value for layer in layers for name, value in layer.items() if value is not None}


#: settings that the order's own fields stand for, or that say what holds anyway
_TOLD_OTHERWISE = frozenset(
    {
        "dtype", "load_in_8bit", "load_in_4bit", "bnb_4bit_compute_dtype", "quantization", "quant_config", "batch_size",
        "max_num_seqs", "max_batch_size", "tensor_parallel_size", "device_map", "temperature", "top_p", "top_k",
        "repetition_penalty", *SWEEPABLE,
    }
)  # fmt: skip


def foreign_settings(result: Result) -> list[str]:
    """Settings of a result's llem configuration that cannot be ordered here."""
    engine = next((name for name, slug in BACKENDS.items() if result.backend and result.backend.slug == slug), None)
    if engine is None:
        return []
    known = set(LlemOrder.model_fields[engine].annotation.model_fields) | _TOLD_OTHERWISE  # type: ignore[union-attr]  # the field of an engine is a model
    found = [f"{engine}.{name}" for name in _settings(result, engine) if name not in known]
    return found + (["passthrough_kwargs"] if result.config.get("passthrough_kwargs") else [])


def _section(tree: Any, name: str) -> dict[str, Any]:
    found = tree.get(name) if isinstance(tree, dict) else None
    return found if isinstance(found, dict) else {}
