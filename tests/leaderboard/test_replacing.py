"""New files in place of old ones: addresses stay, the old version is kept, what has no successor leaves a tombstone."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.services.bans import Banned, ban
from leaderboard.models import (
    Comment,
    Provenance,
    RawFile,
    Result,
    ReviewAction,
    Submission,
    SubmissionStatus,
    SubmissionVersion,
    Tombstone,
)
from leaderboard.services import quotas
from leaderboard.services.reading import read_upload
from leaderboard.services.replacing import replace_files
from leaderboard.services.review import review
from leaderboard.services.submissions import ResultsImpossible, SubmissionRefused, withdraw
from lemsite.lib.archives import Entry
from tests.factories import draft, normal_file, pending

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]
FASTER: dict[str, Any] = {
    "duration_s": 64.0,
    "throughput_tokens_per_s": 2000.0,
    "total_energy_j": 32_000.0,
    "energy_per_output_token_j": 0.25,
    "tokens_per_joule": 4.0,
}


def published(owner: Any, moderator: Any, *entries: Entry) -> Submission:
    submission = pending(owner, *entries)
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    submission.refresh_from_db()
    return submission


def replace(submission: Submission, *entries: Entry, reason: str = "Wrong clock.") -> Submission:
    reading = read_upload(
        entries, stated=submission.stated, provenance=Provenance.UPLOAD, owner=submission.owner, replacing=submission
    )
    assert submission.owner is not None
    return replace_files(submission=submission, reading=reading, by=submission.owner, reason=reason)


def test_a_result_of_the_same_configuration_keeps_its_address_and_takes_the_new_figures(owner):
    submission = draft(owner)
    before = submission.results.get()

    replace(submission, normal_file(**FASTER))

    after = submission.results.get()
    assert (after.pk, after.tokens_per_joule) == (before.pk, 4.0)
    assert after.identity != before.identity


def test_what_was_there_is_kept_as_a_version_with_its_reason_and_figures(owner):
    submission = draft(owner)
    result = submission.results.get()

    replaced = replace(submission, normal_file(**FASTER))

    version = SubmissionVersion.objects.get()
    assert (replaced.version, version.number, version.reason) == (2, 1, "Wrong clock.")
    assert version.results[0]["id"] == str(result.pk)
    assert version.results[0]["tokens_per_joule"] == 2.0


def test_the_files_of_both_versions_stay(owner):
    submission = draft(owner)

    replace(submission, normal_file(**FASTER))

    assert list(submission.raw_files.order_by("version").values_list("version", "name")) == [
        (1, "result.json"),
        (2, "result.json"),
    ]


def test_comments_stay_with_their_result(owner, stranger, moderator):
    submission = published(owner, moderator)
    Comment.objects.create(result=submission.results.get(), author=stranger, text="Which driver?")

    replace(submission, normal_file(**FASTER))

    assert submission.results.get().comments.count() == 1


def test_a_published_submission_waits_for_review_again_and_leaves_the_tables(owner, moderator):
    submission = published(owner, moderator)
    assert Result.objects.ranked().exists()

    replaced = replace(submission, normal_file(**FASTER))

    event = submission.events.last()
    assert replaced.status == S.PENDING
    assert not Result.objects.ranked().exists()
    assert (event.action, event.from_status, event.to_status, event.reason) == (
        "replace",
        "published",
        "pending",
        "Wrong clock.",
    )


def test_once_approved_again_it_is_ranked_with_the_new_figures(owner, moderator):
    submission = published(owner, moderator)

    review(submission=replace(submission, normal_file(**FASTER)), action=ReviewAction.APPROVE, by=moderator)

    assert Result.objects.ranked().get().tokens_per_joule == 4.0


@pytest.mark.parametrize("status", [S.DRAFT, S.PENDING, S.CHANGES_REQUESTED])
def test_the_state_of_what_was_not_public_stays(owner, status):
    submission = draft(owner)
    Submission.objects.filter(pk=submission.pk).update(status=status)

    assert replace(submission, normal_file(**FASTER)).status == status
    assert submission.events.get().action == "replace"


@pytest.mark.parametrize("status", [S.REJECTED, S.DISPUTED, S.INVALIDATED, S.WITHDRAWN])
def test_what_is_closed_is_not_replaced(owner, status):
    submission = draft(owner)
    Submission.objects.filter(pk=submission.pk).update(status=status)

    with pytest.raises(SubmissionRefused, match="can no longer be replaced"):
        replace(submission, normal_file(**FASTER))


def test_a_published_result_without_a_successor_leaves_a_tombstone(owner, moderator):
    submission = published(owner, moderator, normal_file("a.json"), normal_file("b.json", batch_size=16))
    kept, gone = submission.results.order_by("batch_size")

    replace(submission, normal_file(**FASTER))

    stone = Tombstone.objects.get()
    assert (stone.pk, stone.owner, stone.reason) == (gone.pk, owner, "replaced: Wrong clock.")
    assert submission.results.get().pk == kept.pk


def test_the_same_files_again_are_no_duplicate_of_the_version_they_replace(owner, moderator):
    submission = published(owner, moderator)

    assert replace(submission, normal_file()).version == 2


def test_a_file_of_somebody_else_is_still_a_duplicate(owner, stranger):
    pending(stranger)
    submission = draft(owner, normal_file(batch_size=16, **FASTER))

    with pytest.raises(ResultsImpossible):
        replace(submission, normal_file())


def test_what_was_stated_holds_for_the_new_files(owner):
    submission = draft(owner, normal_file(precision=None), precision="fp8")

    replace(submission, normal_file(precision=None, **FASTER))

    assert submission.results.get().precision == "fp8"


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(owner, reason):
    with pytest.raises(SubmissionRefused, match="Say why"):
        replace(draft(owner), normal_file(**FASTER), reason=reason)

    assert not SubmissionVersion.objects.exists()


def test_what_is_published_is_not_replaced_by_files_without_an_essential(owner, moderator):
    submission = published(owner, moderator)

    with pytest.raises(SubmissionRefused, match="lack the hardware"):
        replace(submission, normal_file(hardware=None, **FASTER))

    assert Submission.objects.get().status == S.PUBLISHED
    assert Result.objects.ranked().exists()


def test_an_impossible_file_changes_nothing(owner):
    submission = draft(owner)

    with pytest.raises(ResultsImpossible):
        replace(submission, normal_file(avg_power_w=5000.0))

    assert submission.results.get().tokens_per_joule == 2.0
    assert RawFile.objects.count() == 1


def test_replacing_counts_towards_the_days_uploads(owner, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.UPLOADS, 2)
    submission = draft(owner)
    replace(submission, normal_file(**FASTER))

    with pytest.raises(quotas.OverQuota):
        replace(submission, normal_file())


def test_who_is_banned_replaces_nothing(owner, moderator):
    submission = draft(owner)
    ban(user=owner, by=moderator, reason="Spam.")

    with pytest.raises(Banned):
        replace(submission, normal_file(**FASTER))


def test_what_nobody_reviewed_does_not_become_public_by_being_withdrawn(owner, moderator):
    submission = replace(published(owner, moderator), normal_file(**FASTER))

    withdraw(submission=submission, by=owner, reason="Never mind.")

    submission.refresh_from_db()
    assert not submission.is_public
    assert Tombstone.objects.get().reason == "Never mind."


def test_many_results_are_replaced_with_few_queries(owner, django_assert_max_num_queries):
    entries = [normal_file(f"{n}.json", batch_size=8 + n) for n in range(150)]
    submission = draft(owner, *entries)
    new = [normal_file(f"{n}.json", batch_size=8 + n, **FASTER) for n in range(150)]

    with django_assert_max_num_queries(120):
        replace(submission, *new)

    assert set(submission.results.values_list("tokens_per_joule", flat=True)) == {4.0}
