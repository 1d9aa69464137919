"""Comments as services: who may write, change, report and hide them, and who hears of it."""

from __future__ import annotations

import pytest

from accounts.models import AuditAction, AuditEvent, Notification, NotificationKind
from accounts.services.bans import Banned, ban
from leaderboard.models import Comment, Share, SubmissionStatus, Visibility
from leaderboard.services import quotas
from leaderboard.services.comments import (
    CommentRefused,
    add_comment,
    delete_comment,
    dismiss_reports,
    edit_comment,
    hide_comment,
    report_comment,
    show_comment,
)
from tests.factories import ResultFactory, SubmissionFactory, UserFactory, published_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(owner):
    return published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))


@pytest.fixture
def comment(result, stranger):
    return add_comment(result=result, by=stranger, text="Which driver?")


def told(person):
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("kind", flat=True))


def private_result(owner, *shared):
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.DRAFT, visibility=Visibility.PRIVATE)
    for person in shared:
        Share.objects.create(submission=submission, user=person)
    return ResultFactory(submission=submission)


def test_a_comment_keeps_its_markdown(result, stranger):
    comment = add_comment(result=result, by=stranger, text="  *Which*\r\ndriver?\n")

    assert comment.text == "*Which*\ndriver?"


def test_the_owner_hears_of_a_comment_with_a_link_to_it(comment, owner):
    row = Notification.objects.get(user=owner)

    assert (row.kind, row.text, row.url) == (NotificationKind.COMMENT, "Which driver?", f"/comments/{comment.pk}/")


def test_earlier_commenters_hear_of_an_answer_and_its_author_does_not(comment, result, owner, stranger):
    add_comment(result=result, by=owner, text="535.")

    assert told(stranger) == [NotificationKind.COMMENT]
    assert told(owner) == [NotificationKind.COMMENT]


def test_who_took_their_comment_back_hears_no_more(comment, result, owner, stranger):
    delete_comment(comment=comment, by=stranger)

    add_comment(result=result, by=owner, text="535.")

    assert told(stranger) == []


def test_who_no_longer_sees_a_private_result_hears_no_more(owner, stranger):
    result = private_result(owner, stranger, UserFactory())
    add_comment(result=result, by=stranger, text="Which driver?")
    Share.objects.filter(user=stranger).delete()

    add_comment(result=result, by=owner, text="535.")

    assert told(stranger) == []


def test_a_shared_result_can_be_commented_on(owner, stranger):
    assert add_comment(result=private_result(owner, stranger), by=stranger, text="Nice.").pk


def test_an_unshared_private_result_cannot_be_commented_on(owner):
    with pytest.raises(CommentRefused, match="public or shared"):
        add_comment(result=private_result(owner), by=owner, text="Nice.")


@pytest.mark.parametrize("status", ["draft", "pending", "rejected"])
def test_an_unpublished_result_cannot_be_commented_on(owner, moderator, status):
    result = ResultFactory(submission__owner=owner, submission__status=status)

    with pytest.raises(CommentRefused, match="public or shared"):
        add_comment(result=result, by=moderator, text="Nice.")


def test_a_result_shared_with_others_cannot_be_commented_on(owner, stranger):
    with pytest.raises(CommentRefused, match="public or shared"):
        add_comment(result=private_result(owner, UserFactory()), by=stranger, text="Nice.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write something"),
        (" \n\u200b\u2060", "write something"),
        ("x" * 5001, "5,001 characters are too many; at most 5,000"),
        ("a\x00b", r"U\+0000"),
        ("a\x1bb", r"U\+001B"),
        ("safe\u202etxt.exe", r"U\+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a\u2066b", r"U\+2066 LEFT-TO-RIGHT ISOLATE"),
        ("a\ud800b", r"U\+D800"),
    ],
    ids=["empty", "invisible", "long", "NUL", "escape", "override", "isolate", "surrogate"],
)
def test_a_text_that_cannot_be_shown_is_refused(result, stranger, text, says):
    with pytest.raises(CommentRefused, match=f"text: .*{says}") as refused:
        add_comment(result=result, by=stranger, text=text)

    assert refused.value.field == "text"
    assert not Comment.objects.exists()


@pytest.mark.parametrize("text", ["日本語", "עברית", "فارسی\u200cها", "👩‍🚀", "a\tb"])
def test_writing_of_all_peoples_is_taken(result, stranger, text):
    assert add_comment(result=result, by=stranger, text=text).text == text


def test_the_same_comment_is_not_taken_twice(comment, result, stranger):
    with pytest.raises(CommentRefused, match="just this already"):
        add_comment(result=result, by=stranger, text="Which driver?")


def test_the_banned_neither_comment_nor_edit_nor_report(comment, result, owner, stranger, moderator):
    other = add_comment(result=result, by=owner, text="535.")
    ban(user=stranger, by=moderator, reason="Spam.")

    for write in (
        lambda: add_comment(result=result, by=stranger, text="Buy."),
        lambda: edit_comment(comment=comment, by=stranger, text="Buy."),
        lambda: report_comment(comment=other, by=stranger, reason="Buy."),
    ):
        with pytest.raises(Banned, match="Spam"):
            write()


def test_the_banned_may_delete(comment, stranger, moderator):
    ban(user=stranger, by=moderator, reason="Spam.")

    delete_comment(comment=comment, by=stranger)

    assert comment.deleted_at


def test_comments_of_a_day_are_counted(monkeypatch, comment, result, stranger):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.COMMENTS, 1)

    with pytest.raises(quotas.OverQuota, match="1 comments"):
        add_comment(result=result, by=stranger, text="More.")


