"""What an owner decides: who sees it, under which licence, with which note, and that it goes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Notification
from leaderboard.models import (
    ReviewAction,
    Share,
    StatedDefaults,
    Submission,
    SubmissionStatus,
    Tombstone,
    Trust,
    Visibility,
)
from leaderboard.services import batches
from leaderboard.services.editing import change_note, recall
from leaderboard.services.review import review
from leaderboard.services.sharing import share, unshare
from leaderboard.services.submissions import SubmissionRefused, delete, submit
from tests.factories import draft, normal_file, pending
from tests.leaderboard.browsing import text
from tests.leaderboard.test_replacing import FASTER, published, replace

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]


def private(owner: Any, *entries: Any) -> Submission:
    return submit(submission=draft(owner, *entries), by=owner, visibility=Visibility.PRIVATE)


def url(submission: Submission, step: str = "") -> str:
    return reverse(f"leaderboard:submission{'_' if step else ''}{step}", args=[submission.pk])


@pytest.fixture
def browser(client: Client, owner: Any) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def reader(stranger: Any) -> Client:
    """The stranger's browser."""
    client = Client()
    client.force_login(stranger)
    return client


# Becoming public


def test_before_it_becomes_public_the_page_says_what_will(browser, owner):
    shown = text(browser.get(url(draft(owner))))

    assert "This becomes public after review: 1 result, the files, your name (owner) and the note, under the" in shown
    assert "CC BY 4.0: anyone may use them who names you" in shown


def test_the_licence_chosen_is_kept(browser, owner):
    submission = draft(owner)

    browser.post(url(submission, "confirm"), {"visibility": "public", "licence": "CC0-1.0"})

    submission.refresh_from_db()
    assert (submission.status, submission.licence) == (S.PENDING, "CC0-1.0")


def test_another_licence_is_refused(browser, owner):
    submission = draft(owner)

    response = browser.post(url(submission, "confirm"), {"visibility": "public", "licence": "MIT"})

    assert response.status_code == 422
    assert Submission.objects.get().status == S.DRAFT


# Private, and shared


def test_a_private_submission_is_seen_by_those_it_is_shared_with_and_they_are_told(owner, stranger, reader):
    submission = private(owner)
    assert reader.get(url(submission)).status_code == 404

    share(submission=submission, username="Stranger", by=owner)

    assert "Model 8B on 1 x H100 SXM" in text(reader.get(url(submission)))
    assert reader.get(reverse("leaderboard:result", args=[submission.results.get().pk])).status_code == 200
    news = Notification.objects.get(user=stranger)
    assert (news.title, news.url) == ("owner shares a private submission with you", url(submission))


def test_who_is_taken_off_sees_it_no_more(browser, owner, stranger, reader):
    submission = private(owner)
    share(submission=submission, username="stranger", by=owner)

    browser.post(url(submission, "unshare"), {"username": "stranger"})

    assert reader.get(url(submission)).status_code == 404
    assert not Share.objects.exists()


def test_who_it_is_shared_with_only_reads(owner, reader):
    submission = private(owner)
    share(submission=submission, username="stranger", by=owner)

    content = reader.get(url(submission)).content.decode()

    assert "<textarea" not in content
    assert url(submission, "delete") not in content
    for step in ("share", "unshare", "note", "replace", "recall", "withdraw", "delete", "confirm", "state", "forget"):
        assert reader.post(url(submission, step)).status_code == 404


@pytest.mark.parametrize(
    ("name", "why"),
    [("nobody", "There is no user"), ("owner", "yours already"), ("", "Give the user name"), ("a\x00b", "Give the")],
    ids=["unknown", "oneself", "empty", "nul"],
)
def test_sharing_with_who_cannot_be_is_refused_with_a_sentence(browser, owner, name, why):
    submission = private(owner)

    response = browser.post(url(submission, "share"), {"username": name})

    assert response.status_code == 422
    assert why in text(response)


def test_sharing_twice_tells_once(owner, stranger):
    submission = private(owner)

    for _ in range(2):
        share(submission=submission, username="stranger", by=owner)

    assert Share.objects.count() == Notification.objects.count() == 1


def test_a_draft_that_is_not_private_is_not_shared(owner, stranger):
    with pytest.raises(SubmissionRefused, match="Only a private submission"):
        share(submission=draft(owner), username="stranger", by=owner)


def test_taking_off_who_it_was_not_shared_with_changes_nothing(owner):
    assert not unshare(submission=private(owner), username="nobody")


def test_what_is_private_is_in_no_table_export_or_search(client, owner, stranger):
    submission = private(owner)
    share(submission=submission, username="stranger", by=owner)
    pk = str(submission.results.get().pk)

    for path in ("/", "/?q=model&view=all&min_trust=T1", "/api/benchmarks", "/api/benchmarks.csv"):
        response = client.get(path)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert pk not in content.decode()
    for path in (f"/results/{pk}/", f"/api/benchmarks/{pk}", f"/api/submissions/{submission.pk}"):
        assert client.get(path).status_code == 404


