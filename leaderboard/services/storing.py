"""From a checked upload to rows and files, and from a row back to what its importer gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction

from leaderboard.models import Finding, Measurement, RawFile, Result, Submission
from leaderboard.models.result import Metrics
from leaderboard.models.submission import storage_name
from leaderboard.normal import NormalResult
from leaderboard.services.catalogue import queue_unknown_names
from leaderboard.services.reading import CheckedResult, Document, stored_identity
from leaderboard.services.scoring import NAME_COLUMNS, apply_price, finding_rows
from leaderboard.statistics import summarise
from lemsite.lib.held import Held, hold

METRIC_COLUMNS = tuple(field.name for field in Metrics._meta.get_fields())
SUMMARISED = tuple(name for name in METRIC_COLUMNS if name not in ("started_at", "ended_at"))
SUMMARY_KEYS = ("n", "mean", "sd", "ci95_low", "ci95_high", "cv")
TEXT_FIELDS = ("CharField", "URLField")


def store_documents(submission: Submission, documents: Sequence[Document]) -> None:
    """The files of the submission's present version.

    Content-addressed: the same bytes are stored once. Written before the rows, so that no row lacks its file."""
    hold(Held.FILES, shared=True)
    rows = []
    for document in documents:
        raw = RawFile(
            submission=submission,
            name=document.name,
            version=submission.version,
            sha256=document.sha256,
            size_bytes=len(document.content),
            original_sha256=document.original_sha256,
        )
        if not default_storage.exists(raw.storage_name):
            default_storage.save(raw.storage_name, ContentFile(document.content))
        rows.append(raw)
    RawFile.objects.bulk_create(rows)


@contextmanager
def files_with_rows(documents: Sequence[Document]) -> Iterator[None]:
    """Around a transaction that stores documents: what is undone leaves no file."""
    try:
        yield
    except BaseException:
        with suppress(DatabaseError):
            drop_unused_files([storage_name(document.sha256) for document in documents])
        raise


@transaction.atomic
def drop_unused_files(names: Sequence[str]) -> None:
    """Delete stored files that no row needs any more, and that nobody is about to need."""
    hold(Held.FILES)
    for name in names:
        if not RawFile.objects.filter(sha256=name.rsplit("/", 1)[-1]).exists():
            default_storage.delete(name)


def open_raw_file(raw: RawFile) -> File[bytes]:
    stream: File[bytes] = default_storage.open(raw.storage_name, "rb")
    return stream


def read_raw_file(raw: RawFile) -> bytes:
    with open_raw_file(raw) as stream:
        content: bytes = stream.read()
    return content


def store_results(submission: Submission, checked: Sequence[CheckedResult]) -> None:
    results = [result_row(submission, position, one) for position, one in enumerate(checked)]
    Result.objects.bulk_create(results)
    store_parts(results, checked)


def store_parts(results: Sequence[Result], checked: Sequence[CheckedResult]) -> None:
    """Cycles and findings of results that are stored, and the names that nobody knows yet."""
    Measurement.objects.bulk_create(
        Measurement(result=result, cycle=number, **{name: getattr(cycle, name) for name in METRIC_COLUMNS})
        for result, one in zip(results, checked, strict=True)
        for number, cycle in enumerate(one.parsed.cycles, start=1)
    )
    store_findings(results, checked)
    queue_unknown_names(results)


def store_findings(results: Sequence[Result], checked: Sequence[CheckedResult]) -> None:
    Finding.objects.bulk_create(
        row for result, one in zip(results, checked, strict=True) for row in finding_rows(result, one.findings)
    )


def result_row(submission: Submission, position: int, checked: CheckedResult) -> Result:
    """The row of a checked result, not yet saved."""
    parsed = checked.parsed
    result = Result(
        submission=submission,
        position=position,
        identity=stored_identity(parsed.identity),
        statistics=_statistics(checked),
        config=parsed.config,
        environment=parsed.environment,
        warnings=parsed.warnings,
        file=parsed.file[:300],
    )
    fill_row(result, checked)
    return result


def fill_row(result: Result, checked: CheckedResult) -> None:
    """Set the values, what the names mean, trust and price; cycles, files and identity stay."""
    parsed, targets = checked.parsed, checked.targets
    for name in NormalResult.model_fields:
        value = getattr(parsed.values, name)
        column = NAME_COLUMNS.get(name, name)
        if value is None and Result._meta.get_field(column).get_internal_type() in TEXT_FIELDS:
            value = ""
        setattr(result, column, value)
    result.model, result.hardware, result.backend = targets.model, targets.hardware, targets.backend
    result.origins = {name: origin.value for name, origin in parsed.origins.items()}
    result.notes = parsed.notes
    result.trust = checked.trust
    apply_price(result)


def _statistics(checked: CheckedResult) -> Mapping[str, Mapping[str, Any]]:
    """Mean, sd, interval and CV of every metric over the cycles; what the file itself states where it has no cycles."""
    found: dict[str, Mapping[str, Any]] = dict(checked.parsed.stated_statistics)
    for name in SUMMARISED:
        values = [value for cycle in checked.parsed.cycles if (value := getattr(cycle, name)) is not None]
        if len(values) > 1:
            summary = summarise(values)
            found[name] = {key: getattr(summary, key) for key in SUMMARY_KEYS}
    return found
