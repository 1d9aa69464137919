"""Notifications by e-mail: one plain message per person and event, at most once, tried again while the server is away.

A message is claimed before it is sent and released when sending fails. A process that is killed in between loses that
one e-mail and never sends it twice; the notification itself stays in the site.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notification, NotificationKind, User
from accounts.services.notifications import absolute

logger = logging.getLogger(__name__)

#: a server that stays away for longer gets no messages of that time: they would be stale, and many
RETRY_FOR = timedelta(hours=12)
#: a message that its event's own task has not sent by then is taken up by the schedule
GRACE = timedelta(minutes=2)
WORK_FOR_S = 60.0
#: the server answers, and refuses this one message
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)


def waiting_emails(now: datetime) -> QuerySet[Notification]:
    """Not sent, and young enough to be worth it."""
    return Notification.objects.filter(
        emailed_at=None, created_at__gt=now - RETRY_FOR, created_at__lte=now - GRACE
    ).order_by("created_at", "pk")


def send_emails(*, notifications: Iterable[Notification], work_for_s: float = WORK_FOR_S) -> int:
    """Send what its reader wants; returns how many went out. Stops when the mail server is not there."""
    until = time.monotonic() + work_for_s
    wanted = [notification for notification in notifications if _is_wanted(notification)]
    addresses = addresses_of([notification.user for notification in wanted])
    connection = get_connection()
    sent = 0
    try:
        for notification in wanted:
            if time.monotonic() > until:
                break
            address = addresses.get(notification.user_id)
            if address and _claim(notification):
                sent += _send(notification, address, connection)
    except OSError as error:
        # SMTPException is one, too. The schedule tries again; the log has one line, not one per message.
        logger.warning("The mail server does not take messages: %s", error)
    finally:
        connection.close()
    return sent


def addresses_of(people: Iterable[User]) -> Mapping[int, str]:
    """id -> where they read mail: the primary confirmed address; any, where the site asks for no confirmation."""
    plain = {person.pk: person.email for person in people}
    rows = EmailAddress.objects.filter(user__in=list(plain)).order_by("primary", "pk")
    if settings.ACCOUNT_EMAIL_VERIFICATION == "none":
        return {**plain, **{row.user_id: row.email for row in rows}}
    return {row.user_id: row.email for row in rows.filter(verified=True)}


def _is_wanted(notification: Notification) -> bool:
    preferences = getattr(notification.user, "preferences", None)
    return notification.user.is_active and notification.kind not in (preferences.muted_emails if preferences else ())


def _claim(notification: Notification) -> bool:
    return bool(Notification.objects.filter(pk=notification.pk, emailed_at=None).update(emailed_at=timezone.now()))


def _send(notification: Notification, address: str, connection: BaseEmailBackend) -> int:
    """Raises OSError when the server is not there; a message that it refuses for good is not tried again."""
    try:
        return _message(notification, address, connection).send()
    except REFUSED as error:
        logger.warning("The mail server refuses the e-mail of notification %s: %s", notification.pk, error)
        return 0
    except BaseException:
        Notification.objects.filter(pk=notification.pk).update(emailed_at=None)
        raise


def _message(notification: Notification, address: str, connection: BaseEmailBackend) -> EmailMessage:
    title = " ".join(notification.title.split())
    kind = NotificationKind(notification.kind)
    parts = [
        notification.title,
        notification.text,
        absolute(notification.url),
        f"-- \nYou get this e-mail for: {kind.label}. Switch it off: {absolute(reverse('accounts:settings'))}",
    ]
    return EmailMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{title}",
        body="\n\n".join(part for part in parts if part) + "\n",
        to=[address],
        connection=connection,
        # Mail programs keep out-of-office answers to themselves, and show the retries of one event as one.
        headers={"Auto-Submitted": "auto-generated", "X-Lemsite-Event": str(notification.event_id)},
    )
