"""Benchmark reports of llm-d, versions 0.1 and 0.2 (with 0.2.1), in YAML or JSON. Every quantity states its units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import Draft, ratio
from leaderboard.importers.fields import Fields
from leaderboard.importers.llm_d_stack import read_hosts, read_stack
from leaderboard.importers.serving import (
    PARTS,
    UNLIMITED,
    drop_chunked_median,
    load_identity,
    rate_or_unlimited,
    read_epochs,
    read_latency,
    read_requests,
)
from leaderboard.importers.units import MEGABYTES, MILLISECONDS, scaled
from leaderboard.normal import BIGGEST_NUMBER

_TIME = {unit: MILLISECONDS[unit] for unit in ("ms", "s")}
_PER_TOKEN = {f"{unit}/token": factor for unit, factor in _TIME.items()}
#: family -> (the report's name, its units)
_FAMILIES: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "ttft": ("time_to_first_token", _TIME),
    "tpot": ("time_per_output_token", _PER_TOKEN),
    "itl": ("inter_token_latency", _PER_TOKEN),
    "e2e": ("request_latency", _TIME),
}
_COUNT = {"count": 1.0}
_TOKENS_PER_S = {"tokens/s": 1.0}
_REQUESTS_PER_S = {"queries/s": 1.0}
WATTS: Mapping[str, float] = {"Watts": 1.0, "W": 1.0, "kW": 1e3}
_MEMORY = {"bytes": 1e-6, "TB": 1e6, "TiB": 1099511.627776, **MEGABYTES}
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,20})?)S)?)?")
#: beyond this share the counts and the rates are of different things, and the reader is told
COUNT_GAP = 0.10


class LlmD:
    """One report: one stage of one run, with the stack that served it."""

    shapes = ("llm_d_1", "llm_d_2")

    def detect(self, keys: frozenset[str]) -> str | None:
        if {"version", "scenario", "metrics"} <= keys:
            return "llm_d_1"
        return "llm_d_2" if {"version", "run", "results"} <= keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        report = Fields(document.data, document.path)
        draft = Draft(document.path)
        shape = self.detect(document.keys) or self.shapes[0]
        read = _read_1 if shape == "llm_d_1" else _read_2
        config = read(draft, report)
        drop_chunked_median(draft)
        draft.missing("total_energy_j", "The report holds no energy.")
        return [Measurement(draft.finish(identity=load_identity(draft), config=config), shape)]


def _read_1(draft: Draft, report: Fields) -> dict[str, Any]:
    scenario, metrics = report.below("scenario"), report.below("metrics")
    load = scenario.below("load")
    draft.given("tool", load.text("name", limit=80))
    read_hosts(draft, scenario)
    seconds = read_epochs(draft, metrics, start="time.start", end="time.stop")
    _read_load(draft, load.below("args"), rate="request_rate", concurrency="max_concurrency")
    requests, rates = metrics.below("requests"), metrics.below("throughput")
    draft.given("requests_per_s", rates.measured("requests_per_sec"))
    draft.given("throughput_tokens_per_s", rates.measured("output_tokens_per_sec"))
    draft.given("total_throughput_tokens_per_s", rates.measured("total_tokens_per_sec"))
    _read_window(draft, requests, metrics.measured("time.duration") or seconds, rates.measured("input_tokens_per_sec"))
    _read_latencies(draft, metrics.below("latency"))
    for resources in metrics.each("resources.accelerator"):
        _read_single_gpu(draft, resources, power="power", memory="memory.consumption")
    return scenario.data


def _read_2(draft: Draft, report: Fields) -> dict[str, Any]:
    scenario, results = report.below("scenario"), report.below("results")
    load = scenario.below("load.standardized")
    draft.given("tool", load.text("tool", limit=80))
    draft.given("tool_version", load.text("tool_version", limit=80))
    read_stack(draft, scenario)
    seconds = draft.times(report.below("run.time"), start="start", end="end")
    _read_load(draft, load, rate="rate_qps", concurrency="concurrency")
    aggregate = results.below("request_performance.aggregate")
    rates = aggregate.below("throughput")
    draft.given("requests_per_s", _mean(rates, "request_rate", _REQUESTS_PER_S))
    draft.given("throughput_tokens_per_s", _mean(rates, "output_token_rate", _TOKENS_PER_S))
    draft.given("total_throughput_tokens_per_s", _mean(rates, "total_token_rate", _TOKENS_PER_S))
    incoming = _mean(rates, "input_token_rate", _TOKENS_PER_S)
    _read_window(draft, aggregate.below("requests"), _duration(report) or seconds, incoming)
    _read_latencies(draft, aggregate.below("latency"))
    for component in results.each("observability.components"):
        _read_single_gpu(draft, component.below("aggregate"), power="power_consumption", memory="gpu_memory_usage")
    return scenario.data


def _mean(place: Fields, name: str, table: Mapping[str, float]) -> float | None:
    return scaled(place.below(name), "mean", table, unit="units") or None


def _read_load(draft: Draft, load: Fields, *, rate: str, concurrency: str) -> None:
    limit = load.raw(concurrency)
    if isinstance(limit, str) and limit.lower() in UNLIMITED:
        draft.missing("concurrency", "The load had no limit; please state how many sequences the engine ran together.")
    else:
        draft.given("concurrency", load.small(concurrency))
    draft.given("request_rate_per_s", rate_or_unlimited(load, rate))


def _read_window(draft: Draft, requests: Fields, seconds: float | None, incoming: float | None) -> None:
    """Set requests, measured time and tokens.

    The report's own duration is that of the harness with start-up and other stages, or of sending alone; its rates
    are over the time from the first request to the last answer, which follows from the number of answers.
    """
    total, failed, cut_off = (requests.count(name) for name in ("total", "failures", "incomplete"))
    answered = None if total is None else total - (failed or 0) - (cut_off or 0)
    if answered is not None and answered < 0:
        raise requests.refuse("total", f"is {total}, fewer than those that failed or were not completed")
    read_requests(draft, requests, answered=answered, failed=failed, cut_off=cut_off)
    window = ratio(answered, draft.number("requests_per_s"))
    draft.computed("duration_s", window, "Answered requests divided by their rate; the report's own time is another.")
    draft.computed("duration_s", seconds, "The report's own duration.")
    lengths = {name: scaled(requests.below(name), "mean", _COUNT, unit="units") for name in _LENGTHS}
    for name, rate in (
        ("output_length", draft.number("throughput_tokens_per_s")),
        ("input_length", incoming),
    ):
        _read_tokens(draft, name, rate=rate, by_length=(lengths[name] or 0.0) * (answered or 0))


_LENGTHS = {"output_length": "output_tokens", "input_length": "input_tokens"}


def _read_tokens(draft: Draft, length: str, *, rate: float | None, by_length: float) -> None:
    name = _LENGTHS[length]
    by_rate = (rate or 0.0) * (draft.number("duration_s") or 0.0)
    if max(by_rate, by_length) > BIGGEST_NUMBER:
        return
    draft.computed(name, round(by_rate) or None, "The rate times the measured time.")
    draft.computed(name, round(by_length) or None, f"Answered requests times their mean {length}.")
    if by_rate and by_length and abs(by_rate - by_length) > COUNT_GAP * by_length:
        draft.warnings.append(
            f"The rate gives {by_rate:.6g} {name.replace('_', ' ')}, but requests times {length} {by_length:.6g}."
        )


def _read_latencies(draft: Draft, latency: Fields) -> None:
    for family, (name, table) in _FAMILIES.items():
        place = latency.below(name)
        note = f"The file gives {place.text('units', limit=80)}." if place.data else None
        read_latency(draft, family, {part: scaled(place, part, table, unit="units") for part in PARTS}, note)


def _read_single_gpu(draft: Draft, resources: Fields, *, power: str, memory: str) -> None:
    """Read mean power and peak memory where only one GPU took part: else the report does not say of how many."""
    watts = scaled(resources.below(power), "mean", WATTS, unit="units") or None
    peak = scaled(resources.below(memory), "max", _MEMORY, unit="units") or None
    if draft.values.get("gpu_count") == 1:
        draft.given("avg_power_w", watts)
        draft.computed("energy_scope", "gpu" if watts else None, "The accelerator's own power, as DCGM gives it.")
        draft.given("peak_memory_mb", peak)
    for name, value in (("avg_power_w", watts), ("peak_memory_mb", peak)):
        if value:
            draft.missing(name, "The report does not say whether its figure is of one GPU or of all of them.")


def _duration(report: Fields) -> float | None:
    """Return `run.time.duration`, an ISO 8601 duration such as PT49.9S, in seconds."""
    text = report.text("run.time.duration", limit=80)
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise report.refuse("run.time.duration", f"is {text!r}, but must be a duration such as PT49.9S")
    days, hours, minutes, seconds = (float(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds() or None