# Recall


@pytest.mark.parametrize("visibility", ["draft", "private"])
def test_what_waits_is_recalled_with_a_line_in_the_log(browser, owner, visibility):
    submission = pending(owner)

    browser.post(url(submission, "recall"), {"visibility": visibility})

    submission.refresh_from_db()
    assert (submission.status, submission.visibility, submission.submitted_at) == (S.DRAFT, visibility, None)
    assert submission.events.last().action == "recall"


def test_what_was_recalled_can_be_handed_in_again(owner):
    submission = recall(submission=pending(owner), by=owner, visibility="draft")

    assert submit(submission=submission, by=owner, visibility="public").status == S.PENDING


def test_what_is_published_is_not_recalled(owner, moderator):
    with pytest.raises(SubmissionRefused, match="only what waits"):
        recall(submission=published(owner, moderator), by=owner, visibility="draft")


def test_what_was_public_before_is_withdrawn_not_recalled(owner, moderator):
    submission = replace(published(owner, moderator), normal_file(**FASTER))

    with pytest.raises(SubmissionRefused, match="withdraw it instead"):
        recall(submission=submission, by=owner, visibility="private")


# Notes


def test_a_note_of_a_draft_is_changed_without_a_line_in_the_log(browser, owner):
    submission = draft(owner)

    browser.post(url(submission, "note"), {"note": "An *idle* machine."})

    submission.refresh_from_db()
    assert submission.note == "An *idle* machine."
    assert not submission.events.exists()


@pytest.mark.parametrize("note", ["x" * 2001, "a\x00b"], ids=["long", "nul"])
def test_a_note_that_is_not_right_is_refused(browser, owner, note):
    submission = draft(owner)

    assert browser.post(url(submission, "note"), {"note": note}).status_code == 422
    assert Submission.objects.get().note == ""


def test_saving_the_same_note_again_leaves_no_line(owner, moderator):
    submission = published(owner, moderator)
    before = submission.events.count()

    change_note(submission=submission, note="", by=owner)

    assert submission.events.count() == before


# Changes requested


def test_what_a_moderator_asks_for_is_shown_first_with_what_to_do(browser, owner, moderator):
    submission = pending(owner)
    review(submission=submission, action=ReviewAction.REQUEST_CHANGES, by=moderator, reason="Which driver?")

    shown = text(browser.get(url(submission)))

    assert "What the moderator asks for moderator Which driver?" in shown
    assert "Hand it in again" in shown


# Versions on the page


def test_the_page_shows_what_changed_between_versions(browser, owner):
    submission = draft(owner)
    replace(submission, normal_file(**FASTER))

    shown = text(browser.get(url(submission)))

    assert "Version 1, replaced" in shown
    assert "2.0000 4.0000" in shown
    assert "Wrong clock." in shown


def test_the_old_figures_carry_the_trust_that_they_had(browser, owner):
    submission = draft(owner)
    code, label = Trust(submission.results.get().trust).code, Trust(submission.results.get().trust).label
    replace(submission, normal_file(**FASTER))
    submission.results.update(trust=Trust.REPRODUCED)

    content = browser.get(url(submission)).content.decode()

    assert re.search(rf'<caption>.*<a class="trust {code}" [^>]*title="Before: [^"]+">{label}</a></caption>', content)


def test_more_files_than_a_request_reads_replace_nothing_and_the_page_says_what_to_do(browser, owner, monkeypatch):
    monkeypatch.setattr(batches, "MANY_FILES", 1)
    submission = draft(owner)
    files = [_file("a.json", normal_file(**FASTER).content), _file("b.json", normal_file(batch_size=16).content)]

    response = browser.post(url(submission, "replace"), {"files": files, "reason": "Wrong clock."})

    assert response.status_code == 422
    assert "make a new upload of them" in text(response)
    assert submission.results.get().tokens_per_joule == 2.0


def test_files_are_replaced_on_the_page(browser, owner):
    submission = draft(owner)
    files = {"files": [_file("new.json", normal_file(**FASTER).content)]}

    response = browser.post(url(submission, "replace"), {**files, "reason": "Wrong clock."})

    assert response.status_code == 302
    assert submission.results.get().tokens_per_joule == 4.0


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"{", "new.json"), (b"", "new.json"), (None, "at least one file")],
    ids=["cut", "empty", "none"],
)
def test_files_that_cannot_replace_are_refused_with_a_sentence(browser, owner, content, why):
    submission = draft(owner)
    files = {"files": [_file("new.json", content)]} if content is not None else {}

    response = browser.post(url(submission, "replace"), {**files, "reason": "Wrong clock."})

    assert response.status_code == 422
    assert why in text(response)
    assert submission.results.get().tokens_per_joule == 2.0


