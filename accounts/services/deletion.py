"""Deleting an account: the row stays as a nameless place that audit lines and published results refer to."""

from __future__ import annotations

import secrets

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditAction, AuditEvent, Preferences, User
from accounts.names import DELETED_PREFIX
from accounts.services import sessions
from accounts.signals import account_deleting


class AlreadyDeleted(ValueError):
    """The account is gone already."""


@transaction.atomic
def delete_account(*, user: User, keep_published: bool) -> None:
    """Delete what is theirs and make the row nameless, all or nothing.

    Published results and comments stay under the name of a deleted user, or go and leave tombstones.
    """
    # Others who write rows that name this person need not wait, so they never wait for each other in a circle.
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if locked.deleted_at is not None:
        raise AlreadyDeleted("This account has been deleted already.")
    account_deleting.send(sender=User, user=locked, keep_published=keep_published)
    _delete_rows(locked)
    _make_nameless(locked)
    AuditEvent.objects.create(
        actor=locked, action=AuditAction.DELETE_ACCOUNT, person=locked, data={"keep_published": keep_published}
    )


def _delete_rows(user: User) -> None:
    sessions.end_all(user=user)
    SocialAccount.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    Preferences.objects.filter(user=user).delete()
    user.api_tokens.all().delete()
    user.idempotency_keys.all().delete()
    user.notifications.all().delete()
    user.webhooks.all().delete()
    user.groups.clear()
    user.user_permissions.clear()


def _make_nameless(user: User) -> None:
    user.username = f"{DELETED_PREFIX}{secrets.token_hex(8)}"
    user.email = user.first_name = user.last_name = user.display_name = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.deleted_at = timezone.now()
    user.set_unusable_password()
    user.save()
