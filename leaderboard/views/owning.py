"""What an owner does with a submission after it was read: share, note, replace, recall, withdraw, delete."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import User
from leaderboard.forms import NoteForm, ReasonForm, RecallForm, ShareForm
from leaderboard.importers import ImportRefused
from leaderboard.models import Submission
from leaderboard.services.batches import MAX_ENTRIES, refuse_many
from leaderboard.services.editing import change_note, recall
from leaderboard.services.reading import read_upload
from leaderboard.services.replacing import replace_files
from leaderboard.services.sharing import share, unshare
from leaderboard.services.submissions import SubmissionRefused, delete, withdraw
from leaderboard.views.own_pages import REFUSALS, Attempt, detail_page, own
from leaderboard.views.submissions import uploaded_files
from lemsite.lib.archives import unpack_all

#: does the step and returns what to say about it
Step = Callable[[HttpRequest, Submission, User], str]


def _step(do: Step) -> Callable[[HttpRequest, uuid.UUID], HttpResponse]:
    """A view that does one thing with one's own submission and shows its page again."""

    @login_required
    @require_POST
    def view(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        submission = own(request, pk)
        try:
            done = do(request, submission, cast(User, request.user))
        except REFUSALS as refused:
            return detail_page(request, submission, Attempt.refused(refused))
        messages.success(request, done)
        return redirect("leaderboard:submission", submission.pk)

    return view


@_step
def submission_share(request: HttpRequest, submission: Submission, user: User) -> str:
    form = ShareForm(request.POST)
    if not form.is_valid():
        raise SubmissionRefused("Give the user name of one person.", field="username")
    row = share(submission=submission, username=form.cleaned_data["username"], by=user)
    return f"Shared with {row.user.username}."


@_step
def submission_unshare(request: HttpRequest, submission: Submission, user: User) -> str:
    form = ShareForm(request.POST)
    name = form.cleaned_data["username"] if form.is_valid() else ""
    was_shared = unshare(submission=submission, username=name)
    return f"{name} does not see it any more." if was_shared else "It was not shared with them."


@_step
def submission_note(request: HttpRequest, submission: Submission, user: User) -> str:
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise SubmissionRefused("A note holds at most 2,000 characters, none of them NUL.", field="note")
    change_note(submission=submission, note=form.cleaned_data["note"], by=user)
    return "The note was saved."


@_step
def submission_replace(request: HttpRequest, submission: Submission, user: User) -> str:
    reason = _reason(request)
    if not reason:
        raise SubmissionRefused("Say why the files are replaced: it stays in the history.", field="reason")
    uploads = uploaded_files(request)
    entries = unpack_all(uploads, max_entries=MAX_ENTRIES)
    refuse_many(uploads, entries)
    if not entries:
        raise ImportRefused("The upload holds no file.", file="")
    stated, given_as = submission.stated, submission.provenance
    reading = read_upload(entries, stated=stated, provenance=given_as, owner=user, replacing=submission)
    replace_files(submission=submission, reading=reading, by=user, reason=reason)
    return "The files were replaced; the version before is kept below."


@_step
def submission_recall(request: HttpRequest, submission: Submission, user: User) -> str:
    form = RecallForm(request.POST)
    if not form.is_valid():
        raise SubmissionRefused("Choose draft or private.", field="visibility")
    recall(submission=submission, by=user, visibility=form.cleaned_data["visibility"], reason=_reason(request))
    return "It is a draft again."


@_step
def submission_withdraw(request: HttpRequest, submission: Submission, user: User) -> str:
    withdraw(submission=submission, by=user, reason=_reason(request))
    return "Withdrawn."


@login_required
@require_POST
def submission_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    submission = own(request, pk)
    delete(submission=submission, by=cast(User, request.user), reason=_reason(request))
    messages.success(request, "Deleted.")
    return redirect("accounts:account")


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""
