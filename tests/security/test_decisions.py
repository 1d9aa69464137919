"""A decision is about what its moderator looked at: what changed since is looked at again first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leaderboard.models import Provenance, ReviewAction, ScoreReview, Submission, SubmissionStatus, Visibility
from leaderboard.services.editing import recall
from leaderboard.services.reading import read_upload
from leaderboard.services.replacing import replace_files
from leaderboard.services.rescoring import ScoreRefused, apply_score
from leaderboard.services.review import review
from leaderboard.services.submissions import SubmissionRefused, delete, submit
from tests.factories import normal_file, pending
from tests.security.invariants import assert_sound

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]
HIDDEN = re.compile(r'<input type="hidden" name="(seen-[^"]+)" value="([^"]+)">')


@pytest.fixture
def admin(client, moderator):
    client.force_login(moderator)
    return client


def replace(submission: Submission) -> None:
    reading = read_upload(
        [normal_file(duration_s=128.01)], stated={}, provenance=Provenance.UPLOAD, replacing=submission
    )
    assert submission.owner is not None
    replace_files(submission=submission, reading=reading, by=submission.owner, reason="Wrong clock.")


def hand_in_again(submission: Submission) -> None:
    assert submission.owner is not None
    recall(submission=submission, by=submission.owner, visibility=Visibility.DRAFT)
    submit(submission=submission, by=submission.owner, visibility=Visibility.PUBLIC)


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


@pytest.mark.parametrize("change", [replace, hand_in_again])
def test_the_page_of_one_decides_on_what_it_showed(admin, owner, change):
    submission = pending(owner)
    address = f"/admin/leaderboard/submission/{submission.pk}/change/"
    seen = _seen(admin.get(address))
    change(submission)

    late = admin.post(address, {"decision": "approve", "reason": "", **seen}, follow=True)

    assert "it has changed since you looked" in late.content.decode()
    assert fresh(submission).status == S.PENDING
    admin.post(address, {"decision": "approve", "reason": "", **_seen(admin.get(address))})
    assert fresh(submission).status == S.PUBLISHED


@pytest.mark.parametrize("change", [replace, hand_in_again])
def test_the_list_decides_on_what_it_showed(admin, owner, stranger, change):
    changed, same = pending(owner), pending(stranger, normal_file(duration_s=128.5))
    chosen = {"action": "approve", "_selected_action": [str(changed.pk), str(same.pk)]}
    seen = _seen(admin.post("/admin/leaderboard/submission/", chosen))
    change(changed)

    admin.post("/admin/leaderboard/submission/", {**chosen, "reason": "", **seen})

    assert fresh(changed).status == S.PENDING
    assert fresh(same).status == S.PUBLISHED
    assert_sound()


@pytest.mark.parametrize("change", [replace, hand_in_again])
def test_between_the_reading_and_the_lock_nothing_slips_through(owner, moderator, change):
    submission = pending(owner)
    read_before = fresh(submission)
    change(submission)

    with pytest.raises(SubmissionRefused, match="look again"):
        review(submission=read_before, action=ReviewAction.APPROVE, by=moderator)


def test_what_was_deleted_meanwhile_is_refused_in_words(owner, moderator):
    submission = pending(owner)
    read_before = fresh(submission)
    delete(submission=submission, by=owner)

    with pytest.raises(SubmissionRefused, match="deleted"):
        review(submission=read_before, action=ReviewAction.APPROVE, by=moderator)


def test_a_new_score_of_what_was_replaced_is_refused_in_words(owner, moderator):
    submission = pending(owner)
    row = ScoreReview.objects.create(
        result=submission.results.get(), check_set="new", trust_before=1, trust_after=2, findings=[]
    )
    replace(submission)

    with pytest.raises(ScoreRefused, match="replaced or deleted"):
        apply_score(score_review=row, by=moderator, reason="Newer.")


def _seen(response: Any) -> dict[str, str]:
    found = dict(HIDDEN.findall(response.content.decode()))
    assert found
    return found
