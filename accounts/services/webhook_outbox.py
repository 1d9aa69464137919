"""Webhook deliveries as rows: what is sent to whom is fixed in the transaction that it tells of."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import NotificationKind, User, WebhookDelivery, WebhookEndpoint

TEST = "webhook.test"
DELIVER = "accounts.tasks.deliver_webhooks"
#: what callers of notify() name the news by, in their `data`
NEWS_KEYS = ("event", "status", "state")


def queue_event(
    *, people: Iterable[User], kind: NotificationKind, event_id: uuid.UUID, data: Mapping[str, Any]
) -> None:
    """One delivery for each endpoint of these people that wants this kind."""
    endpoints = WebhookEndpoint.objects.filter(user__in=[person.pk for person in people], disabled_at=None)
    wanted = [endpoint for endpoint in endpoints if not endpoint.kinds or kind.value in endpoint.kinds]
    queue(endpoints=wanted, event_id=event_id, body=event_body(event_type(kind, data), data))


def queue(*, endpoints: Iterable[WebhookEndpoint], event_id: uuid.UUID, body: str) -> None:
    now = timezone.now()
    deliveries = [
        WebhookDelivery(endpoint=endpoint, event_id=event_id, body=body, next_attempt_at=now) for endpoint in endpoints
    ]
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries)
        transaction.on_commit(_deliver_now)


def event_body(event: str, data: Mapping[str, Any], at: datetime | None = None) -> str:
    """The body as it is signed and sent, each time the same."""
    at = at or timezone.now()
    payload = {"type": event, "timestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"), "data": data}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=str)


def event_type(kind: NotificationKind, data: Mapping[str, Any]) -> str:
    """Such as review.published, dispute.open, comment.new."""
    news = next((str(data[key]) for key in NEWS_KEYS if data.get(key)), "new")
    return f"{kind.value}.{news.replace('-', '_')}"


def _deliver_now() -> None:
    async_task(DELIVER)
