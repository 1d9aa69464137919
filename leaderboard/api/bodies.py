"""From rows to what the API answers. A test holds the keys equal to those of the serializers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from rest_framework.request import Request

from leaderboard.board import Prices
from leaderboard.models import (
    Finding,
    Hardware,
    LanguageModel,
    Result,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    Trust,
    UploadBatch,
    Visibility,
)
from leaderboard.presenting.common import hardware_url, model_url
from leaderboard.result_values import flat_values
from leaderboard.services.reading import Missing, Reading, missing_in
from leaderboard.services.scoring import finding_rows
from leaderboard.services.storing import result_row

CATALOGUE_PRICES = Prices()
IMPOSSIBLE = "impossible"


def result_body(result: Result, request: Request, prices: Prices = CATALOGUE_PRICES) -> dict[str, Any]:
    """One result as it stands in a list."""
    return {
        **flat_values(result, prices),
        "status": result.submission.status,
        "is_simulated": result.submission.is_simulated,
        "url": request.build_absolute_uri(reverse("leaderboard:result", args=[result.pk])),
        "statistics": result.statistics,
        "provenance": result.origins,
        "notes": result.notes,
    }


def result_detail_body(result: Result, request: Request, prices: Prices = CATALOGUE_PRICES) -> dict[str, Any]:
    """One result with its findings, cycles, configuration and environment."""
    return {
        **result_body(result, request, prices),
        "findings": [finding_body(finding) for finding in result.findings.all()],
        "config": result.config,
        "environment": result.environment,
        "warnings": result.warnings,
        "file": result.file,
    }


def submission_body(submission: Submission, request: Request) -> dict[str, Any]:
    """A stored submission with its results in full."""
    results = list(submission.results.all())
    for result in results:
        result.submission = submission
    return {
        **submission_row(submission, request),
        "redacted": submission.redacted,
        "results": [result_body(result, request) for result in results],
        "findings": _findings(result.findings.all() for result in results),
        "missing": [_missing(one) for one in missing_in(submission)],
        "stated": submission.stated,
        "note": submission.note if submission.is_public or _is_inside(submission, request) else None,
        "files": [
            {"name": raw.name, "size_bytes": raw.size_bytes, "sha256": raw.sha256} for raw in submission.raw_files.all()
        ],
    }


def batch_row(batch: UploadBatch, request: Request) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "state": batch.state,
        "url": request.build_absolute_uri(reverse("api:batch", args=[batch.pk])),
    }


def batch_body(batch: UploadBatch, request: Request) -> dict[str, Any]:
    """How far an upload of many files is."""
    submission = batch.submission_id
    url = request.build_absolute_uri(reverse("api:submission", args=[submission])) if submission else None
    return {
        **batch_row(batch, request),
        "files_done": batch.files_done,
        "files_total": batch.files_total,
        "refused": batch.refused,
        "submission": str(submission) if submission else None,
        "submission_url": url,
        "created_at": batch.created_at,
        "finished_at": batch.finished_at,
    }


def submission_row(submission: Submission, request: Request) -> dict[str, Any]:
    """A submission as it stands in a list."""
    return {
        "id": str(submission.pk),
        "status": submission.status,
        "trust": _lowest(submission.results.all()),
        "url": request.build_absolute_uri(reverse("leaderboard:submission", args=[submission.pk])),
        "shape": submission.shape,
        "visibility": submission.visibility,
        "licence": submission.licence,
        "version": submission.version,
        "provenance": submission.provenance,
        "is_simulated": submission.is_simulated,
        "owner": submission.owner.username if submission.owner else None,
        "check_set": submission.check_set,
        "created_at": submission.created_at,
        "submitted_at": submission.submitted_at,
        "published_at": submission.published_at,
    }


def preview_body(reading: Reading, visibility: str, request: Request) -> dict[str, Any]:
    """What a submission of this upload would be, as far as it can be said before it is stored."""
    status = _status_ahead(reading, visibility)
    submission = Submission(status=status, visibility=visibility)
    rows = [result_row(submission, position, one) for position, one in enumerate(reading.results)]
    return {
        "status": status,
        "trust": _lowest(rows),
        "shape": reading.shape,
        "redacted": reading.redacted,
        "results": [result_body(row, request) | {"id": None, "submission": None, "url": None} for row in rows],
        "findings": reading_findings(reading),
        "missing": [_missing(one) for one in reading.missing],
        "ignored": [ignored_body(path, why) for path, why in reading.ignored],
    }


def reading_findings(reading: Reading) -> list[dict[str, Any]]:
    return _findings(finding_rows(Result(), one.findings) for one in reading.results)


def finding_body(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "observed": finding.observed,
        "limit": finding.limit,
        "message": finding.message,
        "field": finding.field or None,
        "check_set": finding.check_set,
    }


def ignored_body(path: str, why: str) -> dict[str, str]:
    return {"file": path, "why": why}


def event_body(event: ReviewEvent) -> dict[str, Any]:
    return {
        "action": event.action,
        "from_status": event.from_status,
        "to_status": event.to_status,
        "reason": event.reason,
        "by": event.actor.username if event.actor else None,
        "at": event.created_at,
    }


def model_body(model: LanguageModel, results: int, request: Request) -> dict[str, Any]:
    return {
        **{name: getattr(model, name) for name in ("name", "title", "organisation", "family")},
        "parameters_total_b": model.parameters_total_b,
        "parameters_active_b": model.parameters_active_b,
        "licence": model.licence or None,
        "source_url": model.source_url or None,
        "aliases": [alias.name for alias in model.aliases.all()],
        "results": results,
        "url": request.build_absolute_uri(model_url(model)),
    }


HARDWARE_FIGURES = (
    "memory_gb", "bandwidth_gb_per_s", "fp16_dense_tflops", "bf16_dense_tflops", "fp8_dense_tflops",
    "fp4_dense_tflops", "tdp_w", "usd_per_gpu_hour",
)  # fmt: skip


def hardware_body(hardware: Hardware, results: int, request: Request) -> dict[str, Any]:
    return {
        **{name: getattr(hardware, name) for name in ("slug", "name", "vendor")},
        "architecture": hardware.architecture or None,
        **{name: getattr(hardware, name) for name in HARDWARE_FIGURES},
        "price_source": hardware.price_source or None,
        "price_date": hardware.price_date or None,
        "note": hardware.note or None,
        "sources": hardware.sources,
        "aliases": [alias.name for alias in hardware.aliases.all()],
        "results": results,
        "url": request.build_absolute_uri(hardware_url(hardware)),
    }


def _findings(by_result: Iterable[Iterable[Finding]]) -> list[dict[str, Any]]:
    """The findings of all results in one list; `result` is the place of theirs in "results"."""
    return [
        {**finding_body(finding), "result": place} for place, findings in enumerate(by_result) for finding in findings
    ]


def _missing(missing: Missing) -> dict[str, str]:
    return {"field": missing.field, "why": missing.why}


def _lowest(results: Iterable[Result]) -> str:
    return Trust(min((result.trust for result in results), default=Trust.DRAFT)).code


def _status_ahead(reading: Reading, visibility: str) -> str:
    if reading.blocked:
        return IMPOSSIBLE
    if visibility == Visibility.PUBLIC and not reading.lacks_essentials:
        return SubmissionStatus.PENDING
    return SubmissionStatus.DRAFT


def _is_inside(submission: Submission, request: Request) -> bool:
    """Its owner and moderators read the note before it is published."""
    user = request.user
    return bool(user.is_authenticated and (submission.owner_id == user.pk or user.is_moderator))
