"""Along which ways a submission changes its state, and what is left when it is taken back."""

from __future__ import annotations

import itertools
import threading

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction

from leaderboard.models import (
    TRANSITIONS,
    RawFile,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    Tombstone,
)
from leaderboard.services.editing import Changes, edit
from leaderboard.services.review import review
from leaderboard.services.submissions import SubmissionRefused, delete, move, withdraw
from tests.factories import ResultFactory, SubmissionFactory, draft, normal_file, pending, published_result

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]


def test_withdrawing_leaves_a_line_that_says_who_and_why(owner):
    result = published_result(submission=SubmissionFactory(status=S.PUBLISHED, owner=owner))

    withdraw(submission=result.submission, by=owner, reason="Wrong clock.")

    event = ReviewEvent.objects.get()
    assert (event.actor, event.action, event.reason) == (owner, "withdraw", "Wrong clock.")
    assert not Result.objects.ranked().exists()


def test_deleting_a_draft_leaves_only_a_line_in_the_log(owner, stored_files, django_capture_on_commit_callbacks):
    submission = draft(owner)

    with django_capture_on_commit_callbacks(execute=True):
        delete(submission=submission, by=owner)

    assert not any(table.objects.exists() for table in (Submission, Result, RawFile, Tombstone))
    assert ReviewEvent.objects.get().action == "delete"
    assert stored_files() == []


def test_deleting_what_was_public_leaves_who_when_and_why(
    owner, moderator, stored_files, django_capture_on_commit_callbacks
):
    submission = pending(owner)
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)

    with django_capture_on_commit_callbacks(execute=True):
        delete(submission=submission, by=owner, reason="My employer asks for it.")

    left = Submission.objects.get()
    event = left.events.last()
    assert (left.status, left.deleted_at is not None, left.note, left.stated) == (S.WITHDRAWN, True, "", {})
    assert (event.actor, event.action, event.reason) == (owner, "delete", "My employer asks for it.")
    assert (event.from_status, event.to_status) == (S.PUBLISHED, S.WITHDRAWN)
    assert not any(table.objects.exists() for table in (Result, RawFile))
    assert stored_files() == []


def test_deleting_keeps_a_file_that_another_submission_needs(
    owner, stranger, stored_files, django_capture_on_commit_callbacks
):
    mine, theirs = draft(owner), draft(stranger)

    with django_capture_on_commit_callbacks(execute=True):
        delete(submission=mine, by=owner)

    assert len(stored_files()) == 1
    assert default_storage.exists(theirs.raw_files.get().storage_name)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(S, S)))
def test_a_status_changes_along_the_transitions_and_no_other_way(owner, before, after):
    submission = SubmissionFactory(owner=owner, status=before)
    is_allowed = after in TRANSITIONS[before]

    try:
        move(submission=submission, to=after, action=ReviewAction.SUBMIT, by=owner)
        moved = True
    except SubmissionRefused:
        moved = False

    assert moved == is_allowed
    assert Submission.objects.get().status == (after if is_allowed else before)
    assert ReviewEvent.objects.count() == is_allowed


def test_a_refused_edit_changes_nothing_at_all(owner):
    submission = draft(owner, normal_file(batch_size=None))
    changes = Changes(stated={"batch_size": 2}, note="new", status="pending", visibility="private")

    with pytest.raises(SubmissionRefused):
        edit(submission=submission, changes=changes, by=owner)

    submission.refresh_from_db()
    assert (submission.note, submission.results.get().batch_size) == ("", None)


def test_an_edit_states_notes_and_hands_in(owner):
    submission = draft(owner, normal_file(batch_size=None))

    edited = edit(
        submission=submission, changes=Changes(stated={"batch_size": 2}, note="new", status="pending"), by=owner
    )

    assert (edited.status, edited.note, edited.results.get().batch_size) == (S.PENDING, "new", 2)


def test_a_new_note_of_a_published_submission_leaves_a_line_in_the_log(owner):
    submission = ResultFactory(submission__owner=owner, submission__status=S.PUBLISHED).submission

    edited = edit(submission=submission, changes=Changes(note="new"), by=owner)

    event = submission.events.get()
    assert (edited.note, edited.status) == ("new", S.PUBLISHED)
    assert (event.action, event.actor, event.from_status, event.to_status) == ("note", owner, "published", "published")


@pytest.mark.parametrize("status", [S.REJECTED, S.INVALIDATED, S.WITHDRAWN])
def test_the_note_of_what_is_closed_stays(owner, status):
    submission = ResultFactory(submission__owner=owner, submission__status=status).submission

    with pytest.raises(SubmissionRefused, match="its note stays"):
        edit(submission=submission, changes=Changes(note="new"), by=owner)


def test_an_edit_of_the_note_alone_leaves_the_state(owner):
    edited = edit(submission=draft(owner), changes=Changes(note="new"), by=owner)

    assert (edited.status, edited.note) == (S.DRAFT, "new")


def test_an_edit_can_withdraw(owner):
    edited = edit(submission=pending(owner), changes=Changes(status="withdrawn", reason="Oops."), by=owner)

    assert edited.status == S.WITHDRAWN
    assert edited.events.last().reason == "Oops."


@pytest.mark.django_db(transaction=True)
def test_two_moderators_who_approve_at_once_give_one_event(owner, moderator):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    submission = pending(owner)
    at_once, outcomes = threading.Barrier(2), []

    def approve() -> None:
        mine = Submission.objects.get(pk=submission.pk)
        at_once.wait()
        try:
            with transaction.atomic():
                review(submission=mine, action=ReviewAction.APPROVE, by=moderator)
            outcomes.append("approved")
        except SubmissionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["approved", "refused"]
    assert list(submission.events.values_list("action", flat=True)) == ["submit", "approve"]
