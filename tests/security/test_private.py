"""What is not public is nowhere: not by its address, not in a list, a count, a feed, an export or a sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Notification, User
from leaderboard.importers import ImportRefused
from leaderboard.models import Comment, Provenance, ReviewAction, Share, Submission, SubmissionStatus, Visibility
from leaderboard.services.comments import add_comment
from leaderboard.services.reading import read_upload
from leaderboard.services.review import review
from leaderboard.services.sharing import share, unshare
from leaderboard.services.submissions import SubmissionRefused, submit
from tests.factories import UserFactory, draft, normal_file, pending, published_result, read
from tests.leaderboard.api.clients import client_of

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]
CANARY = "canary7"
#: CSRF tokens, and the time that a feed without entries names
VOLATILE = re.compile(r"[A-Za-z0-9]{64}|<(updated|lastBuildDate)>[^<]*<")
#: everything that everyone may read; {name} is the owner's
PUBLIC = (
    "/", "/?view=all&min_trust=T1", f"/?q={CANARY}&view=all", "/models/", "/hardware/", "/models/org/model-8b/",
    "/hardware/h100/", "/disputes/", "/u/{name}/", "/feed.atom", "/feed.rss", f"/feed.atom?q={CANARY}",
    "/api/benchmarks", "/api/benchmarks?view=all&min_trust=T1", f"/api/benchmarks?q={CANARY}", "/api/benchmarks.csv",
    "/api/benchmarks.json", "/api/models", "/api/hardware", "/api/models/org/model-8b", "/api/hardware/h100",
    "/api/users/{name}", "/api/users/{name}/submissions",
)  # fmt: skip
#: of one submission: by its id, its result's, its file's and its comment's
OWN = (
    "/submissions/{submission}/", "/submissions/{submission}/files/{file}/", "/results/{result}/",
    "/comments/{comment}/", "/api/submissions/{submission}", "/api/submissions/{submission}/raw",
    "/api/submissions/{submission}/history", "/api/submissions/{submission}/shares", "/api/benchmarks/{result}",
    "/api/benchmarks/{result}/raw", "/api/benchmarks/{result}/comments", "/api/benchmarks/{result}/disputes",
)  # fmt: skip
STATES = [
    (S.DRAFT, Visibility.DRAFT),
    (S.DRAFT, Visibility.PRIVATE),
    (S.PENDING, Visibility.PUBLIC),
    (S.CHANGES_REQUESTED, Visibility.PUBLIC),
    (S.CHANGES_REQUESTED, Visibility.PRIVATE),
    (S.REJECTED, Visibility.PUBLIC),
    (S.WITHDRAWN, Visibility.PUBLIC),
]


def secret(owner: User, status: str, visibility: str) -> Submission:
    """Full of a word that stands nowhere else; shared with somebody who is not asking."""
    submission = draft(owner, normal_file(f"{CANARY}.json", model=f"org/{CANARY}", dataset=CANARY))
    Submission.objects.filter(pk=submission.pk).update(
        status=status, visibility=visibility, note=CANARY, stated={"dataset": CANARY}
    )
    Comment.objects.create(result=submission.results.get(), author=owner, text=CANARY)
    Share.objects.create(submission=submission, user=UserFactory())
    submission.refresh_from_db()
    return submission


def addresses(submission: Submission) -> list[str]:
    result = submission.results.get()
    values = {
        "submission": submission.pk,
        "result": result.pk,
        "file": submission.raw_files.get().pk,
        "comment": result.comments.get().pk,
    }
    return [path.format(**values) for path in OWN]


def content_of(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return VOLATILE.sub("", content.decode())


@pytest.fixture
def readers(stranger):
    """Browsers and API clients of who is nothing to the owner."""
    browser = Client()
    browser.force_login(stranger)
    return {"anonymous": Client(), "stranger": browser, "token": client_of(stranger, "read", "submit")}


@pytest.mark.parametrize(("status", "visibility"), STATES)
def test_a_stranger_finds_nothing_by_its_address(owner, readers, status, visibility):
    submission = secret(owner, status, visibility)

    for address in addresses(submission):
        who = "token" if address.startswith("/api") else "stranger"
        for reader in (readers["anonymous"], readers[who]):
            response = reader.get(address)

            if response.status_code in (301, 302):
                assert response["Location"].startswith("/accounts/login/"), address
            else:
                assert response.status_code in (401, 404), (address, response.status_code)
            assert CANARY not in content_of(response), address


@pytest.mark.parametrize(("status", "visibility"), STATES)
def test_everything_public_is_the_same_with_it_as_without(owner, readers, status, visibility):
    published_result()
    before = _everything_public(readers, owner)

    secret(owner, status, visibility)

    after = _everything_public(readers, owner)
    assert [key for key in before if before[key] != after[key]] == []


def _everything_public(readers: dict[str, Any], owner: User) -> dict[Any, Any]:
    found = {}
    cache.clear()
    for path in PUBLIC:
        for who in ("token", "anonymous") if path.startswith("/api") else ("stranger", "anonymous"):
            response = readers[who].get(path.format(name=owner.username))
            assert response.status_code == 200, path
            found[who, path] = (content_of(response), response.headers.get("ETag", ""))
    return found


def test_who_asks_with_the_id_of_something_that_is_not_there_hears_the_same(owner, readers):
    """Neither the words nor the headers tell a private row from none."""
    result = secret(owner, S.DRAFT, Visibility.PRIVATE).results.get()
    nowhere = "00000000-0000-4000-8000-000000000000"

    for path in ("/results/{}/", "/api/benchmarks/{}", "/api/benchmarks/{}/raw", "/submissions/{}/"):
        reader = readers["token" if path.startswith("/api") else "stranger"]
        there, absent = reader.get(path.format(result.pk)), reader.get(path.format(nowhere))

        assert (there.status_code, content_of(there)) == (absent.status_code, content_of(absent))


@pytest.mark.parametrize("hand_in", [pending, None], ids=["as it is read", "as it is handed in"])
def test_a_duplicate_of_what_waits_for_review_does_not_name_it(owner, stranger, hand_in):
    if hand_in is None:
        mine = draft(stranger)
        theirs = pending(owner).results.get()
        with pytest.raises(SubmissionRefused) as refused:
            submit(submission=mine, by=stranger, visibility=Visibility.PUBLIC)
        said = str(refused.value)
    else:
        theirs = hand_in(owner).results.get()
        reading = read(normal_file(), owner=stranger)
        said = " ".join(f"{finding.message} {finding.observed}" for finding in reading.results[0].findings)

    assert "a result that is not public yet" in said
    assert str(theirs.pk) not in said


def test_ones_own_result_that_waits_is_named(owner):
    mine = pending(owner).results.get()

    reading = read(normal_file(), owner=owner)

    assert any(f"result {mine.pk}" in finding.message for finding in reading.results[0].findings)


def test_a_batch_says_no_more_of_others_than_a_single_upload(owner, stranger):
    theirs = pending(owner).results.get()
    refused: list[ImportRefused] = []

    read_upload([normal_file()], stated={}, provenance=Provenance.UPLOAD, owner=stranger, refused=refused)

    assert refused
    assert all(str(theirs.pk) not in str(error) for error in refused)


def test_who_is_taken_off_has_lost_pages_api_files_and_news_at_once(owner, stranger, readers):
    submission = secret(owner, S.DRAFT, Visibility.PRIVATE)
    share(submission=submission, username="stranger", by=owner)
    result = submission.results.get()
    add_comment(result=result, by=stranger, text="Thank you.")

    unshare(submission=submission, username="stranger")
    Notification.objects.all().delete()
    add_comment(result=result, by=owner, text="Now we are alone.")

    for address in addresses_after(submission):
        who = "token" if address.startswith("/api") else "stranger"
        assert readers[who].get(address).status_code == 404, address
    assert not Notification.objects.filter(user=stranger).exists()


def addresses_after(submission: Submission) -> list[str]:
    result, raw = submission.results.get(), submission.raw_files.get()
    first = result.comments.first()
    assert first is not None
    values = {"submission": submission.pk, "result": result.pk, "file": raw.pk, "comment": first.pk}
    return [path.format(**values) for path in OWN]


def test_taken_off_and_shared_again_is_no_news(owner, stranger):
    submission = secret(owner, S.DRAFT, Visibility.PRIVATE)

    for _ in range(5):
        share(submission=submission, username="stranger", by=owner)
        unshare(submission=submission, username="stranger")

    assert Notification.objects.filter(user=stranger).count() == 1


@pytest.mark.parametrize("given", ["{email}", "{pk}", "gone"], ids=["an address", "a number", "a closed account"])
def test_sharing_finds_people_by_the_name_on_their_profile_alone(owner, stranger, given):
    stranger.email = "hidden@example.org"
    stranger.save()
    UserFactory(username="gone", is_active=False)
    submission = secret(owner, S.DRAFT, Visibility.PRIVATE)

    with pytest.raises(SubmissionRefused, match="There is no user"):
        share(submission=submission, username=given.format(email=stranger.email, pk=stranger.pk), by=owner)


def test_what_was_public_does_not_become_private_behind_its_readers(owner, moderator):
    submission = pending(owner)
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    Submission.objects.filter(pk=submission.pk).update(status=S.CHANGES_REQUESTED)

    with pytest.raises(SubmissionRefused, match="what was public is withdrawn"):
        submit(submission=submission, by=owner, visibility=Visibility.PRIVATE)
