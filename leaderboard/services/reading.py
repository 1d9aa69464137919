"""Understanding an upload: import, fill in what the uploader states, redact, check. Nothing is stored here."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from pydantic import ValidationError

from accounts.models import User
from leaderboard import checks
from leaderboard.checks import Severity
from leaderboard.importers import Imported, ImportRefused, Refused, import_files
from leaderboard.models import RawFile, Result, Submission, SubmissionStatus, Trust
from leaderboard.normal import NormalResult, Origin, ParsedResult
from leaderboard.redaction import redact_document, redact_value
from leaderboard.services.catalogue import find_all_targets
from leaderboard.services.scoring import NAME_COLUMNS, Judged, Targets, check, parsed_from, surroundings, trust_level
from lemsite.lib.archives import Entry
from lemsite.lib.strict_json import BadJson, check_text

#: what an uploader may state where the files are silent, in the order of the form; measurements are not among them
STATABLE: dict[str, str] = {
    "model": "Which model ran: org/name as on its model card.",
    "hardware": "Which GPU it ran on.",
    "gpu_count": "How many GPUs took part.",
    "backend": "Which inference engine ran the model.",
    "precision": "The precision of the weights.",
    "batch_size": "How many sequences ran together at most.",
    "backend_version": "The version of the inference engine.",
    "energy_scope": "What the energy meter saw: the GPUs, the node, or the wall socket.",
    "energy_method": "How the energy was measured.",
    "concurrency": "How many requests were in flight.",
    "tensor_parallel": "Over how many GPUs each layer was split.",
    "pipeline_parallel": "Over how many GPUs the layers were spread.",
    "dataset": "Which prompts were used.",
    "max_input_tokens": "The longest prompt allowed.",
    "max_output_tokens": "The longest answer allowed.",
    "requests": "How many requests were measured.",
    "prefix_caching": "Whether prefix caching was on.",
    "speculative_decoding": "Whether speculative decoding was on.",
}
#: without these no table can rank the result, or it ranks it with less than readers expect
ASKED = ("model", "hardware", "gpu_count", "backend", "precision", "batch_size", "energy_scope")
HOST_MEASURED = "The host sampled its GPUs ten times a second; this is its figure for the tool's own window."
HOST_SILENT = "The host's samples do not cover the tool's window, or its GPUs do not tell their energy and power."
#: how the hosts of this site mark files for which no GPU ran
SIMULATED_VERSION, SIMULATED_WARNING = "+simulated", "Simulated: "
#: field -> the other one that decides whether it is asked for
UNLESS = {"batch_size": "concurrency", "energy_scope": "total_energy_j"}
#: a submission that lacks one of these stays a draft
ESSENTIAL = ("model", "hardware")
COUNTED = (
    SubmissionStatus.PENDING,
    SubmissionStatus.PUBLISHED,
    SubmissionStatus.DISPUTED,
    SubmissionStatus.CHANGES_REQUESTED,
)


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """One result with everything that is known about it before it is stored."""

    parsed: ParsedResult
    targets: Targets
    findings: list[checks.Finding]
    trust: Trust

    @property
    def is_blocked(self) -> bool:
        return any(finding.severity == Severity.BLOCK for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Document:
    """One file worth keeping, redacted."""

    name: str
    content: bytes
    sha256: str
    original_sha256: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that at least one result lacks and the uploader may state."""

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class ByJob:
    """What the site knows of files that came from a job of its own."""

    #: what the job's host measured itself over the window of a measurement; None where it cannot tell
    host_energy_j: Callable[[NormalResult], float | None]
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What an upload was understood as."""

    shape: str
    results: list[CheckedResult]
    documents: list[Document]
    redacted: list[str]
    ignored: list[tuple[str, str]]
    stated: dict[str, Any]
    missing: list[Missing]
    is_simulated: bool = False

    @property
    def blocked(self) -> int:
        return sum(result.is_blocked for result in self.results)

    @property
    def lacks_essentials(self) -> list[str]:
        return [missing.field for missing in self.missing if missing.field in ESSENTIAL]


def read_upload(
    entries: Sequence[Entry],
    *,
    stated: Mapping[str, Any],
    provenance: str,
    owner: User | None = None,
    replacing: Submission | None = None,
    refused: Refused | None = None,
    by_job: ByJob | None = None,
    on_file: Callable[[], None] = lambda: None,
) -> Reading:
    """Understand an upload. Raises ImportRefused naming file and field; stores nothing.

    Nothing else of `owner`, whose upload it is, counts as a peer. What `replacing` holds is no duplicate: it goes.
    `by_job` is given for the files of a job, whose host has measured, too.
    With a list `refused`, files that cannot be read and results that cannot be right are put there, each with its
    sentence, and the rest is understood without them.
    """
    values = validate_stated(stated)
    imported = import_files(entries, refused=refused, on_file=on_file)
    for parsed in imported.results:
        parsed.identity = _identity(parsed)
        apply_stated(parsed, values)
        if by_job is not None:
            _add_host_energy(parsed, by_job)
    documents, redacted = _redact(imported)
    on_file()
    # Side files repeat rightly (the same machine, the same configuration); a file that results are read from does not.
    sources = {parsed.file for parsed in imported.results}
    hashes = {document.name: document.original_sha256 for document in documents if document.name in sources}
    duplicates = _find_duplicates(imported.results, hashes, replacing, owner=owner, each=refused is not None)
    is_simulated = (by_job is not None and by_job.is_simulated) or any(map(_says_simulated, imported.results))
    judged_as = Judged(provenance, is_simulated=is_simulated)
    results = _check_all(
        imported.results,
        judged_as,
        duplicates,
        owner=owner.pk if owner else None,
        apart_from=replacing.pk if replacing else None,
    )
    if refused is not None:
        results, documents = _leave_out_impossible(results, documents, refused)
    return Reading(
        shape=imported.shape,
        results=results,
        documents=documents,
        redacted=redacted,
        ignored=list(imported.ignored),
        stated=values,
        missing=find_missing([one.parsed for one in results]),
        is_simulated=judged_as.is_simulated,
    )


def find_missing(results: Sequence[ParsedResult]) -> list[Missing]:
    """The asked-for fields that some result lacks, each with the importer's reason or a general one."""
    missing = []
    for name in ASKED:
        unless = UNLESS.get(name)
        without = [parsed for parsed in results if getattr(parsed.values, name) is None]
        without = [one for one in without if not unless or _needs(name, getattr(one.values, unless))]
        if without:
            missing.append(_missing(name, without[0].notes))
    return missing


