"""Reads result files of the llem CLI, of other tools and of this site's own form (docs/importers.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leaderboard.importers.aiperf import AIPerf
from leaderboard.importers.base import (
    SHAPES_IN_WORDS,
    Document,
    Importer,
    ImportRefused,
    Measurement,
    Refused,
    refuse_or_collect,
)
from leaderboard.importers.documents import MAX_RESULTS, Upload, sort_documents
from leaderboard.importers.guidellm import GuideLLM
from leaderboard.importers.inference_perf import InferencePerf, reports_to_leave_out
from leaderboard.importers.llem_bundle import LlemBundle
from leaderboard.importers.llem_common import repeat_key_of
from leaderboard.importers.llem_result import LlemResult
from leaderboard.importers.llem_study import LlemMultiCycle, manifest_version, note_absent_cycles, refuse_lone_manifests
from leaderboard.importers.llem_v1 import LlemV1
from leaderboard.importers.llm_d import LlmD
from leaderboard.importers.localscore import LocalScore
from leaderboard.importers.ml_energy import MlEnergy
from leaderboard.importers.normal_form import NormalForm
from leaderboard.importers.optimum_benchmark import OptimumBenchmark
from leaderboard.importers.repeats import merge_repeats
from leaderboard.importers.vllm_bench import VllmBench
from leaderboard.normal import Origin, ParsedResult
from lemsite.lib.archives import Entry

__all__ = ["ImportRefused", "Imported", "Refused", "import_files"]

# In this order a document is detected, and results are read: a multi-cycle file before the files of its cycles.
_IMPORTERS: tuple[Importer, ...] = (
    LlemMultiCycle(),
    LlemBundle(),
    LlemResult(),
    LlemV1(),
    AIPerf(),
    # Before vLLM's: the benchmark of ML.ENERGY grew out of it and has its keys, too.
    MlEnergy(),
    LocalScore(),
    OptimumBenchmark(),
    VllmBench(),
    GuideLLM(),
    InferencePerf(),
    LlmD(),
    NormalForm(),
)
_BY_SHAPE = {shape: importer for importer in _IMPORTERS for shape in importer.shapes}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an upload holds."""

    #: the one shape that its results have, or "mixed"
    shape: str
    results: list[ParsedResult]
    #: the files worth storing, as uploaded (not yet redacted)
    kept: list[Entry]
    #: (path, why) of each file that was left out
    ignored: list[tuple[str, str]]


def import_files(
    entries: Sequence[Entry], *, refused: Refused | None = None, on_file: Callable[[], None] = lambda: None
) -> Imported:
    """Read the files of one upload into results, cycles of one configuration merged.

    Raises ImportRefused, and nothing else, for the first file that cannot be read; with a list `refused` such files
    are put there instead and the others are read. `on_file` is called as each file has been parsed.
    """
    if not entries:
        raise ImportRefused("The upload holds no file.", file="")
    upload = sort_documents(entries, _IMPORTERS, refused=refused, on_file=on_file)
    _leave_out_processes(upload)
    _leave_out_reports(upload)
    refuse_lone_manifests(upload.manifests, [document for _, document in upload.results], refused)
    measurements = _read_all(upload, refused)
    if not measurements:
        raise ImportRefused(
            f"{entries[0].path}: the upload holds no result; this site reads {SHAPES_IN_WORDS}.", file=entries[0].path
        )
    results = merge_repeats(measurements)
    note_absent_cycles(upload.manifests, results)
    left_out = {path for path, _ in upload.ignored} | upload.unreadable
    kept = [upload.replaced.get(entry.path, entry) for entry in entries if entry.path not in left_out]
    return Imported(shape=_shape(upload, measurements), results=results, kept=kept, ignored=upload.ignored)


def _shape(upload: Upload, measurements: Sequence[Measurement]) -> str:
    shapes = {measurement.shape for measurement in measurements}
    if upload.manifests:
        return "study_manifest"
    if upload.studies and all(upload.is_from_study(measurement.parsed.file) for measurement in measurements):
        return "study_result"
    return shapes.pop() if len(shapes) == 1 else "mixed"


def _leave_out_processes(upload: Upload) -> None:
    """Drop raw processes whose experiment is in the upload as a whole: they are parts of it, not results."""
    whole = {_experiment(document) for shape, document in upload.results if shape != "raw_process_v1"}
    for shape, document in upload.results:
        if shape == "multi_cycle_v1" and isinstance(cycles := document.data.get("cycle_results"), list):
            whole |= {_experiment(Document("", cycle, "")) for cycle in cycles}
    whole.discard(None)
    kept = []
    for shape, document in upload.results:
        if shape == "raw_process_v1" and _experiment(document) in whole:
            upload.ignored.append((document.source, "Its experiment is in the upload as a whole."))
        else:
            kept.append((shape, document))
    upload.results = kept


def _leave_out_reports(upload: Upload) -> None:
    """Drop reports of inference-perf that say again what others in the upload say."""
    repeated = reports_to_leave_out([document for shape, document in upload.results if shape == "inference_perf"])
    upload.results = [(shape, document) for shape, document in upload.results if document.path not in repeated]
    upload.ignored += repeated.items()


def _experiment(document: Document) -> str | None:
    name = document.data.get("experiment_id") if isinstance(document.data, dict) else None
    return name if isinstance(name, str) else None


def _read_all(upload: Upload, refused: Refused | None) -> list[Measurement]:
    order = list(_BY_SHAPE)

    def rank(item: tuple[str, Document]) -> tuple[bool, int]:
        # A result with its own files beside it says more than its copy inside a StudyResult.
        return upload.is_from_study(item[1].path), order.index(item[0])

    seen: dict[str, str] = {}
    found: list[Measurement] = []
    for shape, document in sorted(upload.results, key=rank):
        if len(found) > MAX_RESULTS:
            raise ImportRefused(f"The upload holds more than {MAX_RESULTS} results; split it.", file=document.source)
        for measurement in _read(shape, document, upload, refused):
            _complete_version(measurement, upload)
            first = seen.setdefault(measurement.parsed.identity, document.path)
            if first == document.path or not _is_identifying(measurement.parsed):
                found.append(measurement)
            else:
                upload.ignored.append((document.path, f"It is the same measurement as {first}."))
    return found


def _read(shape: str, document: Document, upload: Upload, refused: Refused | None) -> Sequence[Measurement]:
    try:
        return _BY_SHAPE[shape].read(document, upload.sides_of(document))
    except ImportRefused as error:
        refuse_or_collect(refused, error)
        return ()


def _is_identifying(parsed: ParsedResult) -> bool:
    return parsed.values.started_at is not None and parsed.values.total_energy_j is not None


def _complete_version(measurement: Measurement, upload: Upload) -> None:
    """Take the tool's version from the study's manifest where the result does not give it."""
    parsed = measurement.parsed
    version = manifest_version(upload.manifests, parsed.file) if parsed.values.tool_version is None else None
    if version:
        parsed.values.tool_version = version
        parsed.origins["tool_version"] = Origin.FILE
        parsed.notes["tool_version"] = "From the study's manifest.json."
        measurement.repeat_key = repeat_key_of(parsed.values) or measurement.repeat_key
