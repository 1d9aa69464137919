"""From the files of an upload to documents: parsed, spread out, and told apart by their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from leaderboard.importers.base import (
    SHAPES_IN_WORDS,
    Document,
    Importer,
    ImportRefused,
    Refused,
    Sides,
    refuse_or_collect,
)
from leaderboard.importers.foreign_files import IGNORED_NAMES, RUN_CONFIG, unused_because
from leaderboard.importers.llem_study import detect_study, experiments_of
from leaderboard.importers.localscore_db import as_text, is_database, run_documents
from leaderboard.importers.ml_energy import without_requests
from leaderboard.importers.normal_form import csv_documents
from leaderboard.importers.telemetry import Reading, is_telemetry, read_telemetry
from leaderboard.importers.yaml_reading import is_yaml, is_yaml_report, read_yaml
from lemsite.lib.archives import Entry
from lemsite.lib.strict_json import BadJson, loads

MAX_JSON_BYTES = 16 << 20
MAX_JSON_NODES = 1_000_000
#: over all files of an upload: what their objects may take in memory together
MAX_TOTAL_NODES = 2_000_000
MAX_JSON_DEPTH = 32
#: over all YAML of an upload, which is parsed slower than JSON: a hundred reports
MAX_TOTAL_YAML_BYTES = 4 << 20
#: a study of 500 configurations and 4 cycles; more belongs into several uploads
MAX_RESULTS = 2000

_IGNORED_ENDINGS = {
    "parquet": "Time series and request logs are not imported.",
    "jsonl": "Event and progress logs are not imported.",
    "yaml": "Configurations are read from the results, not from YAML files.",
    "yml": "Configurations are read from the results, not from YAML files.",
    "log": "Logs are not imported.",
    "txt": "Texts are not imported.",
    "md": "Texts are not imported.",
    "stdout": "Logs are not imported.",
    "stderr": "Logs are not imported.",
    "lock": "Lock files are not imported.",
}
_STUDY_ARTEFACTS = "Files about the study as a whole are not imported."
_IGNORED_PARTS = {"_study-artefacts": _STUDY_ARTEFACTS, "system_overrides.json": _STUDY_ARTEFACTS}
#: JSON that llem writes beside results: what tells it apart, and what becomes of it
_BESIDE: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"declared_config"}), "config"),
    (frozenset({"observed_config_hash"}), "config"),
    (frozenset({"experiment_id", "hardware", "python_version"}), "environment"),
)
_UNUSED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"process_index", "samples"}), "Time series are not imported."),
    (frozenset({"groups", "observed_collision_groups"}), "The tool's own list of equal configurations is not needed."),
    (frozenset({"power_w", "sample_count"}), "The idle baseline is read from the results."),
    (frozenset({"study_design_hash", "python_version"}), "The machine is read from the files beside each result."),
    (frozenset({"config_hash", "skip_reason"}), "Skipped experiments have no result."),
)


@dataclass(slots=True)
class Upload:
    """The documents of one upload, sorted by what they are."""

    #: results by the name of their shape
    results: list[tuple[str, Document]] = field(default_factory=list)
    manifests: list[Document] = field(default_factory=list)
    studies: list[Document] = field(default_factory=list)
    configs: list[Document] = field(default_factory=list)
    environments: list[Document] = field(default_factory=list)
    run_configs: list[Document] = field(default_factory=list)
    #: by the folder of the file
    telemetry: dict[str, list[Reading]] = field(default_factory=dict)
    #: what is kept in place of a file that is no text, by its path
    replaced: dict[str, Entry] = field(default_factory=dict)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    #: files that were refused as a whole
    unreadable: set[str] = field(default_factory=set)

    def forget(self, path: str) -> None:
        """Drop what was sorted of a file before it turned out unreadable."""
        self.unreadable.add(path)
        self.results = [(shape, document) for shape, document in self.results if document.source != path]
        self.studies = [study for study in self.studies if study.path != path]

    def is_from_study(self, path: str) -> bool:
        return any(path.startswith(f"{study.path}: ") for study in self.studies)

    def leave_out_lone_sides(self) -> None:
        """Name the side files that no result claims, so that nobody believes they were read."""
        for side in (*self.configs, *self.environments, *self.run_configs):
            if not any(result.folder == side.folder and _belongs(result.data, side.data) for _, result in self.results):
                self.ignored.append((side.path, "It belongs to no result in the same folder."))

    def sides_of(self, result: Document) -> Sides:
        """Return config.json and system.json (or environment.json) of this result: same folder, same hash."""
        return Sides(
            config=_beside(result, self.configs),
            environment=_beside(result, self.environments),
            run_config=_beside(result, self.run_configs),
            telemetry=self.telemetry.get(result.folder, ()),
        )

    def leave_out_repeated_reports(self) -> None:
        """optimum-benchmark writes benchmark.json, and the two halves of it again as files of their own."""
        whole = {result.folder for shape, result in self.results if shape == "optimum_benchmark"}
        repeated = {
            result.source for shape, result in self.results if shape == "optimum_report" and result.folder in whole
        }
        repeated |= {side.source for side in self.run_configs if side.folder in whole}
        self.results = [(shape, result) for shape, result in self.results if result.source not in repeated]
        self.run_configs = [side for side in self.run_configs if side.source not in repeated]
        self.ignored += [(path, "It repeats what benchmark.json beside it holds.") for path in sorted(repeated)]


def _beside(result: Document, candidates: Sequence[Document]) -> dict[str, Any]:
    for candidate in candidates:
        if candidate.folder == result.folder and _belongs(result.data, candidate.data):
            return dict(candidate.data)
    return {}


def _belongs(result: Any, side: dict[str, Any]) -> bool:
    if not isinstance(result, dict):
        return False
    pairs = (
        (result.get("experiment_id"), side.get("experiment_id")),
        (_hash_of(result), _hash_of(side)),
    )
    return all(own is None or other is None or own == other for own, other in pairs)


def _hash_of(data: dict[str, Any]) -> Any:
    return data.get("declared_config_hash") or data.get("measurement_config_hash")


def sort_documents(
    entries: Sequence[Entry],
    importers: Sequence[Importer],
    *,
    refused: Refused | None = None,
    on_file: Callable[[], None] = lambda: None,
) -> Upload:
    """Parse every file and sort its documents, or raise ImportRefused for the first file that cannot be used.

    With a list `refused` such files are put there, and the rest is sorted.
    """
    upload = Upload()
    is_alone = len(entries) == 1
    _check_size(entries)
    for entry in entries:
        is_read = is_alone or is_telemetry(entry.path, entry.content) or is_yaml_report(entry)
        why = None if is_read else _reason_to_ignore(entry.path)
        if why:
            upload.ignored.append((entry.path, why))
        else:
            try:
                _sort_entry(upload, entry, importers)
            except ImportRefused as error:
                refuse_or_collect(refused, error)
                upload.forget(entry.path)
        on_file()
    if len(upload.results) > MAX_RESULTS:
        raise ImportRefused(f"The upload holds more than {MAX_RESULTS} results; split it.", file=entries[0].path)
    upload.leave_out_repeated_reports()
    upload.leave_out_lone_sides()
    return upload


def _sort_entry(upload: Upload, entry: Entry, importers: Sequence[Importer]) -> None:
    if is_database(entry.content):
        runs = run_documents(entry.path, entry.content)
        upload.results += [("localscore", run) for run in runs]
        upload.replaced[entry.path] = as_text(entry.path, runs)
    elif is_telemetry(entry.path, entry.content):
        folder = entry.path.rpartition("/")[0]
        upload.telemetry.setdefault(folder, []).extend(read_telemetry(entry.path, entry.content))
    elif entry.path.lower().endswith(".csv"):
        upload.results += [("normal_csv", row) for row in csv_documents(entry.path, entry.content)]
    else:
        _sort_json(upload, Document(entry.path, _parse(entry), entry.path), importers)


def _check_size(entries: Sequence[Entry]) -> None:
    if sum(len(entry.content) for entry in entries if is_yaml_report(entry)) > MAX_TOTAL_YAML_BYTES:
        raise ImportRefused(
            f"The YAML files hold more than {MAX_TOTAL_YAML_BYTES >> 20} MiB together; split the upload.",
            file=entries[0].path,
        )
    nodes = 0
    for entry in entries:
        if _reason_to_ignore(entry.path) is None:
            # An upper bound, at the speed of a byte search; commas inside text count too.
            nodes += sum(entry.content.count(sign) for sign in (b",", b"[", b"{"))
        if nodes > MAX_TOTAL_NODES:
            raise ImportRefused(
                f"The files hold more than {MAX_TOTAL_NODES} values; split the upload.", file=entry.path
            )


def _reason_to_ignore(path: str) -> str | None:
    parts = path.lower().split("/")
    by_place = next((why for part in parts if (why := _IGNORED_PARTS.get(part))), None)
    return by_place or IGNORED_NAMES.get(parts[-1]) or _IGNORED_ENDINGS.get(parts[-1].rpartition(".")[2])


def _parse(entry: Entry) -> Any:
    if is_yaml(entry.path):
        return read_yaml(entry)
    try:
        return loads(entry.content, max_bytes=MAX_JSON_BYTES, max_depth=MAX_JSON_DEPTH, max_nodes=MAX_JSON_NODES)
    except BadJson as error:
        hint = _reason_to_ignore(entry.path)
        raise ImportRefused(f"{entry.path}: {error}. {hint or ''}".rstrip(), file=entry.path) from None


def _sort_json(upload: Upload, document: Document, importers: Sequence[Importer]) -> None:
    shape = _shape_of(document, importers)
    if shape == "study_manifest":
        upload.manifests.append(document)
    elif shape == "study_result":
        upload.studies.append(document)
        for experiment in experiments_of(document):
            _sort_result(upload, experiment, importers)
    elif shape:
        _sort_result(upload, document, importers)
    elif not _sort_beside(upload, document):
        for part in _spread(document):
            _sort_result(upload, part, importers)


def _shape_of(document: Document, importers: Sequence[Importer]) -> str | None:
    keys = document.keys
    return detect_study(keys) or next((shape for importer in importers if (shape := importer.detect(keys))), None)


def _sort_beside(upload: Upload, document: Document) -> bool:
    kind = next((kind for sign, kind in _BESIDE if sign <= document.keys), None)
    if kind == "config":
        upload.configs.append(document)
    elif kind == "environment":
        upload.environments.append(document)
    elif document.keys >= RUN_CONFIG:
        upload.run_configs.append(document)
    else:
        why = next((why for sign, why in _UNUSED if sign <= document.keys), None) or unused_because(document.data)
        if why is None:
            return False
        upload.ignored.append((document.path, why))
    return True


def _spread(document: Document) -> list[Document]:
    """Return the items of an array, or of {"results": [...]}; anything else is one document."""
    data, label = document.data, document.path
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        data, label = data["results"], f"{label}: results"
    if not isinstance(data, list):
        return [document]
    if not data:
        raise ImportRefused(
            f"{document.path}: it is an empty list; it must hold at least one result.", file=document.path
        )
    return [Document(f"{label}[{place}]", item, document.source) for place, item in enumerate(data)]


def _sort_result(upload: Upload, document: Document, importers: Sequence[Importer]) -> None:
    shape = _shape_of(document, importers)
    if shape is None or shape.startswith("study_"):
        raise ImportRefused(
            f"{document.path}: it is none of the shapes that this site reads: {SHAPES_IN_WORDS}.", file=document.source
        )
    upload.results.append((shape, document))
    if shape == "ml_energy_run" and document.path == document.source:
        upload.replaced[document.source] = without_requests(document)
        upload.ignored.append((f"{document.path}: results", IGNORED_NAMES["profile_export.jsonl"]))
