"""Every field of llem's configuration is decided on: it can be ordered, or the reason why not stands here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from llenergymeasure.config.models import StudyConfig
from pydantic import BaseModel, ValidationError

from jobs.config import LlemOrder
from jobs.rendering import PATHS, render

CODE = "runs or loads code that a stranger names"
PATH = "a path or an address"
PLACE = "where it runs is the host's business"
TOOL = "kept at the tool's own value, so that results compare"
SERVER = "online serving cannot be ordered"
DONE = "the tool fills it in by itself"

#: place in llem's configuration, or everything under it with a dot at the end -> why it cannot be ordered
REFUSED = {
    "passthrough_kwargs": CODE,
    "measurement.baseline.enabled": TOOL,
    "measurement.baseline.cache_ttl_seconds": TOOL,
    "measurement.baseline.validation_interval": TOOL,
    "measurement.baseline.drift_threshold": TOOL,
    "measurement.measurement_methodology": TOOL,
    "measurement.measurement_window": TOOL,
    "measurement.warmup_discard_fraction": TOOL,
    "measurement.warmup_discard_seconds": TOOL,
    "measurement.steady_state_auto_detect": TOOL,
    "offline.warmup.enabled": TOOL,
    "offline.warmup.convergence_detection": TOOL,
    "offline.warmup.cv_threshold": TOOL,
    "offline.warmup.max_prompts": TOOL,
    "offline.warmup.window_size": TOOL,
    "offline.warmup.min_prompts": TOOL,
    "server.": SERVER,
    "output.": PATH,
    "runners": PLACE,
    "images": CODE,
    "study_design_hash": DONE,
    "skipped_configs": DONE,
    "dedup_mode": DONE,
    "pre_run_equivalence_groups": DONE,
    "declared_resolved_config_hashes": DONE,
    "dormant_observations": DONE,
    "study_execution.experiment_gap_seconds": TOOL,
    "study_execution.cycle_gap_seconds": TOOL,
    "study_execution.shuffle_seed": TOOL,
    "study_execution.skip_preflight": TOOL,
    "study_execution.max_consecutive_failures": TOOL,
    "study_execution.circuit_breaker_cooldown_seconds": TOOL,
    "study_execution.wall_clock_timeout_hours": "the job has a limit of its own",
    "study_execution.stdout_silence_timeout_seconds": "the host has a limit of its own",
    "study_execution.deduplicate_equivalent": TOOL,
    "study_execution.gpu_indices": PLACE,
    "transformers.engine_params.early_stopping": TOOL,
    "transformers.engine_params.length_penalty": TOOL,
    "transformers.engine_params.no_repeat_ngram_size": TOOL,
    "transformers.engine_params.max_memory": PLACE,
    "transformers.engine_params.low_cpu_mem_usage": TOOL,
    "transformers.engine_params.tp_plan": PLACE,
    "transformers.engine_params.tp_size": PLACE,
    "transformers.sampling_params.do_sample": TOOL,
    "transformers.sampling_params.min_p": TOOL,
    "transformers.sampling_params.min_new_tokens": TOOL,
    "transformers.llem_execution.torch_compile_backend": CODE,
    "transformers.llem_execution.autocast_enabled": TOOL,
    "transformers.llem_execution.autocast_dtype": TOOL,
    "vllm.engine_params.cpu_offload_gb": TOOL,
    "vllm.engine_params.distributed_executor_backend": CODE,
    "vllm.engine_params.speculative_config.": CODE,
    "vllm.engine_params.offload_group_size": TOOL,
    "vllm.engine_params.offload_num_in_group": TOOL,
    "vllm.engine_params.offload_prefetch_step": TOOL,
    "vllm.engine_params.offload_params": TOOL,
    "vllm.engine_params.disable_custom_all_reduce": TOOL,
    "vllm.engine_params.kv_cache_memory_bytes": TOOL,
    "vllm.engine_params.compilation_config.": CODE,
    "vllm.engine_params.attention": TOOL,
    "vllm.engine_params.beam_search": TOOL,
    "vllm.sampling_params.min_p": TOOL,
    "vllm.sampling_params.min_tokens": TOOL,
    "vllm.sampling_params.presence_penalty": TOOL,
    "vllm.sampling_params.frequency_penalty": TOOL,
    "vllm.sampling_params.n": TOOL,
    "tensorrt.engine_params.pipeline_parallel_size": TOOL,
    "tensorrt.engine_params.kv_cache_config": TOOL,
    "tensorrt.engine_params.scheduler_config": TOOL,
    "tensorrt.sampling_params.min_p": TOOL,
    "tensorrt.sampling_params.min_tokens": TOOL,
    "tensorrt.sampling_params.n": TOOL,
}
#: what opens the host to whoever orders, by any name under which it could be asked for
HOSTILE: tuple[dict[str, Any], ...] = (
    {"trust_remote_code": True},
    {"passthrough_kwargs": {"trust_remote_code": True}},
    {"transformers": {"trust_remote_code": True}},
    {"transformers": {"weights_only": False}},
    {"transformers": {"engine_params": {"trust_remote_code": True}}},
    {"transformers": {"torch_compile_backend": "evil"}},
    {"engine": "vllm", "vllm": {"worker_cls": "evil.Worker"}},
    {"engine": "vllm", "vllm": {"hf_overrides": {"auto_map": {}}}},
    {"engine": "vllm", "vllm": {"download_dir": "/etc"}},
    {"engine": "vllm", "vllm": {"load_format": "pt"}},
    {"engine": "vllm", "vllm": {"tokenizer": "/etc/passwd"}},
    {"engine": "vllm", "vllm": {"speculative_config": {"model": "evil/model"}}},
    {"engine": "tensorrt", "tensorrt": {"engine_path": "/tmp/engine"}},
    {"images": {"vllm": "evil:latest"}},
    {"runners": {"vllm": "container:evil"}},
    {"output": {"results_dir": "/etc"}},
    {"env": {"LD_PRELOAD": "/tmp/x.so"}},
    {"lora": {"adapter_path": "/tmp"}},
    {"dataset": "/etc/passwd.jsonl"},
    {"model": "/etc/passwd"},
    {"model": "../../etc/passwd"},
    {"model": "org/../secret"},
    {"model": "./model"},
    {"model": "org/name\n"},
    {"model": "org/na--me"},
    {"label": "a b; rm"},
    {"hardware": "../x"},
    {"sweep": {"vllm.engine_params.trust_remote_code": [True]}},
)


def llem_places() -> list[str]:
    """Every place of a study's configuration, dotted, without the list of experiments in front."""
    return sorted(place.removeprefix("experiments.") for place in _walk(StudyConfig, ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = [one for one in _parts(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        if inner:
            yield from _walk(inner[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for one in get_args(annotation):
        yield from _parts(one)


def why_refused(place: str) -> str | None:
    return next(
        (why for name, why in REFUSED.items() if place == name or (name.endswith(".") and place.startswith(name))), None
    )


def leaves(tree: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(tree, dict) and prefix not in PATHS:
        for name, value in tree.items():
            yield from leaves(value, f"{prefix}.{name}" if prefix else name)
    else:
        yield prefix


def swept(sweep: dict[str, Any]) -> Iterator[str]:
    for name, values in sweep.items():
        if isinstance(values[0], dict):
            for group in values:
                yield from group
        else:
            yield name


@pytest.mark.parametrize("place", llem_places())
def test_each_place_of_llems_configuration_is_ordered_or_refused_for_a_reason(place: str) -> None:
    assert (place in PATHS) != (why_refused(place) is not None)


def test_what_is_decided_is_there() -> None:
    places = llem_places()

    gone = [name for name in (*PATHS, *REFUSED) if not any(p == name or p.startswith(name) for p in places)]

    assert gone == []


@pytest.mark.parametrize("hostile", HOSTILE, ids=[str(one)[:60] for one in HOSTILE])
def test_what_opens_a_host_has_no_field(hostile: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LlemOrder.model_validate({"model": "org/name", **hostile})


_NAMES = st.sampled_from([*LlemOrder.model_fields, "trust_remote_code", "env", "images", "passthrough_kwargs"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["vllm", "transformers", "tensorrt", "fp8", "int8", "org/name", "bf16"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["precision", "n_prompts", "block_size", "worker_cls", "backend"]), inner),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_any_object_is_refused_or_becomes_a_configuration_of_known_places(fields: dict[str, Any]) -> None:
    try:
        order = LlemOrder.model_validate({"model": "org/name", **fields})
    except ValidationError:
        return

    document = yaml.safe_load(render(order, seed=1, wall_s=3600))

    sweep = document.pop("sweep", {})
    assert {*leaves(document), *swept(sweep)} <= PATHS