def test_its_author_edits_a_comment_at_any_time(comment, stranger):
    edit_comment(comment=comment, by=stranger, text="Which CUDA?")

    assert comment.text == "Which CUDA?"
    assert comment.edited_at


@pytest.mark.parametrize("who", ["owner", "moderator"])
def test_nobody_else_edits_or_deletes_it(request, comment, who):
    person = request.getfixturevalue(who)

    with pytest.raises(CommentRefused, match="Only its author"):
        edit_comment(comment=comment, by=person, text="Nothing.")
    with pytest.raises(CommentRefused, match="Only its author"):
        delete_comment(comment=comment, by=person)


def test_of_a_deleted_comment_the_place_stays(comment, stranger):
    delete_comment(comment=comment, by=stranger)

    row = Comment.objects.get()
    assert (row.text, bool(row.deleted_at)) == ("", True)


def test_a_deleted_comment_can_neither_be_edited_nor_deleted_again(comment, stranger):
    delete_comment(comment=comment, by=stranger)

    with pytest.raises(CommentRefused):
        edit_comment(comment=comment, by=stranger, text="Back.")
    with pytest.raises(CommentRefused):
        delete_comment(comment=comment, by=stranger)


def test_moderators_hear_of_the_first_report_alone(comment, owner, moderator):
    report_comment(comment=comment, by=owner, reason="Off topic.")
    report_comment(comment=comment, by=UserFactory(), reason="Rude.")

    assert told(moderator) == [NotificationKind.MODERATION]
    assert comment.reports.count() == 2


def test_a_reader_reports_a_comment_once(comment, owner):
    report_comment(comment=comment, by=owner, reason="Off topic.")

    with pytest.raises(CommentRefused, match="already"):
        report_comment(comment=comment, by=owner, reason="Rude.")


def test_nobody_reports_their_own_comment(comment, stranger):
    with pytest.raises(CommentRefused, match="your own"):
        report_comment(comment=comment, by=stranger, reason="Rude.")


def test_a_comment_that_one_cannot_see_cannot_be_reported(owner, stranger):
    comment = add_comment(result=private_result(owner, UserFactory()), by=owner, text="Nice.")

    with pytest.raises(CommentRefused, match="not there"):
        report_comment(comment=comment, by=stranger, reason="Rude.")


def test_a_report_needs_a_reason(comment, owner):
    with pytest.raises(CommentRefused, match="reason: write something"):
        report_comment(comment=comment, by=owner, reason=" ")


def test_hiding_leaves_an_audit_line_and_answers_the_reports(comment, owner, stranger, moderator):
    report_comment(comment=comment, by=owner, reason="Rude.")

    hide_comment(comment=comment, by=moderator, reason="Insults.")

    line = AuditEvent.objects.get()
    assert (line.action, line.actor, line.person, line.subject, line.reason) == (
        AuditAction.HIDE_COMMENT, moderator, stranger, f"comment {comment.pk}", "Insults.",
    )  # fmt: skip
    assert comment.reports.get().handled_by == moderator
    assert told(stranger) == [NotificationKind.COMMENT]


def test_a_hidden_comment_cannot_be_edited_but_deleted(comment, stranger, moderator):
    hide_comment(comment=comment, by=moderator, reason="Insults.")

    with pytest.raises(CommentRefused, match="hidden"):
        edit_comment(comment=comment, by=stranger, text="Sorry.")
    delete_comment(comment=comment, by=stranger)


def test_hiding_twice_is_refused_and_logged_once(comment, moderator):
    hide_comment(comment=comment, by=moderator, reason="Insults.")

    with pytest.raises(CommentRefused, match="already"):
        hide_comment(comment=comment, by=moderator, reason="Insults.")
    assert AuditEvent.objects.count() == 1


def test_a_hidden_comment_can_be_shown_again(comment, moderator):
    hide_comment(comment=comment, by=moderator, reason="Insults.")

    show_comment(comment=comment, by=moderator)

    assert (comment.hidden_at, comment.hidden_reason) == (None, "")
    assert AuditEvent.objects.filter(action=AuditAction.SHOW_COMMENT).count() == 1
    with pytest.raises(CommentRefused, match="not hidden"):
        show_comment(comment=comment, by=moderator)


def test_dismissed_reports_leave_the_comment_and_an_audit_line(comment, owner, moderator):
    report_comment(comment=comment, by=owner, reason="Rude.")

    dismiss_reports(comment=comment, by=moderator, reason="It is not.")

    assert comment.reports.get().handled_at
    assert AuditEvent.objects.get().action == AuditAction.DISMISS_REPORT
    with pytest.raises(CommentRefused, match="already"):
        dismiss_reports(comment=comment, by=moderator, reason="It is not.")


@pytest.mark.parametrize("decide", ["hide", "show", "dismiss"])
def test_only_moderators_decide_and_not_on_their_own(result, comment, owner, moderator, decide):
    calls = {
        "hide": lambda on, by: hide_comment(comment=on, by=by, reason="x"),
        "show": lambda on, by: show_comment(comment=on, by=by),
        "dismiss": lambda on, by: dismiss_reports(comment=on, by=by, reason="x"),
    }
    own = add_comment(result=result, by=moderator, text="Mine.")

    with pytest.raises(CommentRefused, match="not a moderator"):
        calls[decide](comment, owner)
    with pytest.raises(CommentRefused, match="their own"):
        calls[decide](own, moderator)
