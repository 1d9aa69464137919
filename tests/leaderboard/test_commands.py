"""What an operator types."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.management import CommandError, call_command

from leaderboard.models import Finding, Hardware, Result, Submission, SubmissionStatus
from leaderboard.services.need import refresh_need
from tests.factories import ResultFactory, SubmissionFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_load_catalogue_says_how_much_there_is():
    said = run("load_catalogue")

    assert said.startswith(f"{Hardware.objects.count()} hardware, ")


def test_load_published_says_how_many_are_ranked(catalogue):
    assert run("load_published") == "191 published figures are ranked"


@pytest.mark.parametrize(
    ("action", "status"), [("approve", "published"), ("reject", "rejected"), ("request-changes", "changes_requested")]
)
def test_review_decides(moderator, action, status):
    submission = ResultFactory().submission

    said = run("review", str(submission.pk), action, "--by", "moderator", "--reason", "Looked at it.")

    assert said == f"{submission.pk} {status}"
    assert Submission.objects.get().events.get().reason == "Looked at it."


def test_review_ranks_what_it_approves(moderator):
    result = ResultFactory()

    run("review", str(result.submission_id), "approve", "--by", "moderator")

    assert Result.objects.ranked().get() == result


def test_review_refuses_a_decision_without_its_reason(moderator):
    submission = SubmissionFactory()

    with pytest.raises(CommandError, match="Give a reason"):
        run("review", str(submission.pk), "reject", "--by", "moderator")

    assert Submission.objects.get().status == SubmissionStatus.PENDING


def test_review_refuses_who_is_no_moderator(stranger):
    with pytest.raises(CommandError, match="stranger is not a moderator"):
        run("review", str(SubmissionFactory().pk), "approve", "--by", "stranger")


def test_review_says_who_is_not_known():
    with pytest.raises(CommandError, match="no user 'nobody'"):
        run("review", str(uuid.uuid4()), "approve", "--by", "nobody")


@pytest.mark.parametrize("submission", ["not-an-id", "00000000-0000-0000-0000-000000000000"])
def test_review_says_which_submission_is_not_known(moderator, submission):
    with pytest.raises(CommandError, match=f"no submission '{submission}'"):
        run("review", submission, "approve", "--by", "moderator")


def test_review_lists_what_waits_with_why_the_neediest_first(moderator):
    ResultFactory(submission__submitted_at="2026-01-01T00:00Z", trust=10)
    needy = ResultFactory(submission__submitted_at="2026-01-02T00:00Z", submission__assignee=moderator, trust=10)
    Finding.objects.create(result=needy, code="ROO1", severity="R", message="m", check_set="1")
    SubmissionFactory(status="rejected")
    refresh_need(Submission.objects.all())

    lines = run("review", "--list").splitlines()

    assert len(lines) == 2
    assert lines[0].startswith(f"{needy.submission_id} pending  {needy}; 1 for review, new contributor; ")
    assert lines[0].endswith("assigned to moderator")


def test_review_says_when_nothing_waits():
    assert run("review", "--list") == "Nothing waits."


def test_review_assigns(moderator):
    submission = SubmissionFactory()

    run("review", str(submission.pk), "--assign", "moderator", "--by", "moderator")

    assert Submission.objects.get().assignee == moderator


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give a submission's id"),
        (["ID"], "Give a submission's id"),
        (["ID", "approve"], "--by: give the name"),
        (["ID", "--assign", "nobody", "--by", "moderator"], "There is no user 'nobody'"),
    ],
    ids=["nothing", "only an id", "nobody decides", "assigned to nobody known"],
)
def test_review_says_what_is_missing(moderator, arguments, sentence):
    submission = SubmissionFactory()

    with pytest.raises(CommandError, match=sentence):
        run("review", *[str(submission.pk) if each == "ID" else each for each in arguments])
