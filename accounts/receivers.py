"""What happens when someone signs in; connected by AccountsConfig.ready()."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.services import sessions


@receiver(user_logged_in)
def note_sign_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    sessions.begin(request=request, user=user)


@receiver(authenticator_added)
def end_sessions_without_it(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Sessions that began without the second factor end; the one that turned it on has just shown it."""
    if authenticator.type == Authenticator.Type.TOTP:
        sessions.end_others(request=request, user=user)
