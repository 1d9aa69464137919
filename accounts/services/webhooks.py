"""The webhook endpoints of a person: made, given a new secret, tested, switched on again, deleted."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import (
    AuditAction,
    AuditEvent,
    DeliveryState,
    NotificationKind,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.secrets_at_rest import encrypt
from accounts.services.notifications import notify
from accounts.services.webhook_outbox import TEST, event_body, queue
from lemsite.lib.safe_http import BadUrl, read_url

MAX_ENDPOINTS = 10
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public first part of every secret
SECRET_BYTES = 32
#: how long the secret before stays valid beside the new one
ROTATION = timedelta(hours=24)
TEST_EVERY = timedelta(seconds=10)


class WebhookRefused(ValueError):
    """It cannot be done; the message says why, `field` which input is wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


@transaction.atomic
def create_endpoint(*, user: User, url: str, kinds: Iterable[str] = ()) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint and return it with its secret, which is never seen again."""
    _refuse_url(url)
    wanted = sorted(set(kinds))
    unknown = [kind for kind in wanted if kind not in NotificationKind.values]
    if unknown:
        choices = ", ".join(NotificationKind.values)
        raise WebhookRefused(f"kinds: {', '.join(unknown)}; choose from {choices}", field="kinds")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.webhooks.count() >= MAX_ENDPOINTS:
        raise WebhookRefused(f"You have {MAX_ENDPOINTS} webhooks, the most there can be. Delete one first.")
    plain = new_secret()
    endpoint = WebhookEndpoint.objects.create(user=user, url=url, kinds=wanted, secret=encrypt(plain))
    return endpoint, plain


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint) -> str:
    """A new secret; the one before signs beside it for a day. Rotating again within the day drops the oldest."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    plain = new_secret()
    row.previous_secret, row.previous_secret_until = row.secret, timezone.now() + ROTATION
    row.secret = encrypt(plain)
    row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return plain


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """With its log; what waits for it is never sent."""
    endpoint.delete()


@transaction.atomic
def enable_endpoint(*, endpoint: WebhookEndpoint) -> bool:
    """Switch it on again, for events from now on; False when it is on."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=False)
    return bool(rows.update(disabled_at=None, disabled_reason="", failing_since=None))


@transaction.atomic
def disable_endpoint(*, endpoint: WebhookEndpoint, reason: str) -> bool:
    """Switch it off, tell its owner and the audit log; False when it is off."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
    if not rows.update(disabled_at=timezone.now(), disabled_reason=reason[:200]):
        return False
    WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.WAITING).update(state=DeliveryState.FAILED)
    AuditEvent.objects.create(
        actor=None,
        action=AuditAction.DISABLE_WEBHOOK,
        person=endpoint.user,
        subject=f"webhook {endpoint.pk}",
        reason=reason,
    )
    notify(
        to=[endpoint.user],
        kind=NotificationKind.ACCOUNT,
        title="A webhook of yours was switched off",
        text=f"{endpoint.url}: {reason}\n\nOnce the receiver works, switch it on again on the page of the webhook.",
        url=f"/account/webhooks/{endpoint.pk}/",
        data={"event": "webhook_disabled", "webhook": str(endpoint.pk)},
    )
    return True


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint) -> None:
    """Queue an event that says it is a test."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    if row.disabled_at is not None:
        raise WebhookRefused("The webhook is switched off. Switch it on first.")
    if row.deliveries.filter(created_at__gt=timezone.now() - TEST_EVERY).exists():
        raise WebhookRefused("Something was sent in the last ten seconds. Look at the log, then try again.")
    data = {"webhook": str(row.pk), "title": "A test", "text": "This webhook works.", "url": settings.SITE_URL}
    queue(endpoints=[row], event_id=uuid.uuid4(), body=event_body(TEST, data))


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _refuse_url(url: str) -> None:
    try:
        read_url(url, settings.WEBHOOK_PRIVATE_HOSTS)
    except BadUrl as error:
        raise WebhookRefused(str(error), field="url") from None
