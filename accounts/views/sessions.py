"""Where a person is signed in, and signing out there."""

from __future__ import annotations

from typing import cast

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.browsers import browser_words
from accounts.models import User
from accounts.services import sessions as services


@login_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    rows = [
        {
            "pk": session.pk,
            "browser": browser_words(session.user_agent),
            "ip": session.ip,
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "is_this": session.session_key == request.session.session_key,
        }
        for session in services.sessions_of(user=user)
    ]
    return render(request, "accounts/session_list.html", {"sessions": rows})


@login_required
@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, user=cast(User, request.user), pk=pk)
    is_this = session.session_key == request.session.session_key
    services.end(session=session)
    if is_this:
        logout(request)
        return redirect("account_login")
    messages.success(request, "That browser is signed out.")
    return redirect("accounts:sessions")


@login_required
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    services.end_all(user=cast(User, request.user))
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return redirect("account_login")
