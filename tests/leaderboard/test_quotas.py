"""How much one person may give in a day, also when they try it all at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import User
from leaderboard.models import Comment, Dispute, Provenance, Submission
from leaderboard.services import quotas
from leaderboard.services.quotas import OverQuota, Quota, refuse_over_quota
from leaderboard.services.submissions import delete, store_reading
from tests.factories import UserFactory, draft, normal_file, published_result, read, small_catalogue

LIMIT = 5


@pytest.fixture
def few(monkeypatch) -> None:
    monkeypatch.setitem(quotas.LIMITS, Quota.UPLOADS, LIMIT)


@pytest.mark.django_db
@pytest.mark.usefixtures("small_catalogue", "few")
class TestUploads:
    def test_the_last_one_is_taken_and_the_next_refused(self, owner):
        for _ in range(LIMIT):
            draft(owner)

        with pytest.raises(OverQuota, match="At most 5 uploads in 24 hours") as refused:
            draft(owner)

        assert Submission.objects.count() == LIMIT
        assert 0 < refused.value.retry_after_s <= 24 * 3600 + 1

    def test_another_person_has_a_share_of_their_own(self, owner, stranger):
        for _ in range(LIMIT):
            draft(owner)

        assert draft(stranger).owner == stranger

    def test_a_day_later_there_is_a_new_share(self, owner):
        for _ in range(LIMIT):
            draft(owner)
        Submission.objects.update(created_at=timezone.now() - timedelta(hours=25))

        assert draft(owner).owner == owner

    def test_deleting_drafts_gives_no_new_share(self, owner):
        for _ in range(LIMIT):
            delete(submission=draft(owner), by=owner)

        with pytest.raises(OverQuota):
            draft(owner)


@pytest.mark.django_db
@pytest.mark.usefixtures("small_catalogue")
def test_bytes_are_counted_over_all_uploads(owner, monkeypatch):
    size = len(normal_file().content)
    monkeypatch.setitem(quotas.LIMITS, Quota.BYTES, int(2.5 * size))
    draft(owner)
    draft(owner)

    with pytest.raises(OverQuota, match="MiB of files"):
        draft(owner)


@pytest.mark.django_db
def test_comments_and_disputes_are_counted(owner, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, Quota.COMMENTS, 1)
    monkeypatch.setitem(quotas.LIMITS, Quota.DISPUTES, 1)
    result = published_result()
    Comment.objects.create(result=result, author=owner, text="Nice.")
    Dispute.objects.create(result=result, raised_by=owner, reason="Too fast.")

    for what in (Quota.COMMENTS, Quota.DISPUTES):
        with pytest.raises(OverQuota):
            refuse_over_quota(user=owner, what=what)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("few")
def test_of_many_uploads_at_once_exactly_the_share_is_taken():
    small_catalogue()
    owner = UserFactory()
    readings = [read(normal_file(duration_s=128.0 + number / 1000)) for number in range(50)]
    gate = threading.Barrier(len(readings) if connection.vendor == "postgresql" else 1)

    def give(number: int) -> None:
        try:
            gate.wait(timeout=30)
            person = User.objects.get(pk=owner.pk)
            store_reading(reading=readings[number], owner=person, provenance=Provenance.API)
        except OverQuota:
            pass
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    if connection.vendor == "postgresql":
        threads = [threading.Thread(target=give, args=(number,)) for number in range(len(readings))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        # SQLite has one writer at a time, and its test database belongs to one thread.
        for number in range(len(readings)):
            give(number)

    assert Submission.objects.filter(owner=owner).count() == LIMIT
