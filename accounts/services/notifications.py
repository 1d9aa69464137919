"""Telling people: one row in the site, then e-mail and webhooks for those who want them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import Notification, NotificationKind, User
from accounts.services.webhook_outbox import queue_event

SEND_EMAILS = "accounts.tasks.send_emails"


@transaction.atomic
def notify(
    *,
    to: Iterable[User],
    kind: NotificationKind,
    title: str,
    text: str = "",
    url: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell each of `to` once; part of the caller's transaction, so that a decision and its news stand or fall together.

    `url` is a path on this site; `data` is what webhooks send beside title and text, where "event", "status" or
    "state" names the news.
    """
    event_id = uuid.uuid4()
    kind = NotificationKind(kind)
    people = {person.pk: person for person in to if person.is_active}
    if not people:
        return
    Notification.objects.bulk_create(
        Notification(user=person, kind=kind, title=title[:200], text=text, url=url[:500], event_id=event_id)
        for person in people.values()
    )
    words = {"kind": kind.value, "title": title[:200], "text": text, "url": absolute(url)}
    queue_event(people=people.values(), kind=kind, event_id=event_id, data={**(data or {}), **words})
    transaction.on_commit(partial(async_task, SEND_EMAILS, str(event_id)))


def absolute(path: str) -> str:
    """The public address of a path on this site."""
    return f"{settings.SITE_URL}{path}" if path else ""


@transaction.atomic
def mark_read(*, user: User, upto: int | None = None) -> int:
    """Mark one's notifications read, all or up to an id; returns how many were not."""
    unread = user.notifications.unread()
    if upto is not None:
        unread = unread.filter(pk__lte=upto)
    return unread.update(read_at=timezone.now())


def mark_one_read(*, notification: Notification) -> None:
    Notification.objects.filter(pk=notification.pk, read_at=None).update(read_at=timezone.now())
