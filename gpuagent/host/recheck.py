"""A job's configuration once more, by a list of the host's own: a site that was taken over reaches nothing more.

Every place of llem's configuration that may be set stands here with what it may hold. What is not here is refused, so
there is no way to code from a model, to arguments handed on, images, runners, paths or the environment.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from gpuagent.host.schema import Offer
from gpuagent.race.config import BadRaceConfig, parse_config

MAX_DEPTH = 8
MAX_VALUES = 64

Rule = Callable[[Any], bool]


class ConfigRefused(Exception):
    """The text names the field."""


def _text(pattern: str) -> Rule:
    known = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and known.fullmatch(value) is not None


def _number(least: float, most: float) -> Rule:
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and least <= value <= most
    )


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_model(value: Any) -> bool:
    """A repository of Hugging Face, and never a path."""
    return _REPOSITORY(value) and ".." not in value and "--" not in value


def _is_quantisation(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"quant_algo"} and _word(value["quant_algo"])


_REPOSITORY = _text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
#: a choice of llem's or of the engine's: no dots, no slashes, so no path and no import
_word = _text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_count, _tokens, _few = _number(1, 1_000_000), _number(1, 1_000_000), _number(1, 64)

_SAMPLING: dict[str, Rule] = {
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "top_k": _number(0, 1_000),
    "repetition_penalty": _number(0.5, 2),
}

_ENGINES: dict[str, dict[str, dict[str, Rule]]] = {
    "transformers": {
        "engine_params": {
            "dtype": _word,
            "load_in_4bit": _is_flag,
            "load_in_8bit": _is_flag,
            "bnb_4bit_compute_dtype": _word,
            "bnb_4bit_quant_type": _word,
            "bnb_4bit_use_double_quant": _is_flag,
            "attn_implementation": _text(r"eager|sdpa|flash_attention_2"),
            "use_cache": _is_flag,
            "cache_implementation": _text(r"dynamic|static"),
            "num_beams": _few,
            "prompt_lookup_num_tokens": _few,
            "device_map": _text(r"auto"),
        },
        "llem_execution": {
            "batch_size": _number(1, 4096),
            "torch_compile": _is_flag,
            "torch_compile_mode": _text(r"default|reduce-overhead|max-autotune"),
            "allow_tf32": _is_flag,
        },
        "sampling_params": _SAMPLING,
    },
    "vllm": {
        "engine_params": {
            "dtype": _word,
            "quantization": _text(r"fp8|awq|gptq|bitsandbytes"),
            "max_num_seqs": _number(1, 4096),
            "tensor_parallel_size": _few,
            "pipeline_parallel_size": _few,
            "gpu_memory_utilization": _number(0.05, 1),
            "max_model_len": _tokens,
            "max_num_batched_tokens": _tokens,
            "block_size": _number(1, 256),
            "kv_cache_dtype": _text(r"auto|fp8|fp8_e4m3|fp8_e5m2"),
            "enforce_eager": _is_flag,
            "enable_chunked_prefill": _is_flag,
            "enable_prefix_caching": _is_flag,
        },
        "sampling_params": {**_SAMPLING, "ignore_eos": _is_flag},
    },
    "tensorrt": {
        "engine_params": {
            "dtype": _word,
            "quant_config": _is_quantisation,
            "max_batch_size": _number(1, 4096),
            "tensor_parallel_size": _few,
            "backend": _text(r"pytorch|trt"),
            "max_input_len": _tokens,
            "max_seq_len": _tokens,
            "max_num_tokens": _tokens,
            "fast_build": _is_flag,
        },
        "sampling_params": {**_SAMPLING, "ignore_eos": _is_flag},
    },
}

RULES: dict[str, Rule] = {
    "study_name": _text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"),
    "task.model": _is_model,
    # Built into llem; a file has a dot or a slash in its name.
    "task.dataset.source": _text(r"[a-z0-9][a-z0-9_-]{0,39}"),
    "task.dataset.n_prompts": _count,
    "task.dataset.order": _word,
    "task.max_input_tokens": _tokens,
    "task.max_output_tokens": _tokens,
    "task.random_seed": _number(0, 2**32),
    "engine": _text("|".join(_ENGINES)),
    "serving_mode": _text(r"offline"),
    "sampling_preset": _word,
    "measurement.energy_sampler": _text(r"auto|nvml|zeus"),
    "measurement.latency_profiling": _is_flag,
    "measurement.baseline.duration_seconds": _number(0, 3600),
    "measurement.baseline.strategy": _word,
    "offline.warmup.n_prompts": _number(0, 10_000),
    "offline.warmup.thermal_floor_seconds": _number(0, 3600),
    "study_execution.n_cycles": _number(1, 100),
    "study_execution.experiment_order": _word,
    "study_execution.experiment_timeout_seconds": _number(1, 24 * 3600),
    **{
        f"{engine}.{section}.{name}": rule
        for engine, sections in _ENGINES.items()
        for section, names in sections.items()
        for name, rule in names.items()
    },
}


def check(offer: Offer) -> None:
    """Raises ConfigRefused."""
    if hashlib.sha256(offer.config.encode()).hexdigest() != offer.config_sha256:
        raise ConfigRefused("The configuration is not the one that its hash is of.")
    if offer.executor == "race":
        try:
            is_simulated = parse_config(offer.config).simulate
        except BadRaceConfig as error:
            raise ConfigRefused(str(error)) from None
        if is_simulated != offer.simulated:
            raise ConfigRefused("simulate: the configuration says another thing than the offer.")
    else:
        check_llem(parse(offer.config), model=offer.model.id if offer.model else None)


def parse(text: str) -> Any:
    """Plain YAML, without aliases, tags and what else could grow or be made into an object. Raises ConfigRefused."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            # As it comes: reading thousands of levels to their end takes half a minute.
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise ConfigRefused("The configuration is nested too deep.")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise ConfigRefused("The configuration holds a YAML alias.")
            if getattr(event, "tag", None):
                raise ConfigRefused("The configuration holds a YAML tag.")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigRefused("The configuration is not YAML.") from None


