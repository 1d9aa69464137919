"""The scenario of an llm-d report: model, GPUs, engine, parallelism and precision of the stack that served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.importers.draft import Draft
from leaderboard.importers.engine_config import plain_dtype, read_engine_config
from leaderboard.importers.fields import Fields
from leaderboard.importers.serving import ask

_UNSET = frozenset({"", "auto", "unknown", "none"})
_MAX_WORD = 80
_WORDS = {"true": True, "false": False}


def read_hosts(draft: Draft, scenario: Fields) -> None:
    """Version 0.1: `host.accelerator` has one entry per pod, `platform.engine` the same."""
    hosts, engines = scenario.each("host.accelerator"), scenario.each("platform.engine")
    draft.given("model", scenario.text("model.name"))
    quantisation = scenario.text("model.quantization")
    draft.given("precision", plain_dtype(quantisation))
    _read_gpus(draft, hosts)
    counts = [host.small("count") for host in hosts]
    if counts and None not in counts:
        note = "The counts of all pods together." if len(counts) > 1 else None
        draft.given("gpu_count", sum(count for count in counts if count), note)
    _read_engine(
        draft,
        [(engine.text("name"), engine.text("version")) for engine in engines],
        [engine.object("args") for engine in engines],
        quantisation=quantisation,
    )


def read_stack(draft: Draft, scenario: Fields) -> None:
    """Version 0.2: components of the kind `inference_engine`, each in one or several replicas."""
    parts = [part for part in scenario.each("stack") if part.raw("standardized.kind") == "inference_engine"]
    engines = [part.below("standardized") for part in parts]
    models = {name for engine in engines if (name := engine.text("model.name"))}
    draft.given("model", models.pop() if len(models) == 1 else None)
    draft.given("model", scenario.text("load.native.config.server.model_name"))
    accelerators = [engine.below("accelerator") for engine in engines]
    _read_gpus(draft, accelerators)
    _read_gpu_count(draft, engines)
    tools = [(_engine_of(part), engine.text("tool_version")) for part, engine in zip(parts, engines, strict=True)]
    _read_engine(draft, tools, [part.object("native.args") for part in parts])


def _read_gpus(draft: Draft, accelerators: Sequence[Fields]) -> None:
    names = {(place.text("model") or "") for place in accelerators}
    name = names.pop() if len(names) == 1 else None
    draft.given("hardware", None if name is None or name.lower() in _UNSET else name)
    if names:
        draft.missing("hardware", "The stack has several kinds of GPU; please state the one that counts.")
    ask(draft, "hardware", "The report does not name the GPU; please state it.")
    for short, column in (("tp", "tensor_parallel"), ("pp", "pipeline_parallel")):
        sizes = {place.small(f"parallelism.{short}") for place in accelerators}
        draft.given(column, sizes.pop() if len(sizes) == 1 else None)
        if sizes:
            draft.missing(column, "It differs between the pods of the stack.")


def _read_gpu_count(draft: Draft, engines: Sequence[Fields]) -> None:
    total = 0
    for engine in engines:
        split = engine.below("accelerator.parallelism")
        is_spread = (split.small("workers") or 1) > 1 or (split.small("dp") or 1) > (split.small("dp_local") or 1)
        count = engine.small("accelerator.count")
        if is_spread or count is None:
            draft.missing("gpu_count", "The report does not say how many GPUs all workers had; please state it.")
            return
        total += count * (engine.small("replicas") or 1)
    draft.computed("gpu_count", total or None, "GPUs of each component times its replicas, all components together.")
    draft.missing("gpu_count", "The report does not say how many GPUs took part; please state it.")


def _engine_of(part: Fields) -> str | None:
    """llm-d's own images run vLLM, which shows in the variables that they are given."""
    tool = part.text("standardized.tool")
    is_vllm = tool == "llm-d" and any(name.startswith("VLLM_") for name in part.object("native.envars"))
    return "vllm" if is_vllm else tool


def _read_engine(
    draft: Draft,
    tools: Sequence[tuple[str | None, str | None]],
    arguments: Sequence[dict[str, Any]],
    *,
    quantisation: str | None = None,
) -> None:
    names = {_word(name) for name, _ in tools}
    versions = {_word(version) for _, version in tools}
    draft.given("backend", names.pop() if len(names) == 1 else None)
    draft.missing("backend", "The report does not name one inference engine; please state it.")
    draft.given("backend_version", versions.pop() if len(versions) == 1 else None)
    settings = common_settings(arguments)
    if quantisation:
        settings.setdefault("quantization", quantisation)
    place = Fields(settings, draft.file, "args ")
    read_engine_config(draft, place, engine=None)
    draft.given("batch_size", place.small("max_num_seqs"), "The engine's max_num_seqs.")
    ask(draft, "precision", "The report does not name the precision; please state it.")


def _word(text: str | None) -> str | None:
    """An image with registry, path and tag is longer than a name: its end says which one it is."""
    return (text[-_MAX_WORD:] or None) if text and text.lower() not in _UNSET else None


def common_settings(arguments: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all engines were told alike: `--max-num-seqs: 64`, `max-num-seqs: "64"`, or a flag without value."""
    every = [_plain_names(args) for args in arguments]
    first = every[0] if every else {}
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in every)}


def _plain_names(args: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in args.items():
        plain = name.lstrip("-").replace("-", "_")
        if plain.startswith("no_") and value is None:
            found[plain.removeprefix("no_")] = False
        else:
            found[plain] = _plain_value(value)
    return found


def _plain_value(value: Any) -> Any:
    if value is None or value == "":
        return True
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return _WORDS.get(value.lower(), value) if isinstance(value, str) else value
