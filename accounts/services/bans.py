"""Keeping someone from writing, for a time or for good, with a reason they read and a line in the audit log."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import AuditAction, AuditEvent, Ban, NotificationKind, User
from accounts.services.notifications import notify


class Banned(ValueError):
    """This person may not write now; the message says until when and why."""


def refuse_banned(user: User) -> None:
    """Raise Banned while a ban is in force. Every service that writes for a person calls this first."""
    ban = user.bans.in_force().first()
    if ban is not None:
        until = f"until {ban.until:%Y-%m-%d %H:%M} UTC" if ban.until else "for good"
        raise Banned(f"You are banned from writing {until}: {ban.reason}")


class BanRefused(ValueError):
    """This person cannot be banned, or not so; the message says why."""


def refuse_unbannable(user: User) -> None:
    """Moderators are not banned by one another: a superuser first takes the permission away."""
    if user.is_moderator or user.is_superuser:
        raise BanRefused(f"{user.username} is a moderator: a superuser has to take the permission away first.")
    if user.deleted_at is not None:
        raise BanRefused(f"{user.username} has deleted the account.")


@transaction.atomic
def ban(*, user: User, by: User, reason: str, until: datetime | None = None) -> Ban:
    """Raises BanRefused. A ban beside another is fine: whichever ends last counts."""
    if not by.is_moderator:
        raise BanRefused(f"{by.username} is not a moderator.")
    refuse_unbannable(user)
    if not reason.strip():
        raise BanRefused("reason: say why; the person reads it.")
    row = Ban.objects.create(user=user, by=by, reason=reason, until=until)
    AuditEvent.objects.create(actor=by, action=AuditAction.BAN, person=user, subject=f"ban {row.pk}", reason=reason)
    notify(to=[user], kind=NotificationKind.ACCOUNT, title="You are banned from writing", text=reason)
    return row


@transaction.atomic
def lift_ban(*, ban: Ban, by: User, reason: str = "") -> bool:
    """End a ban; False when it had been lifted already. Raises BanRefused when `by` may not."""
    if not by.is_moderator or ban.user_id == by.pk:
        raise BanRefused("A moderator lifts bans, and nobody their own.")
    if not Ban.objects.filter(pk=ban.pk, lifted_at=None).update(lifted_at=timezone.now()):
        return False
    AuditEvent.objects.create(
        actor=by, action=AuditAction.LIFT_BAN, person=ban.user, subject=f"ban {ban.pk}", reason=reason
    )
    notify(to=[ban.user], kind=NotificationKind.ACCOUNT, title="You may write again", text=reason)
    return True