def test_an_old_file_is_for_its_owner_and_moderators(browser, reader, owner, moderator):
    submission = published(owner, moderator)
    old = submission.raw_files.get()
    replaced = replace(submission, normal_file(**FASTER))
    review(submission=replaced, action=ReviewAction.APPROVE, by=moderator)
    new = submission.raw_files.get(version=2)

    def status(client: Client, raw: Any) -> int:
        response = client.get(reverse("leaderboard:raw_file", args=[submission.pk, raw.pk]))
        if response.streaming:
            b"".join(response)
        return int(response.status_code)

    assert (status(browser, old), status(reader, old), status(Client(), old)) == (200, 404, 404)
    assert status(Client(), new) == 200


def test_the_api_hands_out_the_files_of_the_present_version(client, owner, moderator):
    submission = published(owner, moderator)
    review(submission=replace(submission, normal_file(**FASTER)), action=ReviewAction.APPROVE, by=moderator)

    files = client.get(f"/api/submissions/{submission.pk}").json()["files"]

    assert [file["sha256"] for file in files] == [submission.raw_files.get(version=2).sha256]


# Gone


def test_a_deleted_published_result_answers_410_with_who_when_and_why(browser, client, owner, moderator):
    submission = published(owner, moderator)
    pk = submission.results.get().pk

    browser.post(url(submission, "delete"), {"reason": "The meter was broken."})

    page, body = Client().get(f"/results/{pk}/"), Client().get(f"/api/benchmarks/{pk}")
    assert (page.status_code, body.status_code) == (410, 410)
    for part in ("owner", "The meter was broken.", "org/model-8b on 1 x h100"):
        assert part in text(page)
    assert body.json()["error"]["code"] == "gone"
    assert body.json()["tombstone"]["reason"] == "The meter was broken."


def test_a_deleted_result_is_forgotten_by_tables_and_exports_at_once(client, owner, moderator):
    submission = published(owner, moderator)
    pk = str(submission.results.get().pk)
    assert pk in client.get("/api/benchmarks?min_trust=T1").content.decode()

    delete(submission=submission, by=owner)

    assert pk not in client.get("/api/benchmarks?min_trust=T1").content.decode()
    assert pk not in b"".join(client.get("/api/benchmarks.csv?min_trust=T1").streaming_content).decode()


def test_the_files_of_what_is_deleted_leave_the_storage(
    owner, moderator, stored_files, django_capture_on_commit_callbacks
):
    submission = replace(published(owner, moderator), normal_file(**FASTER))
    assert len(stored_files()) == 2

    with django_capture_on_commit_callbacks(execute=True):
        delete(submission=submission, by=owner)

    assert stored_files() == []


def test_a_deleted_draft_leaves_no_tombstone(client, owner):
    submission = draft(owner)
    pk = submission.results.get().pk

    delete(submission=submission, by=owner)

    assert not Tombstone.objects.exists()
    assert client.get(f"/results/{pk}/").status_code == 404


def test_a_reason_with_script_stays_text(client, owner, moderator):
    submission = published(owner, moderator)
    pk = submission.results.get().pk

    delete(submission=submission, by=owner, reason="<script>alert(1)</script>")

    assert b"<script>alert" not in client.get(f"/results/{pk}/").content


# What was stated last time


def test_what_was_stated_is_offered_for_the_next_file_of_the_kind_and_not_applied(browser, owner):
    submit(submission=draft(owner, normal_file(precision=None), precision="fp8"), by=owner, visibility="private")
    submission = draft(owner, normal_file(precision=None, **FASTER))

    response = browser.get(url(submission))

    assert "You stated this last time: check it." in text(response)
    assert '<option value="fp8" selected>' in response.content.decode()
    assert submission.results.get().precision == ""


def test_it_is_applied_when_it_is_saved(browser, owner):
    StatedDefaults.objects.create(user=owner, shape="normal", values={"precision": "fp8"})
    submission = draft(owner, normal_file(precision=None))

    browser.post(url(submission, "state"), {"stated-precision": "fp8"})

    assert submission.results.get().precision == "fp8"


def test_a_draft_that_was_never_handed_in_is_not_remembered(owner):
    draft(owner, normal_file(precision=None), precision="fp8")

    assert not StatedDefaults.objects.exists()


def test_what_somebody_else_stated_is_not_offered(browser, owner, stranger):
    StatedDefaults.objects.create(user=stranger, shape="normal", values={"precision": "fp8"})

    assert "last time" not in text(browser.get(url(draft(owner, normal_file(precision=None)))))


def test_what_was_stated_can_be_forgotten(browser, owner):
    StatedDefaults.objects.create(user=owner, shape="normal", values={"precision": "fp8"})
    submission = draft(owner, normal_file(precision=None))
    assert "Forget what I stated last time" in text(browser.get(url(submission)))

    browser.post(url(submission, "forget"))

    assert not StatedDefaults.objects.exists()
    assert "last time" not in text(browser.get(url(submission)))


def _file(name: str, content: bytes) -> Any:
    return SimpleUploadedFile(name, content)
