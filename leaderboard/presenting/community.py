"""Comments and disputes, ready for their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Page, Paginator
from django.urls import reverse

from accounts.models import User
from leaderboard import format as fmt
from leaderboard.community_pages import Attempt, CommentRow, Discussion, DisputeList, DisputeRow
from leaderboard.models import Comment, Dispute, DisputeState, Result, SubmissionStatus, Visibility
from leaderboard.pages import Link
from leaderboard.presenting.common import gpu_words, model_link, person_link, result_url
from leaderboard.queries.community import RUNNING, disputes_of, public_disputes, thread_of
from lemsite.lib.markdown import render

Reader = User | AnonymousUser
PAGE_SIZE = 50
PAGE_PARAMETER = "comments"


def discussion(
    result: Result, reader: Reader, *, page: int | str | None = None, attempt: Attempt | None = None
) -> Discussion:
    """All below the figures of one result. Four queries, however many comments and disputes there are."""
    attempt = attempt or Attempt()
    shown = Paginator(thread_of(result, reader), PAGE_SIZE).get_page(page)
    raised = list(disputes_of(result)[:PAGE_SIZE])
    disputes = [dispute_row(dispute, result, reader) for dispute in raised]
    where = result_url(result)
    may_write = reader.is_authenticated and _takes_comments(result, reader)
    return Discussion(
        disputes=disputes,
        notice=_notice(result, disputes),
        dispute_url=reverse("leaderboard:dispute_open", args=[result.pk])
        if _may_dispute(result, reader, raised)
        else "",
        comments=[comment_row(comment, reader, attempt, may_write=may_write) for comment in shown],
        count=shown.paginator.count,
        shown=_shown(shown),
        previous_url=_page_url(where, shown.number - 1) if shown.has_previous() else "",
        next_url=_page_url(where, shown.number + 1) if shown.has_next() else "",
        comment_url=reverse("leaderboard:comment_add", args=[result.pk]) if may_write else "",
        sign_in_url=_sign_in(f"{where}#comments") if not reader.is_authenticated else "",
        attempt=attempt,
    )


def place_of(comment: Comment) -> str:
    """The address of a comment: its page of the thread, and there itself."""
    before = Comment.objects.filter(result=comment.result_id, created_at__lt=comment.created_at).count()
    twins = Comment.objects.filter(result=comment.result_id, created_at=comment.created_at, pk__lt=comment.pk).count()
    where = reverse("leaderboard:result", args=[comment.result_id])
    page = (before + twins) // PAGE_SIZE + 1
    return f"{where}{f'?{PAGE_PARAMETER}={page}' if page > 1 else ''}#comment-{comment.pk}"


def comment_row(comment: Comment, reader: Reader, attempt: Attempt, *, may_write: bool) -> CommentRow:
    is_mine = reader.is_authenticated and comment.author_id == reader.pk
    stands = comment.deleted_at is None
    is_open = stands and comment.hidden_at is None
    kind, _, key = attempt.form.partition("-")
    failed = attempt if key == str(comment.pk) else Attempt()
    is_reported = getattr(comment, "is_reported_by_me", False)
    may_report = may_write and is_open and not is_mine and not is_reported
    return CommentRow(
        anchor=f"comment-{comment.pk}",
        url=reverse("leaderboard:comment", args=[comment.pk]),
        author=person_link(comment.author),
        when=fmt.minute(comment.created_at),
        edited=fmt.minute(comment.edited_at) if stands else "",
        html=render(comment.text) if may_read(comment, reader) else "",
        fate=fate(comment),
        text=failed.text if kind == "edit" and failed.form else comment.text if is_mine else "",
        edit_url=reverse("leaderboard:comment_edit", args=[comment.pk]) if is_mine and is_open and may_write else "",
        delete_url=reverse("leaderboard:comment_delete", args=[comment.pk]) if is_mine and stands else "",
        report_url=reverse("leaderboard:comment_report", args=[comment.pk]) if may_report else "",
        is_reported=is_reported,
        open_form=kind if failed.form else "",
        reason=failed.text if kind == "report" else "",
        error=failed.message,
    )


def may_read(comment: Comment, reader: Reader) -> bool:
    """A hidden comment is read by its author and by moderators; a deleted one is gone."""
    if comment.deleted_at is not None:
        return False
    if comment.hidden_at is None:
        return True
    return reader.is_authenticated and (comment.author_id == reader.pk or reader.is_moderator)


def fate(comment: Comment) -> str:
    if comment.deleted_at is not None:
        return "Deleted by its author."
    if comment.hidden_at is not None:
        return f"Hidden by a moderator: {comment.hidden_reason}"
    return ""


def dispute_row(dispute: Dispute, result: Result | None, reader: Reader) -> DisputeRow:
    """Of a dispute whose result was deleted the line stays; what was said about its figures goes with them."""
    is_mine = reader.is_authenticated and dispute.raised_by_id == reader.pk
    may_retract = is_mine and dispute.state == DisputeState.OPEN
    return DisputeRow(
        anchor=f"dispute-{dispute.pk}",
        url=f"{result_url(result)}#dispute-{dispute.pk}" if result else "",
        title=f"{model_link(result).label} on {gpu_words(result)}" if result else dispute.title,
        state=dispute.state,
        state_label=dispute.get_state_display(),
        is_running=dispute.state in RUNNING,
        raised_by=person_link(dispute.raised_by) if dispute.raised_by else Link("the site", ""),
        when=fmt.minute(dispute.created_at),
        reason=render(dispute.reason) if result else "",
        evidence_url=dispute.evidence_url if result else "",
        resolution=render(dispute.resolution) if dispute.resolution else "",
        resolved_by=person_link(dispute.resolved_by) if dispute.resolved_by else None,
        resolved_when=fmt.minute(dispute.resolved_at),
        retract_url=reverse("leaderboard:dispute_retract", args=[dispute.pk]) if may_retract else "",
        settle_url=_settle_url(dispute, reader),
    )


def _settle_url(dispute: Dispute, reader: Reader) -> str:
    """Where a moderator takes it up, upholds or dismisses it."""
    if dispute.state not in RUNNING or not reader.is_authenticated or not reader.is_staff or not reader.is_moderator:
        return ""
    return reverse("admin:leaderboard_dispute_change", args=[dispute.pk])


def dispute_list(reader: Reader, *, state: str = "", page: int | str | None = None) -> DisputeList:
    """Every public dispute, newest first; three queries."""
    path = reverse("leaderboard:dispute_list")
    # In the order in which they were raised, which the primary key has an index of.
    rows = public_disputes().order_by("-pk")
    shown = Paginator(rows.filter(state=state) if state else rows, PAGE_SIZE).get_page(page)
    choices = [("", "All"), *((one.value, one.label) for one in DisputeState)]
    kept = {"state": state} if state else {}

    def turned(number: int) -> str:
        return f"{path}?{urlencode({**kept, 'page': number})}"

    return DisputeList(
        rows=[dispute_row(dispute, dispute.result, reader) for dispute in shown],
        states=[Link(label, "" if value == state else _state_url(path, value)) for value, label in choices],
        summary=fmt.count(shown.paginator.count, "dispute"),
        previous_url=turned(shown.number - 1) if shown.has_previous() else "",
        next_url=turned(shown.number + 1) if shown.has_next() else "",
    )


def _state_url(path: str, state: str) -> str:
    return f"{path}?{urlencode({'state': state})}" if state else path


def _notice(result: Result, disputes: list[DisputeRow]) -> str:
    running = sum(dispute.is_running for dispute in disputes)
    if not running:
        return ""
    who = "A reader disputes" if running == 1 else f"{running} readers dispute"
    if result.submission.status != SubmissionStatus.PUBLISHED:
        return f"{who} this result."
    return f"{who} this result; it stays ranked until a moderator looks into it."


def _takes_comments(result: Result, reader: User) -> bool:
    """Public results do; of private ones those that the reader doesn't have to themselves."""
    submission = result.submission
    if submission.is_public:
        return True
    return submission.visibility == Visibility.PRIVATE and (
        submission.owner_id != reader.pk or submission.shares.exists()
    )


def _may_dispute(result: Result, reader: Reader, raised: Sequence[Dispute]) -> bool:
    """Others than the owner, one dispute at a time."""
    submission = result.submission
    is_open = submission.status in (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED) and submission.is_public
    if not reader.is_authenticated or not is_open or submission.owner_id == reader.pk:
        return False
    return not any(dispute.raised_by_id == reader.pk and dispute.state in RUNNING for dispute in raised)


def _shown(page: Page[Any]) -> str:
    if not page.has_other_pages():
        return ""
    return f"{page.start_index():,} to {page.end_index():,} of {page.paginator.count:,}"


def _page_url(where: str, number: int) -> str:
    return f"{where}{f'?{PAGE_PARAMETER}={number}' if number > 1 else ''}#comments"


def _sign_in(back: str) -> str:
    return f"{reverse('account_login')}?{urlencode({'next': back})}"
