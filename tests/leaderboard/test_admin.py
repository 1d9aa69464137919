"""Moderation in the admin: the queue, decisions one by one and in bulk, unknown names, and who may do it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from leaderboard.models import (
    Finding,
    LanguageModel,
    RawFile,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    UnknownName,
)
from leaderboard.services.review import review
from tests.factories import HardwareFactory, ResultFactory, SubmissionFactory, UserFactory, normal_file, pending

pytestmark = pytest.mark.django_db
QUEUE = "admin:leaderboard_submission_changelist"


@pytest.fixture
def admin(client: Client, moderator: Any) -> Client:
    """A browser in which a moderator, who has no other right, is signed in."""
    client.force_login(moderator)
    return client


def page(submission: Submission) -> str:
    return reverse("admin:leaderboard_submission_change", args=[submission.pk])


def act(admin: Client, action: str, *submissions: Submission, **fields: str) -> str:
    chosen = {"action": action, "_selected_action": [str(submission.pk) for submission in submissions]}
    return admin.post(f"{reverse(QUEUE)}?state=all", {**chosen, **fields}, follow=True).content.decode()


@pytest.mark.parametrize("query", ["?state=pending", "?q=llama", "?provenance__exact=upload", "?o=1.2.3"])
def test_the_queue_can_be_filtered_and_searched(admin, query):
    ResultFactory(model_name="llama")

    response = admin.get(reverse(QUEUE) + query)

    assert "1 submission" in response.content.decode()


def test_a_submission_shows_results_findings_files_and_history(admin, owner):
    result = ResultFactory(submission__owner=owner, model_name="org/shown")
    Finding.objects.create(result=result, code="ROO1", severity="R", message="Faster than memory.", check_set="2026.1")
    RawFile.objects.create(submission=result.submission, name="shown.json", sha256="a" * 64, size_bytes=1)
    ReviewEvent.objects.create(
        submission=result.submission, action="submit", from_status="draft", to_status="pending", reason="A reason."
    )

    content = admin.get(page(result.submission)).content.decode()

    for text in ("org/shown", "Faster than memory.", "shown.json", "A reason."):
        assert text in content


@pytest.mark.parametrize(
    ("decision", "status"),
    [("approve", "published"), ("reject", "rejected"), ("request-changes", "changes_requested")],
)
def test_one_submission_is_decided_with_a_reason(admin, moderator, decision, status):
    result = ResultFactory()

    response = admin.post(page(result.submission), {"decision": decision, "reason": "Looked at it."}, follow=True)

    event = ReviewEvent.objects.get()
    assert response.status_code == 200
    assert Submission.objects.get().status == status
    assert (event.actor, event.action, event.reason) == (moderator, decision, "Looked at it.")


def test_a_decision_that_lacks_its_reason_says_so_and_changes_nothing(admin):
    submission = SubmissionFactory()

    content = admin.post(page(submission), {"decision": "reject", "reason": " "}, follow=True).content.decode()

    assert "Give a reason" in content
    assert Submission.objects.get().status == SubmissionStatus.PENDING


@pytest.mark.parametrize("decision", ["", "submit", "delete", "explode"])
def test_what_is_no_decision_changes_nothing(admin, decision):
    submission = SubmissionFactory()

    content = admin.post(page(submission), {"decision": decision, "reason": "x"}, follow=True).content.decode()

    assert "Choose a decision." in content
    assert not ReviewEvent.objects.exists()


def test_other_fields_of_the_form_change_nothing(admin):
    submission = SubmissionFactory(note="mine")

    admin.post(page(submission), {"decision": "approve", "note": "theirs", "owner": "1", "visibility": "private"})

    submission.refresh_from_db()
    assert (submission.note, submission.visibility) == ("mine", "public")


def test_ones_own_submission_is_refused(admin, moderator):
    submission = SubmissionFactory(owner=moderator)

    content = admin.post(page(submission), {"decision": "approve"}, follow=True).content.decode()

    assert "Nobody reviews their own submission." in content
    assert Submission.objects.get().status == SubmissionStatus.PENDING


def test_a_bulk_action_first_asks_for_the_reason(admin):
    submissions = [SubmissionFactory() for _ in range(2)]

    content = act(admin, "reject", *submissions)

    assert "A reason is needed." in content
    assert all(str(submission.pk) in content for submission in submissions)
    assert not ReviewEvent.objects.exists()


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("approve", "pending", "published"),
        ("reject", "pending", "rejected"),
        ("request-changes", "pending", "changes_requested"),
        ("dispute", "published", "disputed"),
        ("invalidate", "disputed", "invalidated"),
        ("restore", "disputed", "published"),
    ],
)
def test_a_bulk_action_decides_on_all_that_were_chosen(admin, action, before, after):
    chosen = [ResultFactory(submission__status=before).submission for _ in range(3)]
    other = SubmissionFactory(status=before)

    act(admin, action, *chosen, reason="All of them.")

    other.refresh_from_db()
    assert other.status == before
    assert set(Submission.objects.exclude(pk=other.pk).values_list("status", flat=True)) == {after}
    assert ReviewEvent.objects.filter(reason="All of them.").count() == 3


def test_one_that_cannot_be_decided_does_not_keep_the_others(admin, moderator):
    good, own, gone = SubmissionFactory(), SubmissionFactory(owner=moderator), SubmissionFactory(status="rejected")

    content = act(admin, "approve", good, own, gone, reason="Fine.")

    assert content.count('class="error"') == 2
    assert list(Submission.objects.filter(status="published")) == [good]


def test_decisions_rank_and_unrank(admin):
    submission = ResultFactory().submission

    act(admin, "approve", submission, reason="Fine.")
    assert Result.objects.ranked().exists()

    act(admin, "dispute", submission, reason="Not so fine.")
    assert not Result.objects.ranked().exists()


@pytest.fixture
def unknown(small_catalogue: None, owner: Any, moderator: Any) -> UnknownName:
    submission = pending(owner, normal_file(hardware="NVIDIA Wonder 9"))
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    return UnknownName.objects.get()


def map_to(admin: Client, unknown: UnknownName, target: object) -> str:
    url = reverse("admin:leaderboard_unknownname_change", args=[unknown.pk])
    return admin.post(url, {"hardware": target}, follow=True).content.decode()


def test_the_mapping_queue_says_how_many_results_wait(admin, unknown):
    content = admin.get(reverse("admin:leaderboard_unknownname_changelist")).content.decode()

    assert "NVIDIA Wonder 9" in content
    assert '<td class="field-waiting">1</td>' in content


def test_the_mapping_queue_takes_as_many_queries_for_twenty_as_for_one(admin, unknown, django_assert_num_queries):
    url = reverse("admin:leaderboard_unknownname_changelist")
    with django_assert_num_queries(100, exact=False) as few:
        admin.get(url)
    for n in range(19):
        UnknownName.objects.create(kind="model", name=f"m{n}", written_as=f"M{n}")

    with django_assert_num_queries(len(few.captured_queries)):
        admin.get(url)


def test_mapping_a_name_attaches_and_ranks_what_waits(admin, unknown):
    content = map_to(admin, unknown, HardwareFactory(slug="wonder-9").pk)

    assert "1 waiting results attached" in content or "1 waiting result attached" in content
    assert Result.objects.ranked().get().hardware.slug == "wonder-9"


def test_mapping_to_nothing_says_what_to_choose(admin, unknown):
    content = map_to(admin, unknown, "")

    assert "Choose the hardware" in content
    assert not Result.objects.ranked().exists()


def test_a_target_is_found_by_typing(admin, unknown):
    HardwareFactory(name="Wonder Nine")
    field = {"app_label": "leaderboard", "model_name": "unknownname", "field_name": "hardware", "term": "wonder"}

    response = admin.get(reverse("admin:autocomplete"), field)

    assert [row["text"] for row in response.json()["results"]] == ["Wonder Nine"]


LISTS = [
    "submission", "result", "finding", "reviewevent", "unknownname", "hardware", "languagemodel", "backend",
    "dispute", "comment", "scorereview", "cannedanswer",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_for_a_moderator(admin, name):
    Finding.objects.create(result=ResultFactory(), code="X", severity="W", message="m", check_set="1")

    assert admin.get(reverse(f"admin:leaderboard_{name}_changelist")).status_code == 200


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("by", ["stranger", "staff", "anonymous"])
def test_no_list_opens_for_anyone_else(client, stranger, name, by):
    if by != "anonymous":
        client.force_login(stranger if by == "stranger" else UserFactory(is_staff=True))

    response = client.get(reverse(f"admin:leaderboard_{name}_changelist"))

    assert response.status_code == (403 if by == "staff" else 302)


@pytest.mark.parametrize("by", ["stranger", "staff", "anonymous"])
def test_nobody_else_decides(client, stranger, by):
    if by != "anonymous":
        client.force_login(stranger if by == "stranger" else UserFactory(is_staff=True))
    submission = SubmissionFactory()

    client.post(page(submission), {"decision": "approve"})
    client.post(reverse(QUEUE), {"action": "approve", "_selected_action": [submission.pk], "reason": "x"})

    assert Submission.objects.get().status == SubmissionStatus.PENDING


@pytest.mark.parametrize("name", ["reviewevent", "submission", "result", "finding"])
def test_history_and_results_are_neither_added_nor_changed_nor_deleted_even_by_a_superuser(client, name):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    result = ResultFactory()
    finding = Finding.objects.create(result=result, code="X", severity="W", message="m", check_set="1")
    event = ReviewEvent.objects.create(
        submission=result.submission, action="submit", from_status="draft", to_status="pending"
    )
    rows = {"reviewevent": event, "submission": result.submission, "result": result, "finding": finding}
    prefix = f"admin:leaderboard_{name}"

    assert client.get(reverse(f"{prefix}_add")).status_code == 403
    assert client.post(reverse(f"{prefix}_delete", args=[rows[name].pk]), {"post": "yes"}).status_code == 403
    client.post(reverse(f"{prefix}_change", args=[rows[name].pk]), {"reason": "forged", "message": "forged"})
    client.post(
        reverse(f"{prefix}_changelist"),
        {"action": "delete_selected", "_selected_action": [rows[name].pk], "post": "yes"},
    )
    for row in rows.values():
        row.refresh_from_db()
    assert (event.reason, finding.message) == ("", "m")


@pytest.mark.parametrize("name", ["gpt2", "a/b/c", "org/", "/name"])
def test_a_model_is_named_by_organisation_and_name(client, name):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    inline = {"aliases-TOTAL_FORMS": "0", "aliases-INITIAL_FORMS": "0"}
    fields = {"name": name, "title": "T", "organisation": "O", "family": "F", **inline}

    response = client.post(reverse("admin:leaderboard_languagemodel_add"), fields)

    assert "Write it as org/name, with one slash." in response.content.decode()
    assert not LanguageModel.objects.exists()


LOG = "admin:leaderboard_reviewevent_changelist"


def test_the_audit_log_keeps_lines_of_submissions_that_are_gone(admin, owner):
    submission = SubmissionFactory()
    ReviewEvent.objects.create(submission=submission, action="delete", from_status="draft", to_status="draft")
    gone = str(submission.pk)
    submission.delete()

    assert gone[:8] in admin.get(reverse(LOG)).content.decode()


@pytest.mark.parametrize("by", ["submission", "line", "actor", "words"])
def test_the_audit_log_is_searched(admin, owner, by):
    event = ReviewEvent.objects.create(
        submission=SubmissionFactory(), actor=owner, action="submit", from_status="draft", to_status="pending",
        reason="Please look"
    )  # fmt: skip
    ReviewEvent.objects.create(
        submission=SubmissionFactory(), action="reject", from_status="pending", to_status="rejected", reason="Other"
    )
    terms = {"submission": str(event.submission_id), "line": str(event.pk), "actor": "owner", "words": "please"}

    content = admin.get(reverse(LOG), {"q": terms[by]}).content.decode()

    assert "1 review event" in content
    assert "Please look" in content


@pytest.mark.parametrize("by", ["action", "moderator"])
def test_the_audit_log_is_narrowed(admin, moderator, by):
    for actor, action in ((moderator, "reject"), (None, "approve")):
        ReviewEvent.objects.create(
            submission=SubmissionFactory(), actor=actor, action=action, from_status="pending", to_status="rejected"
        )
    query = {"action": {"action__exact": "reject"}, "moderator": {"by": moderator.pk}}[by]

    assert "1 review event" in admin.get(reverse(LOG), query).content.decode()
