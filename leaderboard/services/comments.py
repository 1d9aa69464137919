"""Remarks on results: written, changed, taken back, reported, hidden. What moderators do leaves an audit line."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditAction, AuditEvent, NotificationKind, User
from accounts.services.bans import refuse_banned
from accounts.services.notifications import notify
from leaderboard.models import Comment, CommentReport, Result
from leaderboard.queries.community import active_moderators, comments_visible_to, discussed_results, people_in_thread
from leaderboard.services.quotas import refuse_over_quota
from leaderboard.services.steps import Refused
from leaderboard.services.texts import clean_text

MAX_TEXT = 5000
MAX_REASON = 500
#: of a comment in the news of it
MAX_EXCERPT = 500


class CommentRefused(Refused):
    """What was asked of a comment is not possible; the message says why."""


@transaction.atomic
def add_comment(*, result: Result, by: User, text: str) -> Comment:
    """Write below a result that is public or shared; its owner and the others of the thread hear of it."""
    refuse_banned(by)
    refuse_over_quota(user=by, what="comments")
    if not discussed_results(by).filter(pk=result.pk).exists():
        raise CommentRefused("Only a public or shared result can be commented on.")
    text = _clean(text, "text", MAX_TEXT)
    # The quota has locked the author's row: a form that is sent twice comes here one after the other.
    last = Comment.objects.filter(result=result, author=by).order_by("-pk").first()
    if last is not None and last.deleted_at is None and last.text == text:
        raise CommentRefused("You have written just this already.", field="text")
    comment = Comment.objects.create(result=result, author=by, text=text)
    _tell(people_in_thread(result).exclude(pk=by.pk), comment, f"{by} commented on {result}", text[:MAX_EXCERPT])
    return comment


@transaction.atomic
def edit_comment(*, comment: Comment, by: User, text: str) -> Comment:
    refuse_banned(by)
    text = _clean(text, "text", MAX_TEXT)
    mine = Comment.objects.filter(pk=comment.pk, author=by, deleted_at=None)
    if not discussed_results(by).filter(pk=comment.result_id).exists() or not mine.exists():
        raise CommentRefused("Only its author can change a comment, while it stands.")
    if not mine.filter(hidden_at=None).update(text=text, edited_at=timezone.now()):
        raise CommentRefused("A moderator has hidden it: it can be deleted, but no longer changed.")
    comment.refresh_from_db()
    return comment


@transaction.atomic
def delete_comment(*, comment: Comment, by: User) -> None:
    """Take one's own comment back: the text goes, the place stays. Possible for the banned, too."""
    mine = Comment.objects.filter(pk=comment.pk, author=by, deleted_at=None)
    if not mine.update(text="", deleted_at=timezone.now()):
        raise CommentRefused("Only its author can delete a comment, and only once.")
    comment.reports.filter(handled_at=None).update(handled_at=timezone.now())
    comment.refresh_from_db()


@transaction.atomic
def report_comment(*, comment: Comment, by: User, reason: str) -> CommentReport:
    """Ask the moderators to look at a comment, once."""
    refuse_banned(by)
    refuse_over_quota(user=by, what="reports")
    reason = _clean(reason, "reason", MAX_REASON)
    locked = Comment.objects.select_for_update().get(pk=comment.pk)
    if locked.author_id == by.pk:
        raise CommentRefused("It is your own: edit or delete it.")
    if locked.deleted_at or locked.hidden_at or not comments_visible_to(by).filter(pk=locked.pk).exists():
        raise CommentRefused("It is not there any more.")
    is_first = not locked.reports.filter(handled_at=None).exists()
    report, is_new = CommentReport.objects.get_or_create(comment=locked, raised_by=by, defaults={"reason": reason})
    if not is_new:
        raise CommentRefused("You have reported it already; a moderator looks at it once.")
    if is_first:
        moderators = active_moderators().exclude(pk__in=[by.pk, locked.author_id])
        title = f"{by} reported a comment on {locked.result}"
        _tell(moderators, locked, title, reason, kind=NotificationKind.MODERATION)
    return report


@transaction.atomic
def hide_comment(*, comment: Comment, by: User, reason: str) -> None:
    """Put a reason in the place of a comment; its author and moderators still read it."""
    _refuse_decider(comment, by)
    reason = _clean(reason, "reason", MAX_REASON)
    standing = Comment.objects.filter(pk=comment.pk, deleted_at=None, hidden_at=None)
    if not standing.update(hidden_at=timezone.now(), hidden_reason=reason):
        raise CommentRefused("It is hidden or deleted already.")
    _handle_reports(comment, by)
    _log(AuditAction.HIDE_COMMENT, comment, by, reason)
    comment.refresh_from_db()
    _tell([comment.author], comment, f"A moderator hid your comment on {comment.result}", reason)


@transaction.atomic
def show_comment(*, comment: Comment, by: User) -> None:
    _refuse_decider(comment, by)
    hidden = Comment.objects.filter(pk=comment.pk, deleted_at=None, hidden_at__isnull=False)
    if not hidden.update(hidden_at=None, hidden_reason=""):
        raise CommentRefused("It is not hidden.")
    _log(AuditAction.SHOW_COMMENT, comment, by)
    comment.refresh_from_db()
    _tell([comment.author], comment, f"Your comment on {comment.result} is shown again")


@transaction.atomic
def dismiss_reports(*, comment: Comment, by: User, reason: str) -> None:
    """The reports were wrong: the comment stays."""
    _refuse_decider(comment, by)
    reason = _clean(reason, "reason", MAX_REASON)
    if not _handle_reports(comment, by):
        raise CommentRefused("Nobody has reported it, or somebody has looked at it already.")
    _log(AuditAction.DISMISS_REPORT, comment, by, reason)


def _clean(text: str, field: str, most: int) -> str:
    return clean_text(text, field=field, most=most, refusal=CommentRefused)


def _refuse_decider(comment: Comment, by: User) -> None:
    if not by.is_moderator:
        raise CommentRefused(f"{by.username} is not a moderator.", field="by")
    if comment.author_id == by.pk:
        raise CommentRefused("Nobody decides on their own comment.", field="by")


def _handle_reports(comment: Comment, by: User) -> int:
    return comment.reports.filter(handled_at=None).update(handled_at=timezone.now(), handled_by=by)


def _log(action: AuditAction, comment: Comment, by: User, reason: str = "") -> None:
    AuditEvent.objects.create(
        actor=by,
        action=action,
        person=comment.author,
        subject=f"comment {comment.pk}",
        reason=reason,
        data={"result": str(comment.result_id)},
    )


def _tell(
    people: Iterable[User],
    comment: Comment,
    title: str,
    text: str = "",
    *,
    kind: NotificationKind = NotificationKind.COMMENT,
) -> None:
    url = reverse("leaderboard:comment", args=[comment.pk])
    data = {"comment": comment.pk, "result": str(comment.result_id)}
    notify(to=people, kind=kind, title=title, text=text, url=url, data=data)
