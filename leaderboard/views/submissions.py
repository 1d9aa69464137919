from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from leaderboard.forms import SubmitForm, UploadForm
from leaderboard.importers import ImportRefused
from leaderboard.models import Provenance
from leaderboard.pages import PreviewPage
from leaderboard.presenting.preview import blocked_preview
from leaderboard.services.batches import MAX_ENTRIES, BatchOptions, is_many, open_batch
from leaderboard.services.reading import STATABLE, Reading, read_upload
from leaderboard.services.remembering import forget
from leaderboard.services.submissions import restate, store_reading, submit
from leaderboard.views.own_pages import REFUSALS, Attempt, detail_page, own, readable
from lemsite.lib.archives import BadArchive, Entry, unpack_all

STATED_PREFIX = "stated-"
Upload = tuple[str, BinaryIO]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def submission_new(request: HttpRequest) -> HttpResponse:
    """Step 1: files come in. What can be read becomes a draft that only its owner sees; many are read later."""
    if request.method != "POST":
        return _upload_page(request, UploadForm())
    form = UploadForm(request.POST)
    if not form.is_valid():
        return _upload_page(request, form, status=422)
    try:
        return _take(request, form)
    except ImportRefused as refused:
        return _upload_page(request, form, refused=[(refused.file, refused.field or "", refused.message)], status=422)
    except BadArchive as refused:
        return _upload_page(request, form, refused=[("", "", str(refused))], status=422)
    except REFUSALS as refused:
        return Attempt.refused(refused).answer(_upload_page(request, form, refused=[("", "", str(refused))]))


@login_required
@require_safe
def submission_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Steps 2 and 3: what was understood, what is missing, and the confirmation. Others only read."""
    return detail_page(request, readable(request, pk))


@login_required
@require_POST
def submission_state(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    submission = own(request, pk)
    given = {
        name: value.strip()
        for name in STATABLE
        if (value := request.POST.get(STATED_PREFIX + name)) is not None and len(value) <= 500
    }
    try:
        restate(submission=submission, stated=given, by=cast(User, request.user))
    except REFUSALS as refused:
        return detail_page(request, submission, Attempt.refused(refused, given))
    messages.success(request, "Read again with what you stated.")
    return redirect("leaderboard:submission", submission.pk)


@login_required
@require_POST
def submission_forget(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Offer no more what was stated for such files before."""
    submission = own(request, pk)
    forget(user=cast(User, request.user), shape=submission.shape)
    messages.success(request, "Forgotten: nothing is filled in for such files any more.")
    return redirect("leaderboard:submission", submission.pk)


@login_required
@require_POST
def submission_confirm(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    submission = own(request, pk)
    form = SubmitForm(request.POST)
    if not form.is_valid():
        errors = {name: " ".join(str(message) for message in found) for name, found in form.errors.items()}
        if "visibility" in errors:
            errors["visibility"] = "Choose public or private."
        return detail_page(request, submission, Attempt(errors))
    chosen = form.cleaned_data
    try:
        submit(
            submission=submission,
            by=cast(User, request.user),
            visibility=chosen["visibility"],
            note=chosen["note"] if "note" in request.POST else None,
            licence=chosen["licence"] or None,
        )
    except REFUSALS as refused:
        return detail_page(request, submission, Attempt.refused(refused))
    return redirect("leaderboard:submission", submission.pk)


def uploaded_files(request: HttpRequest, text: str = "") -> list[Upload]:
    """Every uploaded file, and the pasted text as a file of its own."""
    uploads = [(upload.name or "file", cast(BinaryIO, upload)) for upload in request.FILES.getlist("files")]
    if text.strip():
        uploads.append(("pasted.json", cast(BinaryIO, SimpleUploadedFile("pasted.json", text.encode()))))
    if not uploads:
        raise ImportRefused("Choose at least one file, or paste JSON.", file="")
    return uploads


def _take(request: HttpRequest, form: UploadForm) -> HttpResponse:
    user = cast(User, request.user)
    uploads = uploaded_files(request, form.cleaned_data["text"])
    entries = unpack_all(uploads, max_entries=MAX_ENTRIES)
    if is_many(uploads, entries) or request.GET.get("background") == "1":
        options = BatchOptions(provenance=Provenance.UPLOAD)
        batch = open_batch(owner=user, uploads=uploads, files_total=len(entries), options=options)
        return redirect("leaderboard:batch", batch.pk)
    return _read_now(request, form, entries)


def _read_now(request: HttpRequest, form: UploadForm, entries: Sequence[Entry]) -> HttpResponse:
    user = cast(User, request.user)
    if not entries:
        raise ImportRefused("The upload holds no file.", file="")
    reading = read_upload(entries, stated={}, provenance=Provenance.UPLOAD, owner=user)
    if reading.blocked:
        return _upload_page(request, form, page=blocked_preview(reading), status=422)
    submission = store_reading(reading=reading, owner=user, provenance=Provenance.UPLOAD)
    _mention_ignored(request, reading)
    return redirect("leaderboard:submission", submission.pk)


def _mention_ignored(request: HttpRequest, reading: Reading) -> None:
    if reading.ignored:
        names = ", ".join(path for path, _ in reading.ignored[:5])
        more = f" and {len(reading.ignored) - 5} more" if len(reading.ignored) > 5 else ""
        messages.info(request, f"Not needed, and not kept: {names}{more}.")


def _upload_page(
    request: HttpRequest,
    form: UploadForm,
    *,
    refused: Sequence[tuple[str, str, str]] = (),
    page: PreviewPage | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "refused": refused, "page": page}
    return render(request, "leaderboard/submission_new.html", context, status=status)
