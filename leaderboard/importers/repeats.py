"""Cycles of one configuration become one result: the mean over cycles, and each cycle beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from leaderboard.importers.base import Measurement
from leaderboard.normal import CONFIG_EDITED, NormalResult, Origin, ParsedResult

#: figures that are measured anew in each cycle; everything else describes the set-up
_MEASURED = frozenset(
    {
        "success_rate",
        "output_tokens",
        "input_tokens",
        "duration_s",
        "throughput_tokens_per_s",
        "total_throughput_tokens_per_s",
        "requests_per_s",
        "total_energy_j",
        "adjusted_energy_j",
        "host_energy_j",
        "energy_per_output_token_j",
        "energy_per_total_token_j",
        "tokens_per_joule",
        "total_tokens_per_joule",
        "avg_power_w",
        "idle_power_w",
        "flops_per_second",
        "peak_memory_mb",
        "peak_memory_total_mb",
        "quality_composite",
        *(name for name in NormalResult.model_fields if name.split("_ms_")[0] in ("ttft", "itl", "tpot", "e2e")),
    }
)
_EXTREMES = {"started_at": min, "ended_at": max}
_WHOLE = frozenset({"output_tokens", "input_tokens"})


def merge_repeats(measurements: Sequence[Measurement]) -> list[ParsedResult]:
    """Return one result per configuration, in the order of first appearance."""
    groups: dict[tuple[str, ...], list[ParsedResult]] = {}
    for place, measurement in enumerate(measurements):
        groups.setdefault(measurement.repeat_key or ("alone", str(place)), []).append(measurement.parsed)
    return [_with_note(_single(group[0]) if len(group) == 1 else merge(group)) for group in groups.values()]


def _with_note(parsed: ParsedResult) -> ParsedResult:
    if parsed.config_hash_matches is False:
        parsed.notes["config_hash"] = CONFIG_EDITED
    return parsed


def _single(parsed: ParsedResult) -> ParsedResult:
    if parsed.values.runs is None:
        parsed.values.runs = 1
        parsed.origins["runs"] = Origin.COMPUTED
        parsed.notes["runs"] = "One measurement, without repeats."
    return parsed


def merge(cycles: Sequence[ParsedResult]) -> ParsedResult:
    """Return the mean over `cycles`. Ratios such as tokens per joule are taken per cycle first, then averaged."""
    first = cycles[0]
    values: dict[str, Any] = {}
    origins = dict(first.origins)
    notes = dict(first.notes)
    for name in NormalResult.model_fields:
        found = [value for cycle in cycles if (value := getattr(cycle.values, name)) is not None]
        if not found:
            continue
        if name in _MEASURED:
            values[name], notes[name] = _mean(name, found, len(cycles))
            origins[name] = Origin.COMPUTED
        elif (common := _common(name, found)) is not None:
            values[name] = common
            origins[name], note = _origin(name, cycles)
            notes[name] = note or ""
        else:
            origins[name], notes[name] = Origin.MISSING, "The cycles differ in this value."
    values["runs"] = len(cycles)
    origins["runs"] = Origin.COMPUTED
    notes["runs"] = f"{len(cycles)} cycles of the same configuration, on the same GPU, with the same tool version."
    return ParsedResult(
        values=NormalResult(**values),
        origins=origins,
        file=first.file,
        notes={name: note for name, note in notes.items() if note},
        cycles=[cycle.values for cycle in cycles],
        stated_statistics=first.stated_statistics,
        config=first.config,
        environment=first.environment,
        warnings=list(dict.fromkeys(warning for cycle in cycles for warning in cycle.warnings)),
        identity=_identity(cycles),
        config_hash_matches=_all_match([cycle.config_hash_matches for cycle in cycles]),
    )


def _mean(name: str, found: list[Any], cycles: int) -> tuple[Any, str]:
    # Rounding must not carry a mean outside its values: a share of 1.0000000000000002 is no share.
    mean = min(max(sum(value / len(found) for value in found), min(found)), max(found))
    note = f"The mean over {cycles} cycles."
    if len(found) < cycles:
        note = f"The mean over the {len(found)} of {cycles} cycles that have it."
    return (round(mean) if name in _WHOLE else mean), note


def _common(name: str, found: list[Any]) -> Any:
    """Return what all cycles agree on: the first start and the last end, else the value that none contradicts."""
    if name in _EXTREMES:
        return _EXTREMES[name](found)
    return found[0] if all(value == found[0] for value in found) else None


def _origin(name: str, cycles: Sequence[ParsedResult]) -> tuple[Origin, str | None]:
    """Return origin and note of the first cycle that has the value."""
    first = next(cycle for cycle in cycles if getattr(cycle.values, name) is not None)
    return first.origins[name], first.notes.get(name)


def _identity(cycles: Sequence[ParsedResult]) -> str:
    each = "\n".join(sorted(cycle.identity for cycle in cycles))
    return f"{len(cycles)} cycles|{hashlib.sha256(each.encode()).hexdigest()}"


def _all_match(matches: list[bool | None]) -> bool | None:
    known = [match for match in matches if match is not None]
    return all(known) if known else None
