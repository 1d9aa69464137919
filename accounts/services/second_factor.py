"""The second factor of a person: whether there is one, and taking it away where the phone is lost."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction

from accounts.models import AuditAction, AuditEvent, NotificationKind, User
from accounts.services.notifications import notify
from accounts.services.sessions import end_all


def has_second_factor(user: User) -> bool:
    """Recovery codes alone are none."""
    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP]))


@transaction.atomic
def remove_second_factor(*, user: User, reason: str) -> bool:
    """Take it away, and sign the person out everywhere; False when there was none."""
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if not deleted:
        return False
    end_all(user=user)
    AuditEvent.objects.create(action=AuditAction.REMOVE_SECOND_FACTOR, person=user, reason=reason)
    notify(to=[user], kind=NotificationKind.ACCOUNT, title="Your second factor was removed", text=reason)
    return True
