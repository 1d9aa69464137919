"""What the owner of a submission can do, each step with its consequences said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.models import (
    TRANSITIONS,
    BatchState,
    Finding,
    Licence,
    Provenance,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    SubmissionVersion,
    Trust,
    UploadBatch,
    Visibility,
)
from leaderboard.pages import FileRow, Link
from leaderboard.presenting.common import batch_words, gpu_words, model_link, result_badge, result_url, trust_badge
from leaderboard.services.editing import CLOSED, RECALLABLE
from leaderboard.services.replacing import FIGURES, REPLACEABLE
from leaderboard.submission_pages import (
    Action,
    BatchPage,
    FigureChange,
    OwnerPanel,
    RefusedRow,
    ResultChange,
    ResultLine,
    ResultTable,
    VersionRow,
)

S = SubmissionStatus
ROWS_A_PAGE = 100
MAX_CHANGES = 50
MAX_REFUSED = 200
TRUST_BY_CODE = {trust.code: trust for trust in Trust}
TABLE_FIGURES = ("tokens_per_joule", "throughput_tokens_per_s", "energy_per_output_token_j")


def owner_panel(submission: Submission, *, remembers: bool = False) -> OwnerPanel:
    answer = _answer(submission)
    return OwnerPanel(
        becomes_public=becomes_public(submission),
        licences=list(Licence.choices),
        licence=submission.licence,
        answer=answer.reason if answer else "",
        answered_by=str(answer.actor or "") if answer else "",
        remembers=remembers,
        shared_with=list(submission.shares.order_by("user__username").values_list("user__username", flat=True)),
        share=_share(submission),
        note=_note(submission),
        replace=_replace(submission),
        recall=_recall(submission),
        withdraw=_withdraw(submission),
        delete=_delete(submission),
        versions=_versions(submission),
    )


def becomes_public(submission: Submission) -> str:
    results = fmt.count(submission.results.count(), "result")
    removed = f", less the {len(submission.redacted)} private values that were removed" if submission.redacted else ""
    owner = f"your name ({submission.owner})" if submission.owner else "your name"
    what = f"{results}, the files{removed}, {owner} and the note"
    return f"This becomes public after review: {what}, under the licence chosen."


def result_table(submission: Submission, page: str | None) -> ResultTable:
    """All results of a large submission, a hundred at a time."""
    review = Count("findings", filter=Q(findings__severity=Finding.Severity.REVIEW))
    warnings = Count("findings", filter=Q(findings__severity=Finding.Severity.WARN))
    rows = submission.results.select_related("model", "hardware", "submission").order_by("position")
    found = Paginator(rows.annotate(for_review=review, warned=warnings), ROWS_A_PAGE).get_page(page)
    url = reverse("leaderboard:submission", args=[submission.pk])
    return ResultTable(
        heads=[f"{_label(name)}, {metrics.BY_NAME[name].unit}" for name in TABLE_FIGURES],
        rows=[_line(result) for result in found],
        summary=f"Results {found.start_index():,} to {found.end_index():,} of {found.paginator.count:,}",
        previous_url=f"{url}?page={found.previous_page_number()}#all" if found.has_previous() else "",
        next_url=f"{url}?page={found.next_page_number()}#all" if found.has_next() else "",
    )


def batch_page(batch: UploadBatch) -> BatchPage:
    refused = [RefusedRow(row["file"], row["message"]) for row in batch.refused]
    return BatchPage(
        title=f"{batch.files_total:,} files" if batch.files_total else "Your upload",
        state=batch.get_state_display(),
        says=_batch_says(batch),
        is_open=batch.state in (BatchState.WAITING, BatchState.READING),
        files_done=batch.files_done,
        files_total=batch.files_total,
        refused=refused[:MAX_REFUSED],
        refused_count=len(refused),
        url=reverse("leaderboard:batch", args=[batch.pk]),
        csv_url=reverse("leaderboard:batch_refused", args=[batch.pk]) if refused else "",
        submission_url=reverse("leaderboard:submission", args=[batch.submission_id]) if batch.submission_id else "",
    )


def _batch_says(batch: UploadBatch) -> str:
    if batch.state == BatchState.WAITING:
        return "It waits for its turn. You may leave this page; you are told when it has been read."
    if batch.state == BatchState.READING:
        return "The files are read and checked. You may leave this page; you are told when it is done."
    if batch.state == BatchState.FAILED:
        return "Nothing of it was stored. The list below says why."
    if batch.submission_id is None:
        return "It has been read; the draft made of it was deleted since."
    refused = f" {len(batch.refused):,} of the files or results could not be used." if batch.refused else ""
    return f"What could be read is in a draft that only you see.{refused}"


def _answer(submission: Submission) -> ReviewEvent | None:
    if submission.status != S.CHANGES_REQUESTED:
        return None
    asked = submission.events.filter(action=ReviewAction.REQUEST_CHANGES).select_related("actor")
    return asked.order_by("-created_at", "-pk").first()


def _action(submission: Submission, step: str, says: str) -> Action:
    return Action(reverse(f"leaderboard:submission_{step}", args=[submission.pk]), says)


def _share(submission: Submission) -> Action | None:
    if submission.visibility != Visibility.PRIVATE:
        return None
    return _action(submission, "share", "They see it under the address of this page and are told. Nobody else does.")


def _note(submission: Submission) -> Action | None:
    if submission.status in CLOSED:
        return None
    says = "Moderators read it, and everyone once it is published. Markdown is understood."
    if submission.is_public:
        says = "It stands on the page of every result, and the history says that it changed. Markdown is understood."
    return _action(submission, "note", says)


def _replace(submission: Submission) -> Action | None:
    if submission.status not in REPLACEABLE or submission.provenance == Provenance.JOB:
        return None
    says = "The new files are read and checked anew. Results of the same configuration keep their address."
    if submission.status == S.PUBLISHED:
        says += " It leaves the tables and nobody else sees it until a moderator has looked at the new figures."
    return _action(submission, "replace", says)


def _recall(submission: Submission) -> Action | None:
    if submission.status not in RECALLABLE or submission.published_at is not None:
        return None
    return _action(submission, "recall", "It leaves the moderators' queue and is a draft again that you can change.")


def _withdraw(submission: Submission) -> Action | None:
    status = S(submission.status)
    if status == S.DRAFT or S.WITHDRAWN not in TRANSITIONS[status]:
        return None
    if submission.is_public:
        says = "The results leave the tables at once. A page stays that says when and why; this cannot be undone."
    else:
        says = "It is not reviewed any more; this cannot be undone."
    return _action(submission, "withdraw", says)


def _delete(submission: Submission) -> Action:
    says = "Deletes the results and the stored files. This cannot be undone."
    if submission.published_at is not None:
        says += " Where a result was, a page says what it was, whose, when it went and why."
    return _action(submission, "delete", says)


def _line(result: Result) -> ResultLine:
    counts = ((getattr(result, "for_review", 0), "for a moderator"), (getattr(result, "warned", 0), "warning"))
    return ResultLine(
        link=Link(f"{model_link(result).label} on {gpu_words(result)}", result_url(result)),
        detail=", ".join(part for part in (result.file, result.precision, _batch(result)) if part),
        trust=result_badge(result),
        figures=[fmt.number(getattr(result, name), 5) for name in TABLE_FIGURES],
        findings=", ".join(f"{number} {words}" for number, words in counts if number),
    )


def _batch(result: Result) -> str:
    return f"batch {batch_words(result)}" if batch_words(result) else ""


def _label(name: str) -> str:
    return metrics.BY_NAME[name].label


def _versions(submission: Submission) -> list[VersionRow]:
    """The newest first; each is compared with the one that came after it."""
    versions = list(submission.versions.all())
    if not versions:
        return []
    following: Sequence[Mapping[str, Any]] = list(submission.results.values("id", *FIGURES))
    rows = []
    for version in reversed(versions):
        rows.append(_version(submission, version, {str(result["id"]): result for result in following}))
        following = version.results
    return rows


def _version(
    submission: Submission, version: SubmissionVersion, following: Mapping[str, Mapping[str, Any]]
) -> VersionRow:
    files = submission.raw_files.filter(version=version.number)
    return VersionRow(
        number=version.number,
        when=fmt.minute(version.replaced_at),
        reason=version.reason,
        results=[_change(result, following.get(result["id"])) for result in version.results[:MAX_CHANGES]],
        more=max(len(version.results) - MAX_CHANGES, 0),
        files=[
            FileRow(raw.name, fmt.size(raw.size_bytes), reverse("leaderboard:raw_file", args=[submission.pk, raw.pk]))
            for raw in files
        ],
    )


def _change(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> ResultChange:
    trust = trust_badge(TRUST_BY_CODE[old["trust"]]) if old.get("trust") in TRUST_BY_CODE else None
    if new is None:
        return ResultChange(old["title"], trust, "", [])
    changes = [
        FigureChange(_label(name), before, after, metrics.BY_NAME[name].unit)
        for name in FIGURES
        if (before := fmt.number(old.get(name), 5)) != (after := fmt.number(new.get(name), 5))
    ]
    return ResultChange(old["title"], trust, reverse("leaderboard:result", args=[old["id"]]), changes)
