"""What runs in the background for people; every function is safe to run twice, and in several processes at once."""

from __future__ import annotations

from django.db import connections
from django.utils import timezone
from django_q.models import Schedule

from accounts.models import Notification
from accounts.services import delivering, emails

#: name -> (function, minutes between two runs)
SCHEDULES = {
    "accounts: deliver webhooks that are due": ("accounts.tasks.deliver_webhooks", 1),
    "accounts: send e-mails that wait": ("accounts.tasks.send_waiting_emails", 10),
}
#: schedules that the site's own tidying has taken the place of
FORMER = ("accounts: forget old webhook deliveries",)


def send_emails(event_id: str) -> None:
    """The e-mails of one event, as soon as it is committed."""
    rows = Notification.objects.filter(event_id=event_id, emailed_at=None)
    emails.send_emails(notifications=rows.select_related("user__preferences"))


def send_waiting_emails() -> None:
    """What could not be sent at once, because the mail server or this site was away."""
    rows = emails.waiting_emails(timezone.now())
    emails.send_emails(notifications=rows.select_related("user__preferences"))


def deliver_webhooks() -> None:
    delivering.deliver_due()


def ensure_schedules(using: str = "default") -> None:
    """After each migrate. Two schedules, should two processes migrate at once, do no more than one."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    Schedule.objects.using(using).filter(name__in=FORMER).delete()
    for name, (function, minutes) in SCHEDULES.items():
        if not Schedule.objects.using(using).filter(name=name).exists():
            Schedule.objects.using(using).create(
                name=name, func=function, schedule_type=Schedule.MINUTES, minutes=minutes
            )
