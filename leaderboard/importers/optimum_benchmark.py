"""optimum-benchmark: benchmark.json, or benchmark_report.json with benchmark_config.json beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from leaderboard.importers.base import Document, ImportRefused, Measurement, Sides
from leaderboard.importers.draft import Draft
from leaderboard.importers.engine_config import plain_dtype
from leaderboard.importers.fields import Fields
from leaderboard.importers.units import JOULES, MEGABYTES, MILLISECONDS, scaled
from leaderboard.normal import BIG_INT_MAX

TOOL = "optimum-benchmark"
_WHOLE = frozenset({"config", "report"})
_REPORT = frozenset({"load_model", "prefill", "decode"})
_OTHER_REPORTS = (frozenset({"load_model", "forward"}), frozenset({"load_model", "call"}))
_PARTS = ("mean", "p50", "p90", "p95", "p99")
_DECODE_ONLY = (
    "Throughput, energy and tokens are of the decode phase only, as the tool reports them: "
    "the prompts' prefill and the first token of each answer are not in them."
)
_NOT_BESIDE = "It is in benchmark_config.json, which was not uploaded with the report; add it or state the value."
_ASKED = ("model", "hardware", "gpu_count", "backend", "precision", "batch_size")


class OptimumBenchmark:
    """A text generation benchmark of the tool's `inference` or `energy_star` scenario."""

    shapes = ("optimum_benchmark", "optimum_report")

    def detect(self, keys: frozenset[str]) -> str | None:
        if keys >= _REPORT or any(keys >= report for report in _OTHER_REPORTS):
            return "optimum_report"
        return "optimum_benchmark" if keys >= _WHOLE else None

    def read(self, document: Document, sides: Sides) -> Sequence[Measurement]:
        shape = self.detect(document.keys) or "optimum_benchmark"
        whole = Fields(document.data, document.path)
        if shape == "optimum_report":
            report, config = whole, Fields(sides.run_config, document.path, "benchmark_config.json: ")
        else:
            report, config = whole.below("report"), whole.below("config")
        _refuse_without_tokens(report)
        draft = Draft(document.path)
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.given("tool_version", config.text("environment.optimum_benchmark_version", limit=80))
        _read_config(draft, config)
        if not config.data:
            for name in _ASKED:
                draft.missing(name, _NOT_BESIDE)
        _read_latencies(draft, report)
        _read_decode(draft, report.below("decode"), config)
        _read_memory(draft, report.below("decode.memory"), len(_devices(config)))
        digest = hashlib.sha256(json.dumps([report.data, config.data], sort_keys=True).encode()).hexdigest()
        parsed = draft.finish(
            identity=f"sha256:{digest}",
            config={name: config.data[name] for name in ("backend", "scenario", "launcher") if name in config.data},
            environment=config.object("environment"),
        )
        return [Measurement(parsed, shape)]


def _refuse_without_tokens(report: Fields) -> None:
    if not report.object("decode"):
        raise ImportRefused(
            f"{report.file}: {report.prefix}decode is missing; this site reads text generation, which the tool "
            "reports as prefill and decode.",
            file=report.file,
            field=f"{report.prefix}decode",
        )


def _devices(config: Fields) -> list[str]:
    """The device numbers of `device_ids`, such as "0,1"."""
    value = config.raw("backend.device_ids")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, list):
        value = ",".join(str(item) for item in value)
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else []


def _is_on_gpu(config: Fields) -> bool:
    return config.text("backend.device") == "cuda"


def _read_config(draft: Draft, config: Fields) -> None:
    backend = config.below("backend")
    draft.given("model", backend.text("model"))
    draft.given("backend", backend.text("name", limit=80))
    draft.given("backend_version", backend.text("version", limit=80))
    _read_precision(draft, backend)
    draft.given("batch_size", config.below("scenario.input_shapes").small("batch_size"))
    draft.given("max_input_tokens", config.below("scenario.input_shapes").small("sequence_length"))
    draft.given("max_output_tokens", config.below("scenario.generate_kwargs").small("max_new_tokens"))
    draft.given("dataset", config.text("scenario.dataset_name"))
    _read_hardware(draft, config)


def _read_hardware(draft: Draft, config: Fields) -> None:
    """The environment lists every GPU of the machine; `device_ids` says which of them ran."""
    if not _is_on_gpu(config):
        draft.given("hardware", config.text("environment.cpu") if config.data else None, "It ran without a GPU.")
        return
    devices = _devices(config)
    draft.computed("gpu_count", len(devices) or None, "The number of devices in device_ids.")
    draft.missing("gpu_count", "The file does not say on which devices it ran; please state their number.")
    names = [name for name in config.items("environment.gpu") if isinstance(name, str)]
    used = {names[int(device)] for device in devices if device.isdecimal() and int(device) < len(names)}
    candidates = used or set(names)
    draft.given("hardware", candidates.pop() if len(candidates) == 1 else None)
    draft.missing("hardware", "The file does not say which of the machine's GPUs it ran on; please state it.")


