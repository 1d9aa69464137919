"""What people set for themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from accounts.models import NotificationKind, Preferences, User
from accounts.names import USERNAME_VALIDATORS, clean_display_name
from tests.factories import UserFactory
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
KINDS = [kind.value for kind in NotificationKind if kind != NotificationKind.MODERATION]
SETTINGS: dict[str, Any] = {"display_name": "Ada", "emails": KINDS, "usd_per_kwh": "0.25"}
PASSWORD = "correct horse battery"


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def preferences() -> Preferences:
    return Preferences.objects.get()


def test_settings_are_kept_and_shown_again(browser, owner):
    response = browser.post("/account/settings/", {**SETTINGS, "pue": "1.4", "emails": ["review"]})

    assert response.url == "/account/settings/"
    owner.refresh_from_db()
    assert owner.display_name == "Ada"
    assert (preferences().usd_per_kwh, preferences().pue, preferences().usd_per_gpu_hour) == (0.25, 1.4, None)
    form = browser.get("/account/settings/").context["form"]
    assert form.initial["emails"] == ["review", "moderation"]
    assert form.initial["usd_per_kwh"] == 0.25


def test_a_kind_that_is_unticked_is_muted_and_one_that_is_not_offered_is_not(browser):
    browser.post("/account/settings/", {**SETTINGS, "emails": ["review", "dispute"]})

    assert "comment" in preferences().muted_emails
    assert not {"review", "dispute", "moderation"} & set(preferences().muted_emails)


def test_moderators_are_asked_about_their_work(client, moderator):
    client.force_login(moderator)

    client.post("/account/settings/", {**SETTINGS, "emails": ["review"]})

    assert "moderation" in preferences().muted_emails
    assert "Work that waits for moderators" in text(client.get("/account/settings/"))


def test_who_has_set_nothing_gets_all_e_mails(browser):
    assert set(browser.get("/account/settings/").context["form"].initial["emails"]) == set(NotificationKind.values)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("display_name", "a\u202eb", "Leave out control"),
        ("display_name", "a\u200bb", "Leave out control"),
        ("display_name", "x" * 81, "at most 80"),
        ("emails", "spam", "not one of the available choices"),
        ("usd_per_kwh", "-1", "greater than or equal to 0"),
        ("usd_per_kwh", "nan", "Enter a number"),
        ("usd_per_kwh", "inf", "Enter a number"),
        ("usd_per_kwh", "1e400", "Enter a number"),
        ("pue", "0.5", "greater than or equal to 1"),
        ("co2_g_per_kwh", "many", "Enter a number"),
    ],
    ids=["bidi", "invisible", "long", "kind", "negative", "nan", "infinite", "huge", "pue", "word"],
)
def test_a_value_that_is_not_right_is_named_and_nothing_is_kept(browser, owner, field, value, says):
    response = browser.post("/account/settings/", {**SETTINGS, field: value})

    assert response.status_code == 422
    assert says in text(response)
    assert "Nothing was saved" in text(response)
    owner.refresh_from_db()
    assert owner.display_name == ""
    assert not Preferences.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ada   Lovelace ", "Ada Lovelace"), ("\uff21da", "Ada"), ("", ""), ("李明", "李明")],
    ids=["spaces", "full width", "empty", "other scripts"],
)
def test_a_name_is_kept_in_one_form(typed, kept):
    assert clean_display_name(typed) == kept


@pytest.mark.parametrize(
    "name",
    ["me", "Admin", "deleted-12", "a b", "a/b", "<b>", "ад", "a\n", "-a", "a-", "x" * 40, ""],
    ids=[
        "api",
        "speaks for the site",
        "deleted",
        "space",
        "slash",
        "tag",
        "cyrillic",
        "line",
        "dash",
        "end",
        "long",
        "none",
    ],
)
def test_a_user_name_that_would_confuse_is_refused(name):
    with pytest.raises(ValidationError):
        run_validators(name)


def run_validators(name: str) -> None:
    validators: list[Any] = USERNAME_VALIDATORS
    for validator in validators:
        validator(name)


@pytest.mark.parametrize("name", ["ada", "Ada-L", "a.b_c", "7"])
def test_plain_user_names_are_taken(name):
    run_validators(name)


def test_a_hostile_name_is_text_on_every_page(client):
    name = '"><img src=x onerror=alert(1)>'
    person = UserFactory(username="hostile", display_name=name)
    client.force_login(person)

    for page in ("/", "/account/", "/account/settings/", "/account/delete/", "/accounts/logout/", "/u/hostile/"):
        content = client.get(page).content.decode()
        assert "<img" not in content, page
        assert "&lt;img" in content, page


def test_names_and_addresses_of_others_are_not_found_in_ones_settings(browser, stranger):
    EmailAddress.objects.create(user=stranger, email="stranger@example.org", verified=True, primary=True)

    assert "stranger" not in text(browser.get("/account/settings/"))


def test_an_address_is_changed_by_following_the_link_sent_to_it(signed_in, owner, mailoutbox):
    EmailAddress.objects.create(user=owner, email="old@example.org", verified=True, primary=True)
    User.objects.update(email="old@example.org")

    signed_in.post("/accounts/email/", {"action_add": "1", "email": "new@example.org"})
    (mail,) = mailoutbox
    link = link_in(mail)
    before = User.objects.get().email
    signed_in.post(link)

    assert (mail.to, mail.subject) == (["new@example.org"], "[lemsite] Confirm your e-mail address")
    assert before == "old@example.org"
    assert User.objects.get().email == "new@example.org"
    assert mailoutbox[1].to == ["old@example.org"]
    assert "changed from old@example.org to new@example.org" in mailoutbox[1].body


def test_changing_the_address_asks_for_the_password_first(browser):
    response = browser.post("/accounts/email/", {"action_add": "1", "email": "new@example.org"})

    assert response.url.startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.exists()


def link_in(mail: Any) -> str:
    """The path of the first link to a page of one step."""
    return re.findall(r"http://testserver(/accounts/\S+)", mail.body)[0]


def sign_up(browser, name: str, email: str) -> Any:
    fields = {"username": name, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return browser.post("/accounts/signup/", fields)


def test_signing_up_with_a_taken_address_looks_like_any_other(client, owner):
    EmailAddress.objects.create(user=owner, email="taken@example.org", verified=True, primary=True)

    taken = sign_up(client, "first-new", "taken@example.org")
    client.post("/accounts/logout/")
    free = sign_up(client, "second-new", "free@example.org")

    assert (taken.status_code, taken.url) == (free.status_code, free.url) == (302, "/")
    assert EmailAddress.objects.get(user=owner).verified
    assert not EmailAddress.objects.get(user__username="first-new").verified


def test_a_taken_address_cannot_be_confirmed_by_a_second_account(client, owner, settings, mailoutbox):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    EmailAddress.objects.create(user=owner, email="taken@example.org", verified=True, primary=True)
    sign_up(client, "squatter", "taken@example.org")

    link = link_in(mailoutbox[0])
    page = client.get(link)
    client.post(link)

    assert "another account has confirmed it" in text(page)
    assert not EmailAddress.objects.get(user__username="squatter").verified
    assert EmailAddress.objects.get(user=owner).verified


def test_a_forgotten_password_is_chosen_anew_by_mail(client, owner, mailoutbox):
    EmailAddress.objects.create(user=owner, email="owner@example.org", verified=True, primary=True)

    client.post("/accounts/password/reset/", {"email": "owner@example.org"})
    (mail,) = mailoutbox
    link = link_in(mail)
    form = client.get(link, follow=True)
    new = "another horse battery"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})

    owner.refresh_from_db()
    assert mail.subject == "[lemsite] Choose a new password"
    assert "http://testserver" in mail.body.splitlines()[-1]
    assert "<" not in mail.body
    assert owner.check_password(new)


def test_asking_for_an_unknown_address_looks_like_any_other(client, owner, mailoutbox):
    EmailAddress.objects.create(user=owner, email="owner@example.org", verified=True, primary=True)

    answers = [client.post("/accounts/password/reset/", {"email": e}) for e in ("owner@example.org", "no@example.org")]

    assert answers[0].url == answers[1].url
    assert "No account has this address" in mailoutbox[1].subject


PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-x-y/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/nothing/",
    "/accounts/inactive/",
    "/accounts/3rdparty/login/cancelled/",
    "/accounts/3rdparty/login/error/",
]
OWN_PAGES = [
    "/accounts/logout/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/3rdparty/",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_on_the_way_in_looks_like_the_site(client, path):
    response = client.get(path)

    content = response.content.decode()
    assert response.status_code in (200, 401)
    assert 'class="door-page"' in content
    assert content.count("<h1") == 1
    assert "style=" not in content


@pytest.mark.parametrize("path", OWN_PAGES)
def test_every_page_about_the_way_in_looks_like_the_site(browser, path):
    content = browser.get(path).content.decode()

    assert 'class="door-page"' in content or 'class="account-page"' in content
    assert content.count("<h1") == 1
    assert "style=" not in content


def test_who_has_no_password_is_led_to_set_one(client):
    person = UserFactory(username="octo")
    person.set_unusable_password()
    person.save()
    client.force_login(person)

    assert "/accounts/password/set/" in client.get("/account/settings/").content.decode()
    assert "Set a password" in text(client.get("/accounts/password/set/"))
