"""AIPerf's profile_export_aiperf.json, with gpu_telemetry_export.jsonl beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft
from leaderboard.importers.fields import Fields, as_object
from leaderboard.importers.telemetry import Reading, window_energy
from leaderboard.importers.units import JOULES, MEGABYTES, MILLISECONDS, scaled
from leaderboard.normal import BIG_INT_MAX

TOOL = "aiperf"
_PARTS = {"mean": "avg", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}
#: ours -> AIPerf's. Its inter-token latency is (latency - TTFT) / (tokens - 1) of one request: our TPOT.
_LATENCIES = {
    "ttft": "time_to_first_token",
    "tpot": "inter_token_latency",
    "itl": "inter_chunk_latency",
    "e2e": "request_latency",
}
_TPOT_NOTE = "The tool's inter_token_latency, which is a mean per request; its gaps are inter_chunk_latency."
_TOTALS = ("nvidia_total_gpu_energy", "amd_total_gpu_energy", "total_gpu_energy")
_ASK_TELEMETRY = (
    "Its summary does not say what the energy counters read at start and end; "
    "upload gpu_telemetry_export.jsonl beside it."
)

_NO_WINDOW = "The file has no time stamps that say which part of the telemetry is the measurement, and no total."


class AIPerf:
    """One profile run: the client's figures, and the energy of the GPUs where the telemetry covers all of it."""

    shapes = ("aiperf",)

    def detect(self, keys: frozenset[str]) -> str | None:
        signs = {"request_throughput", "request_latency", "benchmark_duration"}
        return "aiperf" if signs <= keys else None

    def read(self, document: Document, sides: Sides) -> Sequence[Measurement]:
        result = Fields(document.data, document.path)
        draft = Draft(document.path)
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.given("tool_version", result.text("aiperf_version", limit=80))
        draft.missing("tool_version", "This version of the tool does not write its version into the file.")
        _read_config(draft, result)
        _read_times(draft, result)
        _read_tokens(draft, result)
        _read_latencies(draft, result)
        gpus = _distinct_gpus(result)
        _read_gpus(draft, result, gpus)
        _read_energy(draft, result, sides.telemetry, gpus)
        _read_warnings(draft, result)
        for name in ("backend", "precision"):
            draft.missing(name, f"The tool measures from outside and does not know the {name}; please state it.")
        identity = "|".join((TOOL, result.text("benchmark_id") or _start_of(draft), str(draft.number("duration_s"))))
        parsed = draft.finish(
            identity=f"{identity}|{draft.number('output_tokens')}",
            config=result.object("input_config"),
            environment={"gpus": [gpu.text("gpu_name") for gpu in gpus.values()]} if gpus else {},
        )
        return [Measurement(parsed, "aiperf")]


def _start_of(draft: Draft) -> str:
    started = draft.values.get("started_at")
    return started.isoformat() if started else ""


def _read_config(draft: Draft, result: Fields) -> None:
    """Read `input_config` of the first releases (endpoint, input, loadgen) and of the later (models, phases)."""
    config = result.below("input_config")
    models = _models(config)
    draft.given("model", models[0] if len(models) == 1 else None)
    if len(models) > 1:
        draft.missing("model", f"The run sent requests to {len(models)} models; please state which one counts.")
    load = config.below("loadgen")
    draft.given("concurrency", load.small("concurrency"))
    draft.given("request_rate_per_s", load.measured("request_rate"))
    draft.given("dataset", config.text("input.public_dataset"))
    for phase in _phases(config):
        # A load that changes during the phase is an object or a list, and no one number.
        draft.given("concurrency", phase.small("concurrency") if _is_number(phase, "concurrency") else None)
        draft.given("request_rate_per_s", phase.measured("rate") if _is_number(phase, "rate") else None)
    datasets = config.each("datasets")
    draft.given("dataset", datasets[0].text("dataset") if len(datasets) == 1 else None)


def _is_number(fields: Fields, name: str) -> bool:
    return isinstance(fields.raw(name), int | float)