def _read_precision(draft: Draft, backend: Fields) -> None:
    quantisation = backend.object("quantization_config")
    settings = backend.below("quantization_config")
    method = settings.text("quant_method") or backend.text("quantization_scheme")
    method = method or backend.text("engine_args.quantization")
    for flag, precision in (("load_in_4bit", "int4"), ("load_in_8bit", "int8")):
        draft.given("precision", precision if settings.raw(flag) is True else None, f"From {flag}.")
    bits = settings.raw("bits")
    draft.given("precision", f"int{bits}" if bits in (2, 3, 4, 8) else None, "From the bits of the quantisation.")
    if method or quantisation:
        note = f"The quantisation {(method or 'in the file')[:40]!r} does not fix a width; please state it."
        draft.missing("precision", note)
        return
    dtype = backend.text("torch_dtype") or backend.text("engine_args.dtype")
    draft.given("precision", plain_dtype(dtype))
    draft.missing("precision", "The tool loaded the model in its default data type, which it does not write; state it.")


def _read_latencies(draft: Draft, report: Fields) -> None:
    """Prefill is the time to the first token; `per_token` the gaps between tokens; all in seconds."""
    for ours, target in (("ttft", "prefill"), ("itl", "per_token"), ("e2e", "generate")):
        latency = report.below(f"{target}.latency")
        for part in _PARTS:
            draft.given(f"{ours}_ms_{part}", scaled(latency, part, MILLISECONDS))


def _read_decode(draft: Draft, decode: Fields, config: Fields) -> None:
    """One pass decodes batch size times (max_new_tokens - 1) tokens; energy is given per pass."""
    draft.warnings.append(_DECODE_ONLY)
    throughput = decode.below("throughput")
    unit = throughput.text("unit")
    if unit not in (None, "tokens/s"):
        raise throughput.refuse("unit", f"is {unit[:40]!r}, but must be tokens/s")
    draft.given("throughput_tokens_per_s", throughput.measured("value"), "The decode phase, without prefill.")
    latency = decode.below("latency")
    seconds = (scaled(latency, "total", MILLISECONDS) or 0.0) / 1000
    draft.given("duration_s", seconds or None, "The decode phase of all passes.")
    passes = latency.count("count") if latency.data else 1
    per_pass = _tokens_of_a_pass(draft, config)
    if per_pass and passes:
        note = f"{passes} passes of batch size times (max_new_tokens - 1) tokens: the decode phase."
        draft.computed("output_tokens", min(per_pass * passes, BIG_INT_MAX), note)
    _read_energy(draft, decode.below("energy"), config, passes if per_pass else None)


def _tokens_of_a_pass(draft: Draft, config: Fields) -> int | None:
    """None where answers may end early: the tool then counts max_new_tokens for each all the same."""
    kwargs = config.below("scenario.generate_kwargs")
    most, least = kwargs.small("max_new_tokens"), kwargs.small("min_new_tokens")
    answers = config.below("scenario").small("num_samples") or config.below("scenario.input_shapes").small("batch_size")
    beams = kwargs.small("num_beams") or 1
    if most is None or answers is None or beams != 1:
        draft.missing("output_tokens", "The file does not say how many tokens each pass decoded.")
        return None
    if least != most:
        for name in ("output_tokens", "throughput_tokens_per_s"):
            draft.values.pop(name, None)
            draft.origins.pop(name, None)
            note = "Answers could end early; the tool counts each as max_new_tokens long, so its figure is too high."
            draft.missing(name, note)
        return None
    return answers * (most - 1) or None


def _read_energy(draft: Draft, energy: Fields, config: Fields, passes: int | None) -> None:
    """CodeCarbon's kWh: the GPUs' part where the model ran on GPUs, else the whole machine's."""
    part, scope = ("gpu", "gpu") if _is_on_gpu(config) else ("total", "node")
    # The decode phase is generation less prefill, which noise can make negative.
    measured = energy.number(part, may_be_negative=True) or 0.0
    per_pass = scaled(energy, part, JOULES) if measured > 0 else None
    if per_pass is None:
        draft.missing("total_energy_j", "The tool did not measure energy (it writes null or 0 then).")
        return
    if not passes:
        draft.missing("total_energy_j", "Its energy is per pass, and how many tokens a pass decoded is not known.")
        return
    note = f"The {part} energy of one decode pass (kWh times 3.6e6), times the {passes} passes whose time is given."
    draft.computed("total_energy_j", per_pass * passes, note)
    words = "CodeCarbon's part for the GPUs; its parts for processor and memory are left out."
    draft.computed("energy_scope", scope, words if scope == "gpu" else "CodeCarbon's processor, memory and GPU parts.")
    draft.given("energy_method", "codecarbon")


def _read_memory(draft: Draft, memory: Fields, devices: int) -> None:
    """`max_global_vram` is the sum over the devices that ran."""
    peak = scaled(memory, "max_global_vram", MEGABYTES) or None
    draft.given("peak_memory_total_mb", peak, "Everything in the memory of these devices, other processes too.")
    draft.given("peak_memory_mb", peak if devices == 1 else None)
