"""Webhook endpoints: made within limits, their secret shown once and unreadable in the database."""

from __future__ import annotations

import base64
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.secrets_at_rest import Unreadable, decrypt, encrypt
from accounts.services.webhooks import (
    MAX_ENDPOINTS,
    WebhookRefused,
    create_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    send_test,
)
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/in"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def endpoint(owner):
    return create_endpoint(user=owner, url=URL)[0]


def secrets_in(response):
    return set(SECRET.findall(response.content.decode()))


def address(endpoint, name="webhook_detail"):
    return reverse(f"accounts:{name}", args=[endpoint.pk])


def test_a_secret_is_32_random_bytes_in_base64(owner):
    secrets = [create_endpoint(user=owner, url=URL)[1] for _ in range(2)]

    assert [len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets] == [32, 32]
    assert len(set(secrets)) == 2


def test_the_secret_is_nowhere_in_the_table(owner):
    endpoint, secret = create_endpoint(user=owner, url=URL)

    stored = str(WebhookEndpoint.objects.values().get())

    assert secret.removeprefix("whsec_") not in stored
    assert decrypt(endpoint.secret) == secret


def test_an_older_secret_key_still_opens_what_it_closed(settings):
    settings.SECRET_KEY = "the first key"
    closed = encrypt("plain")

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the second key", ["the first key"]

    assert decrypt(closed) == "plain"


def test_without_its_key_a_secret_cannot_be_read(settings):
    closed = encrypt("plain")
    settings.SECRET_KEY = "the second key"

    with pytest.raises(Unreadable):
        decrypt(closed)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/", "https://127.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "x", ""]
)
def test_an_address_inside_is_refused_when_the_webhook_is_made(owner, url):
    with pytest.raises(WebhookRefused) as refused:
        create_endpoint(user=owner, url=url)

    assert refused.value.field == "url"
    assert not WebhookEndpoint.objects.exists()


def test_an_unknown_kind_is_refused_by_name(owner):
    with pytest.raises(WebhookRefused, match="kinds: weather; choose from review, comment"):
        create_endpoint(user=owner, url=URL, kinds=["weather"])


def test_there_are_ten_webhooks_at_most(owner):
    for _ in range(MAX_ENDPOINTS):
        create_endpoint(user=owner, url=URL)

    with pytest.raises(WebhookRefused, match="You have 10 webhooks"):
        create_endpoint(user=owner, url=URL)


def test_switching_on_forgets_the_failures(endpoint):
    endpoint.failing_since = timezone.now()
    endpoint.save()
    disable_endpoint(endpoint=endpoint, reason="It failed.")

    assert enable_endpoint(endpoint=endpoint)

    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since) == (None, "", None)
    assert not enable_endpoint(endpoint=endpoint)


def test_switching_off_twice_is_told_once(endpoint, owner):
    assert disable_endpoint(endpoint=endpoint, reason="It failed.")
    assert not disable_endpoint(endpoint=endpoint, reason="It failed.")

    assert owner.notifications.count() == 1


def test_a_test_is_not_sent_while_it_is_switched_off(endpoint):
    disable_endpoint(endpoint=endpoint, reason="It failed.")

    with pytest.raises(WebhookRefused, match="Switch it on first"):
        send_test(endpoint=endpoint)


def test_tests_are_ten_seconds_apart(endpoint):
    send_test(endpoint=endpoint)

    with pytest.raises(WebhookRefused, match="ten seconds"):
        send_test(endpoint=endpoint)

    assert WebhookDelivery.objects.count() == 1


def test_a_new_webhook_shows_its_secret_once(browser):
    response = browser.post("/account/webhooks/", {"url": URL, "kinds": ["review", "watch"]})

    endpoint = WebhookEndpoint.objects.get()
    assert secrets_in(response) == {decrypt(endpoint.secret)}
    assert endpoint.kinds == ["review", "watch"]
    assert "no-store" in response["Cache-Control"]
    assert not secrets_in(browser.get(address(endpoint)))
    assert not secrets_in(browser.get("/account/webhooks/"))


def test_a_new_secret_is_shown_once_with_the_time_of_the_old_one(browser, endpoint):
    response = browser.post(address(endpoint, "webhook_rotate"))

    endpoint.refresh_from_db()
    assert secrets_in(response) == {decrypt(endpoint.secret)}
    assert "the secret before signs, too" in text(response)
    assert not secrets_in(browser.get(address(endpoint)))


def test_rotating_keeps_the_old_secret_for_a_day(endpoint):
    before = endpoint.secret

    rotate_secret(endpoint=endpoint)

    endpoint.refresh_from_db()
    assert endpoint.previous_secret == before
    assert 23 < (endpoint.previous_secret_until - timezone.now()).total_seconds() / 3600 <= 24


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "https://127.0.0.1/"}, "not on the public internet"),
        ({"url": "http://example.org/"}, "begins with https://"),
        ({"url": ""}, "This field is required"),
        ({"url": URL, "kinds": ["weather"]}, "weather is not one of the available choices"),
        ({"url": "https://example.org/" + "a" * 500}, "at most 500 characters"),
    ],
    ids=["inside", "plain", "empty", "kind", "long"],
)
def test_a_webhook_that_is_not_right_is_refused_in_words(browser, fields, words):
    response = browser.post("/account/webhooks/", fields)

    assert response.status_code == 422
    assert words in text(response)
    assert not WebhookEndpoint.objects.exists()


def test_the_page_of_a_webhook_that_was_switched_off_says_why_and_how_to_switch_it_on(browser, endpoint):
    disable_endpoint(endpoint=endpoint, reason="The receiver answered 410 Gone.")

    page = text(browser.get(address(endpoint)))

    assert "The receiver answered 410 Gone." in page
    assert "Switch it on again" in page
    assert "Send a test" not in page


def test_the_buttons_do_what_they_say(browser, endpoint):
    disable_endpoint(endpoint=endpoint, reason="x")

    browser.post(address(endpoint, "webhook_enable"))
    tested = browser.post(address(endpoint, "webhook_test"), follow=True)
    again = browser.post(address(endpoint, "webhook_test"), follow=True)
    deleted = browser.post(address(endpoint, "webhook_delete"), follow=True)

    assert "A test is on its way" in text(tested)
    assert "0 of 8, next" in text(tested)
    assert "ten seconds" in text(again)
    assert "The webhook is deleted." in text(deleted)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("name", ["webhook_rotate", "webhook_test", "webhook_enable", "webhook_delete"])
def test_strangers_find_no_webhook_of_others(client, stranger, endpoint, name):
    client.force_login(stranger)

    assert client.post(address(endpoint, name)).status_code == 404
    assert client.get(address(endpoint)).status_code == 404
    assert URL not in text(client.get("/account/webhooks/"))
    assert WebhookEndpoint.objects.filter(pk=endpoint.pk, previous_secret="").exists()


@pytest.mark.parametrize("name", ["webhook_rotate", "webhook_test", "webhook_enable", "webhook_delete"])
def test_a_link_changes_nothing(browser, endpoint, name):
    assert browser.get(address(endpoint, name)).status_code == 405


def test_who_is_not_signed_in_is_asked_to(client, endpoint):
    assert client.get("/account/webhooks/").url == "/accounts/login/?next=/account/webhooks/"
    assert client.get(address(endpoint)).url.startswith("/accounts/login/")


def test_a_script_in_an_address_is_text(browser, owner):
    create_endpoint(user=owner, url="https://example.org/?q='onload=alert(1)")

    assert "'onload" not in browser.get("/account/webhooks/").content.decode()