def _phases(config: Fields) -> list[Fields]:
    return [phase for phase in config.each("phases") if phase.raw("exclude_from_results") is not True]


def _models(config: Fields) -> list[str]:
    names = config.texts("endpoint.model_names")
    models = config.raw("models")
    if not names and isinstance(models, dict):
        names = [name for item in config.each("models.items") if (name := item.text("name"))]
    elif not names and isinstance(models, list):
        names = config.texts("models")
    return names


def _read_times(draft: Draft, result: Fields) -> None:
    start_ns, end_ns = _window(result)
    if start_ns and end_ns:
        if end_ns < start_ns:
            raise result.refuse("max_response_timestamp.avg", "is before min_request_timestamp.avg")
        draft.given("started_at", _moment(result, "min_request_timestamp", start_ns))
        draft.given("ended_at", _moment(result, "max_response_timestamp", end_ns))
    draft.times(result)
    duration = scaled(result.below("benchmark_duration"), "avg", MILLISECONDS)
    draft.given("duration_s", (duration or 0.0) / 1000 or None)
    counted = result.below("request_count").count("avg")
    failed = result.below("error_request_count").count("avg") or 0
    if counted is not None and counted + failed:
        draft.given("requests", counted + failed)
        draft.computed("success_rate", counted / (counted + failed), "Requests without an error, of all requests.")
    draft.given("requests_per_s", result.below("request_throughput").number("avg"))


def _window(result: Fields) -> tuple[float | None, float | None]:
    """The first request's start and the last response's end, in ns since 1970; the later releases leave them out."""
    names = ("min_request_timestamp", "max_response_timestamp")
    start, end = (scaled(result.below(name), "avg", MILLISECONDS) for name in names)
    return start and start * 1e6, end and end * 1e6


