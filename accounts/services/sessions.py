"""The sessions of a person: which there are, since when, and ending them."""

from __future__ import annotations

import ipaddress
import time
from importlib import import_module
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User

#: how exactly "last used" is known
STEP_S = 60
#: in the session: when it began, in seconds of Unix time
SIGNED_IN_AT = "signed_in_at"


def note_use(*, request: HttpRequest, user: User) -> None:
    """Write down that the session is in use, at most once a minute: most requests write nothing."""
    if cache.add(_mark(request.session.session_key), True, STEP_S):
        _write(request, user)


def begin(*, request: HttpRequest, user: User) -> None:
    """Write down a session that has just begun."""
    request.session[SIGNED_IN_AT] = time.time()
    cache.set(_mark(request.session.session_key), True, STEP_S)
    _write(request, user)


def sessions_of(*, user: User) -> list[UserSession]:
    """Those that still open the site, the latest used first; rows of others that are over go."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)


def end_others(*, request: HttpRequest, user: User) -> int:
    """Sign a person out everywhere but here; returns how many sessions that were."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key))
    for session in others:
        end(session=session)
    return len(others)


def proved_at(request: HttpRequest) -> float:
    """When the person last proved who they are in this session: by signing in, or by a password or code since."""
    records = get_authentication_records(request, request.user)
    again = [float(record["at"]) for record in records if record.get("reauthenticated")]
    return max([float(request.session.get(SIGNED_IN_AT, 0)), *again])


@transaction.atomic
def end(*, session: UserSession) -> None:
    """Sign out one browser."""
    _store().delete(session.session_key)
    session.delete()


@transaction.atomic
def end_all(*, user: User) -> int:
    """Sign a person out everywhere; returns how many sessions that were."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        end(session=session)
    return len(sessions)


def _write(request: HttpRequest, user: User) -> None:
    """A session without an address is not a browser's, and is not listed."""
    address = _address(request)
    if address and request.session.session_key:
        UserSession.objects.update_or_create(
            session_key=request.session.session_key,
            defaults={
                "user": user,
                "ip": address,
                "user_agent": request.headers.get("User-Agent", "")[:200].replace("\x00", ""),
                "last_seen_at": timezone.now(),
            },
        )


def _address(request: HttpRequest) -> str:
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR") or ""))
    except ValueError:
        return ""


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore()


def _mark(session_key: str | None) -> str:
    return f"session-seen:{session_key}"
