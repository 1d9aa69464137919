"""Webhooks on the wire: signed, at least once, with one id, tried again for a day, given up on in the end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tasks
from accounts.models import (
    AuditAction,
    AuditEvent,
    DeliveryState,
    Notification,
    NotificationKind,
    WebhookAttempt,
    WebhookDelivery,
)
from accounts.services import delivering
from accounts.services.delivering import ATTEMPTS, DELAYS, Outcome, claim_due, deliver_due, record, sign
from accounts.services.notifications import notify
from accounts.services.webhooks import create_endpoint, rotate_secret, send_test
from tests.accounts.receivers import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def endpoint(owner, receiver):
    return create_endpoint(user=owner, url=receiver.url)[0]


def tell(owner, **data):
    notify(
        to=[owner],
        kind=NotificationKind.REVIEW,
        title="Approved: model on 1 x GPU",
        text="Fine.",
        url="/submissions/1/",
        data={"status": "published", **data},
    )


def due_now():
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())


def is_signed(headers, body, secret):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


def test_the_signature_is_that_of_the_standard_webhooks_test_vector():
    signature = sign(
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_arrives_signed_and_in_the_form_of_the_standard(owner, receiver):
    _, secret = create_endpoint(user=owner, url=receiver.url)
    tell(owner, submission="abc")

    deliver_due()

    ((headers, body),) = receiver.got
    assert is_signed(headers, body, secret)
    assert headers["content-type"] == "application/json"
    payload = json.loads(body)
    assert payload["type"] == "review.published"
    assert payload["timestamp"].endswith("Z")
    assert payload["data"] == {
        "status": "published",
        "submission": "abc",
        "kind": "review",
        "title": "Approved: model on 1 x GPU",
        "text": "Fine.",
        "url": "http://testserver/submissions/1/",
    }


def test_the_id_is_that_of_the_notification(owner, receiver, endpoint):
    tell(owner)

    deliver_due()

    assert receiver.ids == [str(Notification.objects.get().event_id)]


def test_what_arrived_is_not_sent_again(owner, receiver, endpoint):
    tell(owner)

    deliver_due()
    due_now()
    deliver_due()

    assert len(receiver.got) == 1
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_only_the_kinds_that_were_chosen_are_sent(owner, receiver):
    create_endpoint(user=owner, url=receiver.url, kinds=["comment"])

    tell(owner)

    assert not WebhookDelivery.objects.exists()


def test_the_webhooks_of_others_hear_nothing(owner, stranger, endpoint):
    tell(stranger)

    assert not WebhookDelivery.objects.exists()


def test_the_task_is_queued_with_the_commit(owner, endpoint, django_capture_on_commit_callbacks, monkeypatch):
    queued: list[str] = []
    monkeypatch.setattr("accounts.services.webhook_outbox.async_task", queued.append)
    monkeypatch.setattr("accounts.services.notifications.async_task", lambda *args: queued.append(args[0]))

    with django_capture_on_commit_callbacks(execute=True):
        tell(owner)
        assert queued == []

    assert sorted(queued) == ["accounts.tasks.deliver_webhooks", "accounts.tasks.send_emails"]


def test_while_a_secret_is_changed_both_sign(owner, receiver):
    endpoint, old = create_endpoint(user=owner, url=receiver.url)
    new = rotate_secret(endpoint=endpoint)
    tell(owner)

    deliver_due()

    ((headers, body),) = receiver.got
    assert is_signed(headers, body, old)
    assert is_signed(headers, body, new)


def test_a_day_later_the_old_secret_signs_no_more(owner, receiver):
    endpoint, old = create_endpoint(user=owner, url=receiver.url)
    new = rotate_secret(endpoint=endpoint)
    endpoint.refresh_from_db()
    endpoint.previous_secret_until = timezone.now() - timedelta(seconds=1)
    endpoint.save()
    tell(owner)

    deliver_due()

    ((headers, body),) = receiver.got
    assert is_signed(headers, body, new)
    assert not is_signed(headers, body, old)


def test_it_is_tried_again_for_about_a_day_with_the_same_id_and_body(owner, receiver, endpoint):
    receiver.status = 500
    tell(owner)
    waits = []

    for _ in range(ATTEMPTS + 3):
        before = timezone.now()
        deliver_due()
        waits.append(WebhookDelivery.objects.get().next_attempt_at - before)
        due_now()

    assert len(receiver.got) == ATTEMPTS
    assert len(set(receiver.ids)) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert WebhookDelivery.objects.get().state == DeliveryState.FAILED
    assert [round(wait / timedelta(minutes=1)) for wait in waits[: len(DELAYS)]] == [0, 5, 30, 120, 300, 480, 480]
    assert sum(DELAYS, timedelta()) > timedelta(hours=23)


def test_an_attempt_that_is_not_due_is_not_made(owner, receiver, endpoint):
    receiver.status = 503
    tell(owner)

    deliver_due()
    deliver_due()

    assert len(receiver.got) == 1


def test_two_workers_never_claim_the_same_attempt(owner, endpoint):
    tell(owner)
    stale = list(WebhookDelivery.objects.select_related("endpoint"))

    first = [delivering._claim(delivery, timezone.now()) for delivery in stale]
    stale[0].attempts = 0
    second = [delivering._claim(delivery, timezone.now()) for delivery in stale]

    assert (first, second) == ([True], [False])


def test_what_was_sent_but_not_written_down_is_sent_again_with_the_same_id(owner, receiver, endpoint, monkeypatch):
    tell(owner)
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "record", lambda **_: None)
        deliver_due()
    assert WebhookDelivery.objects.get().state == DeliveryState.WAITING

    due_now()
    deliver_due()

    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_a_last_attempt_that_was_lost_is_made_again(owner, receiver, endpoint):
    tell(owner)
    WebhookDelivery.objects.update(attempts=ATTEMPTS)

    deliver_due()

    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_gone_switches_the_webhook_off_at_once_and_tells_its_owner(owner, receiver, endpoint):
    receiver.status = 410
    tell(owner)

    deliver_due()

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "The receiver answered 410 Gone."
    told = Notification.objects.get(kind=NotificationKind.ACCOUNT)
    assert (told.user, told.url) == (owner, f"/account/webhooks/{endpoint.pk}/")
    assert "switch it on again" in told.text
    event = AuditEvent.objects.get(action=AuditAction.DISABLE_WEBHOOK)
    assert (event.person, event.actor, event.subject) == (owner, None, f"webhook {endpoint.pk}")


def test_what_waited_for_a_webhook_that_was_switched_off_is_given_up(owner, receiver, endpoint):
    receiver.status = 410
    tell(owner)
    tell(owner)

    deliver_due()

    assert {delivery.state for delivery in WebhookDelivery.objects.all()} == {DeliveryState.FAILED}
    assert len(receiver.got) == 1


def test_five_days_of_nothing_but_failures_switch_it_off(owner, receiver, endpoint):
    receiver.status = 500
    endpoint.failing_since = timezone.now() - timedelta(days=5, minutes=1)
    endpoint.save()
    tell(owner)

    deliver_due()

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "Every attempt of the last 5 days failed."


def test_less_than_five_days_of_failures_do_not(owner, receiver, endpoint):
    receiver.status = 500
    endpoint.failing_since = timezone.now() - timedelta(days=4)
    endpoint.save()
    tell(owner)

    deliver_due()

    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_a_success_ends_the_row_of_failures(owner, receiver, endpoint):
    endpoint.failing_since = timezone.now() - timedelta(days=4)
    endpoint.save()
    tell(owner)

    deliver_due()

    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_a_redirect_is_a_failure(owner, receiver, endpoint):
    receiver.status = 302
    tell(owner)

    deliver_due()

    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.error) == (302, "redirects are not followed")
    assert WebhookDelivery.objects.get().state == DeliveryState.WAITING


def test_the_log_has_status_time_and_error_of_each_attempt(owner, receiver, endpoint):
    receiver.status = 500
    tell(owner)
    deliver_due()
    receiver.status = 200
    due_now()
    deliver_due()

    rows = [(row.status, row.error) for row in WebhookAttempt.objects.all()]

    assert rows == [(500, "the receiver answered with an error"), (200, "")]


def test_a_receiver_that_fails_does_not_hold_up_the_others(owner, stranger, receiver, endpoint):
    with receiving() as broken:
        broken.status = 500
        create_endpoint(user=stranger, url=broken.url)
        for _ in range(5):
            tell(stranger)
        for _ in range(5):
            tell(owner)

        deliver_due()

        assert len(broken.got) == 1
        assert len(receiver.got) == 5


def test_while_a_receiver_fails_what_else_waits_for_it_rests_without_counting_as_tried(owner, receiver, endpoint):
    receiver.status = 500
    for _ in range(3):
        tell(owner)

    for _ in range(3):
        deliver_due()

    assert len(receiver.got) == 1
    assert sorted(WebhookDelivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_a_receiver_that_hangs_is_given_up_on_for_now(owner, endpoint, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(delivering, "PATIENCE_S", 0.05)
    monkeypatch.setattr(delivering, "_send", lambda *_: over.wait(30))
    tell(owner)

    deliver_due()

    over.set()
    assert WebhookAttempt.objects.get().error == "no answer within 10 s"
    assert WebhookDelivery.objects.get().state == DeliveryState.WAITING


def test_one_fault_of_ours_does_not_stop_the_others(owner, stranger, receiver, endpoint, monkeypatch, caplog):
    create_endpoint(user=stranger, url=receiver.url.replace("/hook", "/broken"))
    tell(stranger)
    tell(owner)
    real = delivering._send

    def send(url, *rest):
        if url.endswith("/broken"):
            raise RuntimeError("a fault")
        return real(url, *rest)

    monkeypatch.setattr(delivering, "_send", send)

    deliver_due()

    assert len(receiver.got) == 1
    assert "A webhook could not be sent" in caplog.text
    assert WebhookAttempt.objects.filter(error="it could not be sent").count() == 1


def test_nothing_is_begun_when_the_time_of_the_task_is_over(owner, receiver, endpoint):
    tell(owner)

    assert deliver_due(work_for_s=0) == 0
    assert receiver.got == []


def test_a_secret_that_cannot_be_read_any_more_is_said_in_the_log(owner, receiver, endpoint, settings):
    settings.SECRET_KEY = "another key, after the old one was thrown away"
    tell(owner)

    deliver_due()

    assert receiver.got == []
    assert "make a new one" in WebhookAttempt.objects.get().error


def test_of_a_deleted_webhook_nothing_is_written_down(owner, endpoint):
    tell(owner)
    (delivery,) = claim_due()
    endpoint.delete()

    record(delivery=delivery, outcome=Outcome(5, status=200))

    assert not WebhookAttempt.objects.exists()


def test_a_late_report_does_not_undo_a_delivery(owner, endpoint):
    tell(owner)
    (lost,) = claim_due()
    due_now()
    (again,) = claim_due()
    record(delivery=again, outcome=Outcome(5, status=200))

    record(delivery=lost, outcome=Outcome(5, status=500))

    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_the_webhooks_of_an_account_that_is_closed_are_silent(owner, receiver, endpoint):
    tell(owner)
    owner.is_active = False
    owner.save()

    deliver_due()

    assert receiver.got == []


def test_a_test_event_says_that_it_is_one(receiver, endpoint):
    send_test(endpoint=endpoint)

    deliver_due()

    assert json.loads(receiver.got[0][1])["type"] == "webhook.test"


def test_the_schedules_are_there_once(db):
    from django_q.models import Schedule

    tasks.ensure_schedules()
    tasks.ensure_schedules()

    names = [name for name in Schedule.objects.values_list("name", flat=True) if name.startswith("accounts: ")]
    assert sorted(names) == sorted(tasks.SCHEDULES)


def test_what_is_done_elsewhere_now_is_not_scheduled_any_more(db):
    from django_q.models import Schedule

    Schedule.objects.create(name=tasks.FORMER[0], func="accounts.tasks.prune_deliveries")

    tasks.ensure_schedules()

    assert not Schedule.objects.filter(name__in=tasks.FORMER).exists()


def test_the_tasks_do_their_work(owner, receiver, endpoint):
    tell(owner)

    tasks.deliver_webhooks()

    assert len(receiver.got) == 1
