"""Studies of the llem CLI: multi-cycle files, StudyResult JSON, and manifest.json beside the results it lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from leaderboard.importers.base import Document, ImportRefused, Measurement, Refused, Sides, refuse_or_collect
from leaderboard.importers.fields import Fields
from leaderboard.importers.llem_v1 import read_aggregated
from leaderboard.normal import ParsedResult

#: the tool's names for its native statistics, and the column that each one is about
_STATED = {
    "energy": ("total_energy_j", "j"),
    "throughput": ("total_throughput_tokens_per_s", "tps"),
    "efficiency": ("total_tokens_per_joule", "tpj"),
}


class LlemMultiCycle:
    """A `multi_cycle` file of the first generation: its cycles are aggregated results, its statistics are kept."""

    shapes = ("multi_cycle_v1",)

    def detect(self, keys: frozenset[str]) -> str | None:
        return "multi_cycle_v1" if {"statistics", "cycle_results"} <= keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        study = Fields(document.data, document.path)
        cycles = study.each("cycle_results")
        if not cycles:
            raise study.refuse("cycle_results", "is empty; it must hold one result per cycle")
        stated = stated_statistics(study.below("statistics"))
        if any(len(cycle.items("process_results")) > 1 for cycle in cycles):
            # With several processes the tool's throughput is the mean of one process, not the system's.
            stated.pop("total_throughput_tokens_per_s", None)
        found = []
        for place, cycle in enumerate(cycles):
            parsed = read_aggregated(_complete(cycle.data, study), file=f"{document.path}: cycle_results[{place}]")
            parsed.stated_statistics = stated
            found.append(Measurement(parsed, "multi_cycle_v1", ("multi_cycle", document.path)))
        return found


def _complete(cycle: dict[str, Any], study: Fields) -> dict[str, Any]:
    """Cycles often leave out what the whole study shares."""
    return {**cycle, **{name: cycle.get(name) or study.raw(name) for name in ("effective_config", "backend")}}


def stated_statistics(statistics: Fields) -> dict[str, dict[str, float]]:
    """Return the file's own mean, sd, 95 % interval and CV per metric; its rates are over input and output tokens."""
    found: dict[str, dict[str, float]] = {}
    for word, (metric, unit) in _STATED.items():
        figures = {
            "mean": statistics.number(f"{word}_mean_{unit}"),
            "sd": statistics.number(f"{word}_std_{unit}"),
            "ci95_low": statistics.number(f"{word}_ci_95_lower", may_be_negative=True),
            "ci95_high": statistics.number(f"{word}_ci_95_upper", may_be_negative=True),
            "cv": statistics.number(f"{word}_cv"),
        }
        found[metric] = {name: value for name, value in figures.items() if value is not None}
    return {metric: figures for metric, figures in found.items() if figures}


def detect_study(keys: frozenset[str]) -> str | None:
    """Tell a manifest (what a study planned and did) from a StudyResult (its results in one file)."""
    if not {"study_design_hash", "experiments"} <= keys:
        return None
    return "study_manifest" if "started_at" in keys or "total_experiments" in keys else "study_result"


def experiments_of(study: Document) -> list[Document]:
    """Return the results inside a StudyResult JSON as documents of their own."""
    fields = Fields(study.data, study.path).each("experiments")
    if not fields:
        raise ImportRefused.for_field(study.path, "experiments", "is empty; it must hold the results of the study")
    return [
        Document(f"{study.path}: experiments[{place}]", item.data, study.source) for place, item in enumerate(fields)
    ]


def refuse_lone_manifests(
    manifests: Sequence[Document], results: Sequence[Document], refused: Refused | None = None
) -> None:
    """A manifest says what a study did; the figures are in the results beside it."""
    for manifest in manifests:
        if not any(_is_below(manifest, result.path) for result in results):
            refuse_or_collect(
                refused,
                ImportRefused(
                    f"{manifest.path}: experiments lists results that are in files of their own, and none of them is "
                    "in the upload; send the whole folder of the study, zipped.",
                    file=manifest.path,
                    field="experiments",
                ),
            )


def note_absent_cycles(manifests: Sequence[Document], results: Iterable[ParsedResult]) -> None:
    """Say so where some cycles are left out: a mean over the better ones is not the study's mean."""
    listed = [(manifest, _completed_cycles(Fields(manifest.data, manifest.path))) for manifest in manifests]
    for result in results:
        counts = next((counts for manifest, counts in listed if _is_below(manifest, result.file)), Counter())
        wanted, present = counts[result.values.config_hash or ""], result.values.runs or 1
        if wanted > present:
            note = f"The study's manifest lists {wanted} completed cycles of this configuration; {present} are here."
            result.notes["runs"] = note
            result.warnings.append(note)


def manifest_version(manifests: Sequence[Document], path: str) -> str | None:
    """Return the tool version that the manifest above this result states."""
    for manifest in manifests:
        if _is_below(manifest, path):
            return Fields(manifest.data, manifest.path).text("llenergymeasure_version", limit=80)
    return None


def _is_below(manifest: Document, path: str) -> bool:
    return not manifest.folder or path.startswith(f"{manifest.folder}/")


def _completed_cycles(manifest: Fields) -> Counter[str]:
    entries = manifest.each("experiments")
    done = (entry.text("config_hash", limit=80) for entry in entries if entry.text("status") == "completed")
    return Counter(name for name in done if name)
