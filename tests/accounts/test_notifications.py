"""Notifications in the site and by e-mail."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tasks
from accounts.models import Notification, NotificationKind, Preferences
from accounts.services.emails import RETRY_FOR, waiting_emails
from accounts.services.notifications import notify
from tests.factories import UserFactory
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def reader(owner, settings):
    """The owner with a confirmed address, on a site that asks for confirmation."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    EmailAddress.objects.create(user=owner, email="owner@example.org", verified=True, primary=True)
    return owner


def tell(*people, title="Approved: a model", kind=NotificationKind.REVIEW, **more):
    notify(to=people, kind=kind, title=title, text="Well measured.", url="/submissions/1/", **more)
    return Notification.objects.filter(title=title[:200])


def send():
    for event in set(Notification.objects.values_list("event_id", flat=True)):
        tasks.send_emails(str(event))


class Broken(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody listens")


class Refusing(EmailBackend):
    """A mail server that knows nobody of this name."""

    def send_messages(self, messages):
        raise smtplib.SMTPRecipientsRefused({"owner@example.org": (550, b"no such user")})


def test_each_person_is_told_once(owner, stranger):
    tell(owner, stranger, owner)

    assert sorted(Notification.objects.values_list("user__username", flat=True)) == ["owner", "stranger"]


def test_who_has_left_is_not_told(owner):
    owner.is_active = False

    assert not tell(owner)


def test_what_is_rolled_back_was_never_told(owner):
    with transaction.atomic():
        tell(owner)
        transaction.set_rollback(True)

    assert not Notification.objects.exists()


def test_the_e_mail_is_plain_and_says_where_to_go_and_how_to_stop_it(reader):
    tell(reader)

    send()

    (message,) = mail.outbox
    assert message.to == ["owner@example.org"]
    assert message.subject == "[lemsite] Approved: a model"
    assert "Well measured." in message.body
    assert "http://testserver/submissions/1/" in message.body
    assert "Decisions on your submissions. Switch it off: http://testserver/account/settings/" in message.body
    assert message.content_subtype == "plain"


def test_a_task_that_runs_twice_sends_once(reader):
    tell(reader)

    send()
    send()
    tasks.send_waiting_emails()

    assert len(mail.outbox) == 1


def test_one_event_is_one_message_for_each_person(reader, stranger):
    EmailAddress.objects.create(user=stranger, email="stranger@example.org", verified=True, primary=True)
    tell(reader, stranger)

    send()

    assert sorted(message.to for message in mail.outbox) == [["owner@example.org"], ["stranger@example.org"]]


def test_a_muted_kind_is_not_sent(reader):
    Preferences.objects.create(user=reader, muted_emails=["review"])
    tell(reader)
    tell(reader, title="A comment", kind=NotificationKind.COMMENT)

    send()

    assert [message.subject for message in mail.outbox] == ["[lemsite] A comment"]
    assert Notification.objects.get(kind="review").emailed_at is None


def test_an_address_that_is_not_confirmed_gets_nothing(owner, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    EmailAddress.objects.create(user=owner, email="someone-else@example.org", verified=False, primary=True)
    tell(owner)

    send()

    assert mail.outbox == []


def test_where_nothing_is_confirmed_the_address_of_the_account_counts():
    tell(UserFactory(email="dev@example.org"))

    send()

    assert [message.to for message in mail.outbox] == [["dev@example.org"]]


def test_without_an_address_nothing_is_sent(owner):
    tell(owner)

    send()

    assert mail.outbox == []


def test_while_the_mail_server_is_away_nothing_is_lost(reader, settings, caplog):
    tell(reader)
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    send()
    assert Notification.objects.get().emailed_at is None
    assert "nobody listens" in caplog.text

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Notification.objects.update(created_at=timezone.now() - timedelta(minutes=30))
    tasks.send_waiting_emails()

    assert len(mail.outbox) == 1


def test_the_e_mail_of_yesterday_is_not_sent_any_more(reader):
    tell(reader)
    Notification.objects.update(created_at=timezone.now() - RETRY_FOR - timedelta(minutes=1))

    tasks.send_waiting_emails()

    assert mail.outbox == []
    assert Notification.objects.count() == 1


def test_a_new_event_is_left_to_its_own_task_first(reader):
    tell(reader)

    assert not waiting_emails(timezone.now())


def test_a_message_that_the_server_refuses_is_not_tried_again(reader, settings, caplog):
    tell(reader)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"

    send()

    assert Notification.objects.get().emailed_at is not None
    assert "refuses the e-mail" in caplog.text


def test_a_title_with_line_breaks_makes_no_header(reader):
    tell(reader, title="Approved\r\nBcc: everyone@example.org")

    send()

    assert mail.outbox[0].subject == "[lemsite] Approved Bcc: everyone@example.org"
    assert mail.outbox[0].recipients() == ["owner@example.org"]


def test_the_page_shows_what_is_new_and_where_it_leads(browser, owner):
    (told,) = tell(owner)

    page = browser.get("/account/notifications/")

    assert "new Approved: a model" in text(page)
    assert f'href="/account/notifications/{told.pk}/"' in page.content.decode()


def test_opening_a_notification_marks_it_read_and_leads_to_its_thing(browser, owner):
    (told,) = tell(owner)

    response = browser.get(f"/account/notifications/{told.pk}/")

    assert response.url == "/submissions/1/"
    told.refresh_from_db()
    assert told.read_at is not None


def test_a_notification_never_leads_to_another_site(browser, owner):
    notify(to=[owner], kind=NotificationKind.REVIEW, title="x", url="//evil.example/")

    response = browser.get(f"/account/notifications/{owner.notifications.get().pk}/")

    assert response.url == "/account/notifications/"


def test_all_that_the_page_showed_are_marked_read_but_not_what_came_since(browser, owner):
    (old,) = tell(owner, title="old")
    tell(owner, title="since")

    browser.post("/account/notifications/read/", {"upto": old.pk})

    assert [row.title for row in owner.notifications.unread()] == ["since"]


@pytest.mark.parametrize("upto", ["", "x", "-1", "9" * 30, "٣"], ids=["none", "text", "negative", "huge", "arabic"])
def test_a_number_that_is_none_marks_nothing(browser, owner, upto):
    tell(owner)

    assert browser.post("/account/notifications/read/", {"upto": upto}).status_code == 302
    assert owner.notifications.unread().count() == 1


def test_long_lists_have_pages(browser, owner):
    for number in range(31):
        tell(owner, title=f"number {number}")

    assert "Page 1 of 2" in text(browser.get("/account/notifications/"))
    assert "number 0 " in text(browser.get("/account/notifications/?page=2"))


@pytest.mark.parametrize("page", ["0", "99", "x"])
def test_a_page_that_is_none_is_the_nearest(browser, page):
    assert browser.get(f"/account/notifications/?page={page}").status_code == 200


def test_strangers_see_nothing_of_it(client, owner, stranger):
    (told,) = tell(owner)
    client.force_login(stranger)

    assert client.get(f"/account/notifications/{told.pk}/").status_code == 404
    assert "Approved" not in text(client.get("/account/notifications/"))
    client.post("/account/notifications/read/", {"upto": told.pk})
    assert owner.notifications.unread().count() == 1


def test_the_bell_counts_what_is_unread_on_every_page(browser, owner):
    tell(owner)
    tell(owner)

    assert "Notifications, 2 unread" in text(browser.get("/models/"))


def test_without_anything_unread_the_bell_has_no_number(browser):
    page = browser.get("/models/")

    assert "Notifications" in text(page)
    assert "unread" not in text(page)


@pytest.mark.parametrize(("is_signed_in", "queries"), [(False, 0), (True, 1)], ids=["visitor", "signed in"])
def test_the_bell_costs_one_query_and_visitors_none(client, owner, is_signed_in, queries):
    if is_signed_in:
        client.force_login(owner)

    with CaptureQueriesContext(connection) as captured:
        client.get("/models/")

    assert sum("accounts_notification" in query["sql"] for query in captured) == queries


def test_markup_in_a_notification_is_text(browser, owner):
    tell(owner, title="<script>alert(1)</script>")

    assert "<script>alert" not in browser.get("/account/notifications/").content.decode()