def check_llem(value: Any, *, model: str | None = None) -> None:
    """Raises ConfigRefused at the first place that is not known, or holds what it may not."""
    if not isinstance(value, dict):
        raise ConfigRefused("The configuration is not an object.")
    for place, found in _leaves({name: part for name, part in value.items() if name != "sweep"}, ""):
        _check_place(place, found)
    _check_sweep(value.get("sweep", {}))
    if model is not None and _place(value, "task", "model") != model:
        raise ConfigRefused(f"task.model: the offer speaks of {model}.")


def _leaves(value: dict[Any, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        place = f"{above}{name}"
        # An object that has a rule is looked at as a whole.
        if isinstance(part, dict) and part and place not in RULES:
            yield from _leaves(part, f"{place}.")
        else:
            yield place, part


def _check_place(place: str, found: Any) -> None:
    rule = RULES.get(place)
    if rule is None:
        raise ConfigRefused(f"{place[:200]}: this host does not know that setting.")
    if not rule(found):
        raise ConfigRefused(f"{place}: this host does not allow {str(found)[:100]!r}.")


def _check_sweep(sweep: Any) -> None:
    """Each place is one that could be set by itself; a group sets several of them together."""
    if not isinstance(sweep, dict):
        raise ConfigRefused("sweep: not an object.")
    for place, values in sweep.items():
        if not isinstance(values, list) or len(values) > MAX_VALUES:
            raise ConfigRefused(f"sweep.{str(place)[:200]}: not a list of at most {MAX_VALUES} values.")
        for value in values:
            if isinstance(value, dict) and place not in RULES:
                _check_group(place, value)
            else:
                _check_place(str(place), value)


def _check_group(place: str, group: dict[Any, Any]) -> None:
    if not _text(r"[a-z0-9_]{1,40}(\.[a-z0-9_]{1,40})?")(place):
        raise ConfigRefused(f"sweep.{str(place)[:200]}: not the name of a group.")
    for inner, value in group.items():
        _check_place(str(inner), value)


def _place(value: dict[Any, Any], *names: str) -> Any:
    found: Any = value
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