def _needs(name: str, other: Any) -> bool:
    """A batch size is asked for where there is no concurrency; an energy scope where there is an energy."""
    return (other is not None) == (name == "energy_scope")


def _missing(name: str, notes: Mapping[str, str]) -> Missing:
    return Missing(name, notes.get(name) or f"The file does not say. {STATABLE[name]}")


def missing_in(submission: Submission) -> list[Missing]:
    """`find_missing` for what is stored, without building every result."""
    columns = {name: NAME_COLUMNS.get(name, name) for name in (*ASKED, "concurrency", "total_energy_j")}
    rows = list(submission.results.order_by("position").values("notes", *columns.values()))
    missing = []
    for name in ASKED:
        unless = UNLESS.get(name)
        without = [
            row for row in rows if row[columns[name]] in (None, "") and (not unless or _needs(name, row[unless]))
        ]
        if without:
            missing.append(_missing(name, without[0]["notes"]))
    return missing


def check_again(results: Sequence[Result], stated: Mapping[str, Any]) -> list[CheckedResult]:
    """Stored results of one submission with these statements in place of the earlier ones."""
    again = []
    for result in results:
        parsed = parsed_from(result)
        for name, origin in parsed.origins.items():
            if origin == Origin.STATED:
                setattr(parsed.values, name, None)
                parsed.origins[name] = Origin.MISSING
        apply_stated(parsed, stated)
        again.append(parsed)
    if not results:
        return []
    submission = results[0].submission
    return _check_all(again, Judged.of(submission), {}, owner=submission.owner_id, apart_from=submission.pk)


