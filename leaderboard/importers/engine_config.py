"""Precision, batch size and parallelism out of an llem configuration, in the layouts of all its generations."""

from __future__ import annotations

from leaderboard.importers.draft import Draft
from leaderboard.importers.fields import Fields

_DTYPES = {
    "fp32": "fp32",
    "float32": "fp32",
    "float": "fp32",
    "tf32": "tf32",
    "fp16": "fp16",
    "float16": "fp16",
    "half": "fp16",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp8": "fp8",
    "int8": "int8",
    "int4": "int4",
}
# Methods that fix the width of the weights. GPTQ, Marlin and bitsandbytes exist in several widths, so they do not.
_QUANTISED = {
    "fp8": "fp8",
    "fp8_e5m2": "fp8",
    "fp8_e4m3": "fp8",
    "awq": "int4",
    "int4_awq": "int4",
    "w4a16_awq": "int4",
    "w4a16_gptq": "int4",
    "w4a8_awq": "int4",
    "int8": "int8",
    "int8_sq": "int8",
    "w8a16": "int8",
    "w8a16_gptq": "int8",
}
_NOT_QUANTISED = frozenset({"no_quant", "none", "auto"})
#: the section of the configuration that belongs to an engine, by the engine's two names
_SECTIONS = {"pytorch": ("pytorch", "transformers"), "transformers": ("transformers", "pytorch")}
#: where a setting lies inside the engine's section: 0.8.0 and v1, 0.9.0, 0.6.0 and 0.7.0
_LAYERS = ("", "engine.", "engine_params.", "llem_execution.")
_VLLM_MAX_SEQUENCES = 256


def engine_settings(config: Fields, engine: str | None) -> list[Fields]:
    """Return the objects in which a setting of this engine may lie, nearest first."""
    found: list[Fields] = []
    for section in _SECTIONS.get(engine or "", (engine or "",)):
        if not section or not isinstance(config.data.get(section), dict):
            continue
        found += [config.below(f"{section}.{layer}".rstrip(".")) for layer in _LAYERS if _has(config, section, layer)]
        if isinstance(config.data.get("harness"), dict):
            found.append(config.below(f"harness.{section}"))
    return [*found, config]


def _has(config: Fields, section: str, layer: str) -> bool:
    return not layer or isinstance(config.data[section].get(layer.rstrip(".")), dict)


def read_engine_config(draft: Draft, config: Fields, *, engine: str | None) -> None:
    """Set precision, batch size, parallelism, prefix caching and speculation from `config` where it gives them."""
    if not config.data:
        return
    places = engine_settings(config, engine)
    _precision(draft, config, places)
    _batch_size(draft, places, engine=engine)
    draft.given("tensor_parallel", _first_small(places, "tensor_parallel_size", "tp_size"))
    draft.given("pipeline_parallel", _first_small(places, "pipeline_parallel_size", "pp_size"))
    for place in places:
        draft.given("prefix_caching", place.flag("enable_prefix_caching"))
    names = ("speculative_model", "speculative_config", "speculative", "draft_model", "prompt_lookup_num_tokens")
    if any(_is_switched_on(place.raw(name)) for place in places for name in names):
        draft.given("speculative_decoding", True)


def _is_switched_on(value: object) -> bool:
    # An object of nulls is how the older generations write "off".
    return any(value.get(name) for name in ("model", "method")) if isinstance(value, dict) else bool(value)


def _first_small(places: list[Fields], *names: str) -> int | None:
    return next((value for place in places for name in names if (value := place.small(name))), None)


def _first_text(places: list[Fields], *names: str) -> str | None:
    return next((value for place in places for name in names if (value := _text_or_none(place, name))), None)


def _text_or_none(place: Fields, name: str) -> str | None:
    # Some generations put an object here (compressed-tensors and the like): its width is unknown to us.
    value = place.raw(name)
    return "an object" if isinstance(value, dict) and value else None if isinstance(value, dict) else place.text(name)


def _precision(draft: Draft, config: Fields, places: list[Fields]) -> None:
    for flag, precision in (("load_in_4bit", "int4"), ("load_in_8bit", "int8")):
        if any(place.flag(flag) for place in places):
            draft.given("precision", precision, f"From {flag}, which overrides the data type.")
            return
    method = _first_text(places, "quantization", "quant_algo")
    for nested in ("quant.quant_algo", "quant_config.quant_algo"):
        method = method or next((text for place in places if (text := place.text(nested))), None)
    if method and method.lower() not in _NOT_QUANTISED:
        draft.given("precision", _QUANTISED.get(method.lower()), f"From the quantisation method {method[:40]!r}.")
        draft.missing("precision", f"The quantisation method {method[:40]!r} does not fix a width; please state it.")
        return
    dtype = config.text("precision") or config.text("fp_precision") or _first_text(places, "dtype")
    if dtype:
        draft.given("precision", _DTYPES.get(dtype.lower()))
        draft.missing("precision", f"The file says {dtype[:40]!r}, which is not one precision; please state it.")


def plain_dtype(name: str | None) -> str | None:
    """Return the site's word for a data type such as bfloat16, or None where it is not one."""
    return _DTYPES.get((name or "").lower().removeprefix("torch."))


def _batch_size(draft: Draft, places: list[Fields], *, engine: str | None) -> None:
    if engine == "vllm":
        draft.given("batch_size", _first_small(places, "max_num_seqs"), "vLLM's max_num_seqs.")
        note = f"max_num_seqs is unset, which means vLLM's default of {_VLLM_MAX_SEQUENCES}."
        draft.computed("batch_size", _VLLM_MAX_SEQUENCES, note)
    elif engine == "tensorrt":
        draft.given("batch_size", _first_small(places, "max_batch_size"), "TensorRT-LLM's max_batch_size.")
    else:
        draft.given("batch_size", _first_small(places, "batch_size"))
        if engine in _SECTIONS:
            draft.computed("batch_size", 1, "batch_size is unset, which means the tool's default of 1.")
