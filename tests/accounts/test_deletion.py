"""Deleting one's account: what is said before, what goes, what stays, and that it is all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts.models import (
    ApiToken,
    AuditAction,
    AuditEvent,
    Notification,
    NotificationKind,
    Preferences,
    User,
    WebhookEndpoint,
)
from accounts.services.deletion import AlreadyDeleted, delete_account
from accounts.services.notifications import notify
from accounts.services.tokens import create_token, find_token
from accounts.signals import account_deleting
from leaderboard.models import Comment, Result, Share, Submission, SubmissionStatus, Tombstone, Visibility, Watch
from tests.accounts.test_github_sign_in import consent, start
from tests.factories import LanguageModelFactory, SubmissionFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
KEEP = {"published": "keep", "proof": PASSWORD}
DELETE = {"published": "delete", "proof": PASSWORD}


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def published(owner: User) -> Result:
    result = published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))
    Submission.objects.filter(pk=result.submission_id).update(published_at=timezone.now())
    return result


@pytest.fixture
def everything(owner, stranger) -> dict[str, Any]:
    """One of each thing that the owner has."""
    draft = SubmissionFactory(owner=owner, status=SubmissionStatus.DRAFT, visibility=Visibility.DRAFT)
    private = SubmissionFactory(owner=owner, status=SubmissionStatus.DRAFT, visibility=Visibility.PRIVATE)
    waiting = SubmissionFactory(owner=owner)
    Share.objects.create(submission=private, user=stranger)
    result, theirs = published(owner), published(stranger)
    User.objects.filter(pk=owner.pk).update(email="ada@example.org", first_name="Ada", display_name="Ada L")
    EmailAddress.objects.create(user=owner, email="ada@example.org", verified=True, primary=True)
    SocialAccount.objects.create(user=owner, provider="github", uid="1", extra_data={"login": "ada"})
    WebhookEndpoint.objects.create(user=owner, url="https://example.org/hook", secret="x")
    Preferences.objects.create(user=owner, usd_per_kwh=0.2)
    Watch.objects.create(user=owner, model=LanguageModelFactory())
    Comment.objects.create(result=theirs, author=owner, text="Well measured.")
    notify(to=[owner], kind=NotificationKind.REVIEW, title="Approved")
    _, plain = create_token(user=owner, name="t", scopes=["read"])
    owner.refresh_from_db()
    return {"gone": [draft, private, waiting], "result": result, "theirs": theirs, "token": plain}


def test_the_page_says_with_counts_what_happens(browser, everything):
    page = text(browser.get("/account/delete/"))

    assert "2 drafts and submissions in review deleted, with their files" in page
    assert "1 private submission deleted" in page
    assert "1 published submission as you choose" in page
    assert "1 comment as you choose" in page
    assert "1 token, 1 webhook deleted" in page


def test_nothing_personal_is_left_and_the_person_is_out(browser, owner, everything):
    response = browser.post("/account/delete/", KEEP)

    owner.refresh_from_db()
    assert response.url == "/"
    assert owner.username.startswith("deleted-")
    assert (owner.email, owner.first_name, owner.last_name, owner.display_name) == ("", "", "", "")
    assert (owner.is_active, owner.has_usable_password(), owner.last_login) == (False, False, None)
    assert owner.deleted_at is not None
    tables: tuple[Any, ...] = (
        SocialAccount,
        EmailAddress,
        ApiToken,
        Preferences,
        Notification,
        WebhookEndpoint,
        UserSession,
    )
    for rows in tables:
        assert not rows.objects.filter(user=owner).exists(), rows
    assert not Watch.objects.exists()
    assert find_token(everything["token"]) is None
    assert browser.get("/account/").status_code == 302


def test_what_nobody_else_saw_goes_without_a_trace(browser, everything):
    browser.post("/account/delete/", KEEP)

    assert not Submission.objects.filter(pk__in=[row.pk for row in everything["gone"]]).exists()
    assert not Share.objects.exists()
    assert not Tombstone.objects.exists()


def test_published_results_stay_as_a_deleted_user_s(browser, everything):
    browser.post("/account/delete/", KEEP)

    page = Client().get(f"/results/{everything['result'].pk}/")
    assert page.status_code == 200
    assert "a deleted account" in text(page)
    assert "Ada" not in text(page)
    assert Result.objects.ranked().filter(pk=everything["result"].pk).exists()
    assert Comment.objects.get().text == "Well measured."


def test_published_results_go_too_where_that_is_chosen_and_leave_tombstones(browser, owner, everything):
    browser.post("/account/delete/", DELETE)

    owner.refresh_from_db()
    tombstone = Tombstone.objects.get()
    assert tombstone.pk == everything["result"].pk
    assert (tombstone.owner, tombstone.reason) == (owner, "The account was deleted.")
    assert not Result.objects.filter(pk=everything["result"].pk).exists()
    assert (Comment.objects.get().text, Comment.objects.get().deleted_at is None) == ("", False)


def test_other_people_keep_everything(browser, everything):
    browser.post("/account/delete/", DELETE)

    assert Result.objects.ranked().filter(pk=everything["theirs"].pk).exists()
    assert User.objects.get(username="stranger").is_active


def test_the_audit_log_says_that_it_happened(browser, owner, everything):
    browser.post("/account/delete/", DELETE)

    event = AuditEvent.objects.get(action=AuditAction.DELETE_ACCOUNT)
    assert (event.actor, event.person, event.data) == (owner, owner, {"keep_published": False})


def test_all_sessions_end(owner):
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.post("/accounts/login/", {"login": "owner", "password": PASSWORD})

    browsers[0].post("/account/delete/", KEEP)

    assert [browser.get("/account/").status_code for browser in browsers] == [302, 302]


@pytest.mark.parametrize(
    "wrong",
    [{"proof": "wrong horse battery"}, {"proof": ""}, {"proof": "owner"}, {"published": "sell"}, {"published": ""}],
    ids=["password", "empty", "name instead", "choice", "no choice"],
)
def test_without_the_password_or_a_choice_nothing_happens(browser, owner, everything, wrong):
    response = browser.post("/account/delete/", {**KEEP, **wrong})

    owner.refresh_from_db()
    assert response.status_code == 422
    assert owner.is_active
    assert Submission.objects.filter(owner=owner).count() == 4


def test_guessing_the_password_there_is_slowed_down(browser):
    answers = [browser.post("/account/delete/", {**KEEP, "proof": f"guess {n}"}) for n in range(11)]

    assert "Too many failed" in text(answers[-1])
    assert browser.post("/account/delete/", KEEP).status_code == 429


def test_who_has_github_alone_types_their_name(client, owner):
    owner.set_unusable_password()
    owner.save()
    client.force_login(owner)

    wrong = client.post("/account/delete/", {**KEEP, "proof": "Owner"})
    assert "Type owner just as it stands" in text(wrong)

    client.post("/account/delete/", {**KEEP, "proof": "owner"})
    owner.refresh_from_db()
    assert owner.deleted_at is not None


def test_what_fails_half_way_changes_nothing(owner, everything):
    def fail(**kwargs: Any) -> None:
        raise RuntimeError("broken")

    account_deleting.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            delete_account(user=owner, keep_published=False)
    finally:
        account_deleting.disconnect(fail)

    owner.refresh_from_db()
    assert owner.username == "owner"
    assert Submission.objects.filter(owner=owner).count() == 4
    assert find_token(everything["token"]) is not None


def test_an_account_is_deleted_once(owner):
    delete_account(user=owner, keep_published=True)

    with pytest.raises(AlreadyDeleted):
        delete_account(user=owner, keep_published=True)
    assert AuditEvent.objects.count() == 1


def test_the_name_is_free_again_and_the_new_person_is_someone_else(browser, owner, client):
    browser.post("/account/delete/", KEEP)

    client.post("/accounts/signup/", {"username": "owner", "password1": PASSWORD, "password2": PASSWORD})

    assert User.objects.get(username="owner").pk != owner.pk


def test_the_same_github_account_starts_anew(client, github):
    client.get(consent(start(client)))
    first = User.objects.get()
    client.post("/account/delete/", {"published": "keep", "proof": first.username})

    client.get(consent(start(client)))

    assert User.objects.get(username="octo").pk != first.pk


def test_a_moderator_who_leaves_is_none_any_more(client, moderator):
    client.force_login(moderator)

    client.post("/account/delete/", KEEP)

    moderator = User.objects.get(pk=moderator.pk)
    assert (moderator.is_staff, moderator.is_moderator) == (False, False)
    assert not moderator.user_permissions.exists()