def _moment(result: Fields, name: str, at_ns: float) -> datetime:
    try:
        return datetime.fromtimestamp(at_ns / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        raise result.refuse(f"{name}.avg", "is no time since 1970 in nanoseconds") from None


def _read_tokens(draft: Draft, result: Fields) -> None:
    """Read token counts and throughput of the system; `..._per_user` is the speed of one request."""
    for name in ("total_osl", "total_output_tokens"):
        draft.given("output_tokens", result.below(name).tokens("avg"))
    draft.given("input_tokens", result.below("total_isl").count("avg"))
    each = result.below("input_sequence_length").number("avg")
    done = result.below("request_count").number("avg")
    if each and done:
        tokens = round(min(each * done, BIG_INT_MAX))
        draft.computed("input_tokens", tokens, "Mean input length times answered requests.")
    draft.given("throughput_tokens_per_s", result.below("output_token_throughput").number("avg"))
    draft.given("total_throughput_tokens_per_s", result.below("total_token_throughput").number("avg"))


def _read_latencies(draft: Draft, result: Fields) -> None:
    for ours, theirs in _LATENCIES.items():
        metric = result.below(theirs)
        for part, name in _PARTS.items():
            note = _TPOT_NOTE if ours == "tpot" else None
            draft.given(f"{ours}_ms_{part}", scaled(metric, name, MILLISECONDS), note)


def _distinct_gpus(result: Fields) -> dict[str, Fields]:
    """The GPUs of the telemetry by UUID: one that two exporters list is one GPU."""
    found: dict[str, Fields] = {}
    endpoints = result.below("telemetry_data.endpoints")
    for place, endpoint in enumerate(endpoints.data):
        gpus = _child(endpoints, endpoint, f"[{place}]").below("gpus")
        for name in gpus.data:
            gpu = _child(gpus, name, f"[{name[:40]}]")
            found.setdefault(gpu.text("gpu_uuid") or f"{place}: {name}", gpu)
    return found


def _child(parent: Fields, key: str, label: str) -> Fields:
    """The object below a key that may hold dots, such as an address."""
    name = f"{parent.prefix.rstrip('.')}{label}"
    return Fields(as_object(parent.data[key], file=parent.file, field=name), parent.file, f"{name}.")


def _listed(result: Fields) -> int:
    endpoints = result.below("telemetry_data.endpoints").data.values()
    return sum(len(endpoint.get("gpus") or ()) for endpoint in endpoints if isinstance(endpoint, dict))


def _read_gpus(draft: Draft, result: Fields, gpus: dict[str, Fields]) -> None:
    names = {name for gpu in gpus.values() if (name := gpu.text("gpu_name"))}
    draft.given("hardware", names.pop() if len(names) == 1 else None)
    draft.missing(
        "hardware",
        "The telemetry saw GPUs of several kinds; please state which one ran the model."
        if names
        else "The file has no GPU telemetry, so it names no GPU; please state it.",
    )
    note = "Distinct GPUs in the telemetry, whether the server used them or not"
    note += "; some are listed by two exporters." if _listed(result) > len(gpus) else "."
    draft.computed("gpu_count", len(gpus) or None, note)
    draft.missing("gpu_count", "The file has no GPU telemetry; please state how many GPUs took part.")
    limits = {gpu.below("metrics.power_management_limit").measured("avg") for gpu in gpus.values()}
    draft.given("power_limit_w", limits.pop() if len(limits) == 1 else None)
    peaks = [scaled(gpu.below("metrics.gpu_memory_used"), "max", MEGABYTES) for gpu in gpus.values()]
    known = [peak for peak in peaks if peak]
    if known and len(known) == len(peaks):
        draft.given("peak_memory_mb", max(known))
        draft.computed("peak_memory_total_mb", sum(known), "The sum of each GPU's highest memory use.")


def _read_energy(draft: Draft, result: Fields, telemetry: Sequence[Reading] | None, gpus: dict[str, Fields]) -> None:
    start_ns, end_ns = _window(result)
    if telemetry and start_ns and end_ns:
        found = window_energy(telemetry, start_ns=start_ns, end_ns=end_ns, gpu_count=len(gpus) or None)
        if isinstance(found, str):
            draft.missing("total_energy_j", found)
            return
        note = "Last less first state of every GPU's energy counter (MJ), at the start and end of the measurement."
        draft.computed("total_energy_j", found.energy_j, note)
        _note_meter(draft, found.method)
        return
    _read_total(draft, result, gpus, why_not=_NO_WINDOW if telemetry else _ASK_TELEMETRY)


def _read_total(draft: Draft, result: Fields, gpus: dict[str, Fields], *, why_not: str) -> None:
    """Read the sum that the later releases write themselves, unless they counted a GPU twice."""
    totals = [scaled(result.below(name), "avg", JOULES) for name in _TOTALS]
    total = next((value for value in totals if value), None)
    if total is None:
        draft.missing("total_energy_j", why_not if gpus else "The file has no GPU telemetry.")
    elif _listed(result) > len(gpus):
        note = "The tool's sum counts a GPU twice that two exporters list; upload gpu_telemetry_export.jsonl beside it."
        draft.missing("total_energy_j", note)
    else:
        draft.given("total_energy_j", total, "The tool's own sum over all GPUs, from their energy counters.")
        _note_meter(draft, "dcgm" if _has_exporters(result) else "unknown")


def _has_exporters(result: Fields) -> bool:
    sources = result.items("telemetry_data.summary.endpoints_successful")
    return bool(sources) and all(str(source).startswith(("http://", "https://")) for source in sources)


def _note_meter(draft: Draft, method: str) -> None:
    draft.computed("energy_scope", "gpu", "The telemetry reads the GPUs only.")
    note = None if method != "unknown" else "The telemetry does not say how it reads the counters."
    draft.computed("energy_method", method, note or "The source that the telemetry names.")


def _read_warnings(draft: Draft, result: Fields) -> None:
    if result.flag("was_cancelled"):
        draft.warnings.append("The tool says that the run was cancelled before its end.")
    kinds = len(result.items("error_summary"))
    if kinds:
        draft.warnings.append(f"The tool counts {kinds} kinds of errors among the requests.")
