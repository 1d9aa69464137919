"""What was public once never answers a bare 404: a notice while new files are reviewed, a tombstone where they fail."""

from __future__ import annotations

import pytest

from leaderboard.models import ReviewAction, Submission, SubmissionStatus, Tombstone, Visibility
from leaderboard.services.review import review
from leaderboard.services.submissions import SubmissionRefused, delete, submit
from tests.factories import normal_file
from tests.leaderboard.test_replacing import FASTER, published, replace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]


@pytest.fixture
def replaced(owner, moderator) -> Submission:
    return replace(published(owner, moderator), normal_file(**FASTER))


def page_of(submission):
    return f"/results/{submission.results.order_by('created_at').first().pk}/"


def api_of(submission):
    return f"/api/benchmarks/{submission.results.order_by('created_at').first().pk}"


def test_the_page_says_since_when_it_is_reviewed_again_and_shows_no_figure(client, replaced):
    answer = client.get(page_of(replaced))

    page = answer.content.decode()
    since = replaced.events.get(action=ReviewAction.REPLACE).created_at
    assert answer.status_code == 200
    assert f"Since {since:%Y-%m-%d}: its files were replaced." in page
    assert "tokens/J" not in page


def test_the_api_says_so_with_409(client, replaced):
    answer = client.get(api_of(replaced))

    assert answer.status_code == 409
    assert "reviewed again since" in answer.json()["error"]["message"]


def test_its_owner_reads_the_result_itself_meanwhile(client, owner, replaced):
    client.force_login(owner)

    assert "reviewed again since" not in client.get(page_of(replaced)).content.decode()


def test_the_notice_stays_while_changes_are_requested(client, moderator, replaced):
    review(submission=replaced, action=ReviewAction.REQUEST_CHANGES, by=moderator, reason="Which driver?")

    assert client.get(page_of(replaced)).status_code == 200


def test_rejected_new_files_leave_a_tombstone_without_the_moderators_words(client, moderator, replaced):
    review(submission=replaced, action=ReviewAction.REJECT, by=moderator, reason="You counted padding.")

    answer = client.get(page_of(replaced))

    assert answer.status_code == 410
    assert "a moderator rejected the new ones" in answer.content.decode()
    assert "padding" not in answer.content.decode()
    assert client.get(api_of(replaced)).status_code == 410


def test_a_rejected_submission_that_was_never_public_leaves_none(owner, moderator, client):
    submission = published(owner, moderator)
    Submission.objects.update(status=SubmissionStatus.PENDING, published_at=None)
    submission.refresh_from_db()

    review(submission=submission, action=ReviewAction.REJECT, by=moderator, reason="Padding.")

    assert not Tombstone.objects.exists()
    assert client.get(page_of(submission)).status_code == 404


def test_results_that_came_with_the_new_files_were_never_public(client, owner, moderator):
    submission = published(owner, moderator)
    replace(submission, normal_file(**FASTER), normal_file("b.json", batch_size=16))
    old, new = submission.results.order_by("created_at")

    assert client.get(f"/results/{new.pk}/").status_code == 404
    review(submission=submission, action=ReviewAction.REJECT, by=moderator, reason="Padding.")
    assert Tombstone.objects.get().pk == old.pk


def test_the_tombstone_stays_when_the_rejected_submission_is_deleted(client, owner, moderator, replaced):
    address = page_of(replaced)
    review(submission=replaced, action=ReviewAction.REJECT, by=moderator, reason="Padding.")

    delete(submission=replaced, by=owner, reason="Never mind.")

    assert client.get(address).status_code == 410


def test_what_was_public_does_not_become_private(owner, moderator, replaced):
    review(submission=replaced, action=ReviewAction.REQUEST_CHANGES, by=moderator, reason="Which driver?")

    with pytest.raises(SubmissionRefused, match="what was public is withdrawn"):
        submit(submission=replaced, by=owner, visibility=Visibility.PRIVATE)