def validate_stated(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The stated values in their types. Raises ImportRefused naming the first field that is wrong."""
    given = {name: value for name, value in stated.items() if value not in (None, "")}
    unknown = next((name for name in given if name not in STATABLE), None)
    if unknown is not None:
        raise ImportRefused(
            f"{unknown[:60]!r} cannot be stated; it has to come from a file. What can be: {', '.join(STATABLE)}.",
            file="stated",
            field=unknown[:60],
        )
    for name, value in given.items():
        _refuse_odd_text(name, value)
    try:
        model = NormalResult.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise ImportRefused(
            f"{field}: {str(first['input'])[:60]!r} is not right: {first['msg']}.", file="stated", field=field
        ) from error
    return {name: getattr(model, name) for name in given}


def _refuse_odd_text(name: str, value: Any) -> None:
    """Files are checked for such characters as they are parsed; what is typed into a form is not."""
    try:
        check_text(str(value))
    except BadJson as error:
        raise ImportRefused(f"{name}: {error}.", file="stated", field=name) from None


def apply_stated(parsed: ParsedResult, stated: Mapping[str, Any]) -> None:
    """Fill what the result lacks; what its file says stays."""
    for name, value in stated.items():
        if getattr(parsed.values, name) is None:
            setattr(parsed.values, name, value)
            parsed.origins[name] = Origin.STATED


def _add_host_energy(parsed: ParsedResult, by_job: ByJob) -> None:
    """Beside the tool's energy put the host's: of each cycle, and their mean, or of the one measurement."""
    windows = parsed.cycles or [parsed.values]
    measured = [by_job.host_energy_j(window) for window in windows]
    known = [joules for joules in measured if joules]
    if len(known) < len(windows):
        parsed.notes["host_energy_j"] = HOST_SILENT
        return
    for window, joules in zip(windows, known, strict=True):
        window.host_energy_j = joules
    parsed.values.host_energy_j = sum(known) / len(known)
    parsed.origins["host_energy_j"] = Origin.COMPUTED
    parsed.notes["host_energy_j"] = HOST_MEASURED


def _says_simulated(parsed: ParsedResult) -> bool:
    """The files that a simulated job leaves say what they are, and stay so when they are uploaded."""
    version = parsed.values.backend_version or ""
    return version.endswith(SIMULATED_VERSION) or any(text.startswith(SIMULATED_WARNING) for text in parsed.warnings)


def _identity(parsed: ParsedResult) -> str:
    """What makes it the same measurement when it is given twice: its start and figures, else all of its values."""
    values = parsed.values
    if parsed.identity and values.started_at is not None and (values.total_energy_j or values.output_tokens):
        return parsed.identity
    return values.model_dump_json(exclude_none=True)


def _redact(imported: Imported) -> tuple[list[Document], list[str]]:
    """The files worth keeping without what is private, and the paths of what was removed."""
    documents, removed = [], []
    for entry in imported.kept:
        redacted = redact_document(entry.content, name=entry.path)
        documents.append(
            Document(
                name=entry.path,
                content=redacted.content,
                sha256=hashlib.sha256(redacted.content).hexdigest(),
                original_sha256=hashlib.sha256(entry.content).hexdigest(),
            )
        )
        prefix = f"{entry.path}: " if len(imported.kept) > 1 else ""
        removed += [prefix + path for path in redacted.removed]
    for parsed in imported.results:
        parsed.config, _ = redact_value(parsed.config)
        parsed.environment, _ = redact_value(parsed.environment)
        parsed.warnings, _ = redact_value(parsed.warnings)
    return documents, removed


def _check_all(
    results: Sequence[ParsedResult],
    judged_as: Judged,
    duplicates: Mapping[str, str],
    *,
    owner: int | None,
    apart_from: UUID | None,
) -> list[CheckedResult]:
    checked = []
    names = [(parsed.values.model, parsed.values.hardware, parsed.values.backend) for parsed in results]
    targets = find_all_targets(names)
    around = surroundings(results, targets, owner=owner, apart_from=apart_from)
    for parsed, meant, near in zip(results, targets, around, strict=True):
        findings = check(parsed, meant, duplicate_of=duplicates.get(parsed.identity), around=near)
        checked.append(CheckedResult(parsed, meant, findings, trust_level(parsed, findings, judged_as)))
    return checked


def _leave_out_impossible(
    results: Sequence[CheckedResult], documents: Sequence[Document], refused: Refused
) -> tuple[list[CheckedResult], list[Document]]:
    """What can be right, and the files that it needs; the rest goes to `refused` with the check's sentence."""
    for one in results:
        if one.is_blocked:
            first = next(finding for finding in one.findings if finding.severity == Severity.BLOCK)
            file = one.parsed.file
            refused.append(ImportRefused(f"{file}: {first.message}", file=file, field=first.field))
    good = [one for one in results if not one.is_blocked]
    names = sorted((document.name for document in documents), key=len, reverse=True)
    unneeded = {_source(error.file, names) for error in refused} - {_source(one.parsed.file, names) for one in good}
    return good, [document for document in documents if document.name not in unneeded]


def _source(file: str, names: Sequence[str]) -> str:
    """The document that `file` is or lies in, as in "results.json[3]"; `names` has the longest first."""
    return file if file in names else next((name for name in names if file.startswith(name)), file)


def _find_duplicates(
    results: Sequence[ParsedResult],
    hashes: Mapping[str, str],
    replacing: Submission | None,
    *,
    owner: User | None,
    each: bool,
) -> dict[str, str]:
    """identity -> where the same measurement was given before; also within this upload.

    A file given before makes its whole upload a duplicate, or with `each` only what was read from it.
    """
    identities = [parsed.identity for parsed in results if parsed.identity]
    earlier = Result.objects.filter(submission__status__in=COUNTED, submission__deleted_at=None)
    if replacing is not None:
        earlier = earlier.exclude(submission=replacing)
    same = earlier.filter(identity__in=[stored_identity(identity) for identity in identities])
    found = name_results(same, to=owner)
    duplicates = {i: found[stored_identity(i)] for i in identities if stored_identity(i) in found}
    if each or not duplicates:
        files = _files_given_before(hashes, earlier)
        given = {parsed.identity for parsed in results if parsed.identity and (not each or parsed.file in files)}
        duplicates |= dict.fromkeys(given - duplicates.keys() if files else (), "a file that was given before")
    for identity, times in Counter(identities).items():
        if times > 1:
            duplicates.setdefault(identity, "another result of this upload")
    return duplicates


def name_results(results: QuerySet[Result], *, to: User | None) -> dict[str, str]:
    """identity -> where it is; what `to` may not see is not named."""
    seen = Submission.objects.visible_to(to or AnonymousUser())
    found = dict.fromkeys(results.values_list("identity", flat=True), "a result that is not public yet")
    visible = results.filter(submission__in=seen.values("pk")).values_list("identity", "pk")
    return found | {identity: f"result {pk}" for identity, pk in visible}


def _files_given_before(hashes: Mapping[str, str], earlier: QuerySet[Result]) -> set[str]:
    files = RawFile.objects.filter(original_sha256__in=hashes.values(), submission__in=earlier.values("submission"))
    given = set(files.values_list("original_sha256", flat=True))
    return {name for name, digest in hashes.items() if digest in given}


def stored_identity(identity: str) -> str:
    """Identities are compared as hashes: of one length, whatever a file puts into them."""
    return hashlib.sha256(identity.encode()).hexdigest() if identity else ""
