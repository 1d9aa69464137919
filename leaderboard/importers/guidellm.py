"""Reports of GuideLLM: one benchmark per strategy or rate, each a result of its own.

Three layouts: before 0.4 only `benchmarks`, report version 1 (0.4 to 0.6) with `args`, version 2 with `config`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft, ratio
from leaderboard.importers.fields import MAX_TEXT, Fields
from leaderboard.importers.serving import (
    PARTS,
    ask_from_outside,
    load_identity,
    read_epochs,
    read_latency,
    read_requests,
)

TOOL = "guidellm"
#: beyond this share the tool's own rate is of another window than its counts
RATE_GAP = 0.10
_TPOT_NOTE = "The tool's inter_token_latency_ms: a mean per request, weighted by its tokens."
_ITL_NOTE = "The mean over all gaps; the tool's percentiles are of requests, so they stand under TPOT."
_NO_LIMIT = "Requests came at a rate; please state how many sequences the engine ran together."


class GuideLLM:
    """Every benchmark of a report; its requests one by one are not read."""

    shapes = ("guidellm_1", "guidellm_2")

    def detect(self, keys: frozenset[str]) -> str | None:
        if {"benchmarks", "metadata", "config"} <= keys:
            return "guidellm_2"
        return "guidellm_1" if keys == {"benchmarks"} or {"benchmarks", "metadata", "args"} <= keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        report = Fields(document.data, document.path)
        benchmarks = report.each("benchmarks")
        if not benchmarks:
            raise report.refuse("benchmarks", "is empty; it must hold one benchmark per strategy")
        shape = self.detect(document.keys) or self.shapes[0]
        return [_read(report, benchmark, place, shape) for place, benchmark in enumerate(benchmarks)]


def _read(report: Fields, benchmark: Fields, place: int, shape: str) -> Measurement:
    draft = Draft(f"{report.file}: benchmarks[{place}]")
    draft.computed("tool", TOOL, "The shape of the file is this tool's.")
    draft.given("tool_version", report.text("metadata.guidellm_version", limit=80))
    draft.missing("tool_version", "Reports before version 0.4 do not hold it.")
    settings = benchmark.below("config" if "config" in benchmark.data else "args")
    _read_model(draft, report, benchmark)
    _read_dataset(draft, report, benchmark)
    _read_strategy(draft, settings.below("strategy"), benchmark)
    _read_counts(draft, benchmark)
    _read_latencies(draft, benchmark)
    ask_from_outside(draft)
    config: dict[str, Any] = {
        name: settings.raw(name) for name in ("strategy", "backend", "constraints") if name in settings.data
    }
    return Measurement(draft.finish(identity=f"{load_identity(draft)}|{place}", config=config), shape)


def _read_model(draft: Draft, report: Fields, benchmark: Fields) -> None:
    for fields, name in (
        (benchmark, "config.backend.model"),
        (benchmark, "worker.backend_model"),
        (report, "config.spec.backend.model"),
        (report, "args.model"),
    ):
        text = fields.text(name)
        draft.given("model", None if text == "None" else text, "The name under which the server offers the model.")
    draft.missing("model", "The report does not name the model; please state it.")


def _read_dataset(draft: Draft, report: Fields, benchmark: Fields) -> None:
    draft.given("dataset", benchmark.text("request_loader.data", limit=2000))
    for name in ("config.spec.data", "args.data"):
        found = report.items(name)
        first = found[0] if len(found) == 1 else None
        if isinstance(first, dict):
            first = first.get("source") or first.get("kind")
        draft.given("dataset", first if isinstance(first, str) and first.strip() else None)
    if len(draft.values.get("dataset") or "") > MAX_TEXT:
        draft.values["dataset"] = draft.values["dataset"][:MAX_TEXT]


def _read_strategy(draft: Draft, strategy: Fields, benchmark: Fields) -> None:
    kind = strategy.text("type_", limit=80)
    if kind == "synchronous":
        draft.computed("concurrency", 1, "A synchronous strategy sends one request after the other.")
    elif kind == "concurrent":
        draft.given("concurrency", strategy.small("streams"), "Streams of the concurrent strategy.")
    elif kind == "throughput":
        draft.given("concurrency", strategy.small("max_concurrency"), "The limit of the throughput strategy.")
    elif kind in ("constant", "poisson"):
        # Their max_concurrency is a limit of the client far above what is ever in flight.
        draft.given("request_rate_per_s", strategy.measured("rate"))
        draft.missing("concurrency", _NO_LIMIT)
    average = _distribution(benchmark, "request_concurrency").measured("mean")
    if average and "concurrency" not in draft.values:
        draft.missing("concurrency", f"On average {average:.4g} requests were in flight. {_NO_LIMIT}")


def _distribution(benchmark: Fields, name: str) -> Fields:
    """Figures of the answered requests; errored and unfinished ones have their own."""
    return benchmark.below(f"metrics.{name}.successful")


def _read_counts(draft: Draft, benchmark: Fields) -> None:
    totals = benchmark.below("metrics.request_totals")
    if not totals.data:
        totals = benchmark.below("request_totals")
    read_requests(
        draft,
        benchmark,
        answered=totals.count("successful"),
        failed=totals.count("errored"),
        cut_off=totals.count("incomplete"),
    )
    seconds = read_epochs(draft, benchmark, start="start_time", end="end_time")
    draft.given("duration_s", benchmark.measured("duration"))
    draft.computed("duration_s", seconds, "From start to end.")
    draft.given("requests_per_s", _distribution(benchmark, "requests_per_second").measured("mean"))
    for name, counts in (("output_tokens", "output_token_count"), ("input_tokens", "prompt_token_count")):
        total = _distribution(benchmark, counts).measured("total_sum")
        draft.computed(name, round(total or 0.0) or None, f"The sum of {counts} over the answered requests.")
    _read_rate(draft, benchmark)


def _read_rate(draft: Draft, benchmark: Fields) -> None:
    """Throughput is tokens over time, as for every tool; the tool's own mean rate is of a slightly other window."""
    stated = _distribution(benchmark, "output_tokens_per_second").measured("mean")
    derived = ratio(draft.number("output_tokens"), draft.number("duration_s"))
    if derived is None:
        draft.given("throughput_tokens_per_s", stated)
        total = _distribution(benchmark, "tokens_per_second").measured("mean")
        draft.given("total_throughput_tokens_per_s", total)
    elif stated and abs(stated - derived) > RATE_GAP * derived:
        draft.warnings.append(
            f"output_tokens_per_second is {stated:.4g}, but its tokens over its duration are {derived:.4g} a second."
        )


def _read_latencies(draft: Draft, benchmark: Fields) -> None:
    first, gaps = (_distribution(benchmark, name) for name in ("time_to_first_token_ms", "inter_token_latency_ms"))
    read_latency(draft, "ttft", _parts(first))
    draft.missing("ttft_ms_mean", "Answers were not streamed, so no first token was seen.")
    read_latency(draft, "tpot", _parts(gaps), _TPOT_NOTE)
    draft.given("itl_ms_mean", gaps.measured("mean"), _ITL_NOTE)
    whole = _distribution(benchmark, "request_latency")
    seconds = {part: (value or 0.0) * 1000 for part, value in _parts(whole).items()}
    read_latency(draft, "e2e", seconds, "Seconds in the file.")


def _parts(distribution: Fields) -> dict[str, float | None]:
    """Return the figures of a distribution; before 0.4 the median stands only beside the percentiles."""
    found = {part: distribution.number(f"percentiles.{part}") for part in PARTS}
    return {**found, "mean": distribution.number("mean"), "p50": found["p50"] or distribution.number("median")}
