"""Lifecycle reports of inference-perf: one file per stage of the load, all times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.importers.base import Document, ImportRefused, Measurement, Sides
from leaderboard.importers.draft import Draft, ratio
from leaderboard.importers.fields import Fields
from leaderboard.importers.serving import (
    ask_from_outside,
    drop_chunked_median,
    load_identity,
    read_latency,
    read_requests,
)

TOOL = "inference-perf"
_FAMILIES = {
    "ttft": "time_to_first_token",
    "tpot": "time_per_output_token",
    "itl": "inter_token_latency",
    "e2e": "request_latency",
}
_PARTS = {"mean": "mean", "p50": "median", "p90": "p90", "p95": "p95", "p99": "p99"}
_SERVER_SIDE = "What the server's own metrics say is not imported; the lifecycle files hold the figures."
_SUMMARY = "It sums up several stages of load, which are in the upload one by one."


class InferencePerf:
    """A stage, or the summary of a run that has only one."""

    shapes = ("inference_perf",)

    def detect(self, keys: frozenset[str]) -> str | None:
        return "inference_perf" if {"load_summary", "successes", "failures"} <= keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        report = Fields(document.data, document.path)
        if _is_server_side(document):
            raise ImportRefused(f"{document.path}: {_SERVER_SIDE}", file=document.path, field="successes.latency")
        draft = Draft(document.path)
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.missing("tool_version", "The tool does not write its version into the file.")
        draft.missing("model", "The tool does not write the model into this file; please state it.")
        _read_load(draft, report)
        _read_figures(draft, report.below("successes"))
        _read_latencies(draft, report.below("successes.latency"))
        ask_from_outside(draft)
        config = {"load_summary": report.object("load_summary")}
        return [Measurement(draft.finish(identity=load_identity(draft), config=config), "inference_perf")]


def _read_load(draft: Draft, report: Fields) -> None:
    load = report.below("load_summary")
    failed = report.count("failures.count")
    read_requests(draft, report, answered=report.count("successes.count"), failed=failed)
    draft.given("concurrency", load.small("concurrency"))
    draft.missing("concurrency", "Requests came at a rate; please state how many sequences the engine ran together.")
    if "concurrency" not in draft.values:
        draft.given("request_rate_per_s", load.measured("requested_rate"))
    draft.given("duration_s", report.measured("benchmark_time_seconds"))


def _read_figures(draft: Draft, successes: Fields) -> None:
    rates = successes.below("throughput")
    draft.given("requests_per_s", rates.measured("requests_per_sec"))
    draft.given("throughput_tokens_per_s", rates.measured("output_tokens_per_sec"))
    draft.given("total_throughput_tokens_per_s", rates.measured("total_tokens_per_sec"))
    count = successes.number("count")
    seconds = ratio(count, draft.number("requests_per_s"))
    draft.computed("duration_s", seconds, "Answered requests divided by requests_per_sec.")
    duration = draft.number("duration_s")
    for name, rate in (("output_tokens", "output_tokens_per_sec"), ("input_tokens", "input_tokens_per_sec")):
        tokens = (rates.measured(rate) or 0.0) * (duration or 0.0)
        draft.computed(name, round(tokens) or None, f"{rate} times the measured time.")


def _read_latencies(draft: Draft, latency: Fields) -> None:
    for family, word in _FAMILIES.items():
        place = latency.below(word)
        read_latency(
            draft, family, {part: _ms(place.number(name)) for part, name in _PARTS.items()}, "Seconds in the file."
        )
    drop_chunked_median(draft)
    draft.missing("ttft_ms_mean", "Answers were not streamed, so no first token was seen.")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _is_server_side(document: Document) -> bool:
    successes = document.data.get("successes")
    return isinstance(successes, dict) and "latency" not in successes and "throughput" not in successes


def reports_to_leave_out(documents: Sequence[Document]) -> dict[str, str]:
    """Return path -> why of the files that repeat others: server metrics, and the summary beside its stages."""
    stages = {document.folder for document in documents if _rate(document.data) is not None}
    found = {}
    for document in documents:
        if _is_server_side(document) and len(documents) > 1:
            found[document.path] = _SERVER_SIDE
        elif document.folder in stages and _rate(document.data) is None:
            found[document.path] = _SUMMARY
    return found


def _rate(data: dict[str, Any]) -> Any:
    load = data.get("load_summary")
    return load.get("requested_rate") if isinstance(load, dict) else None
