"""Who may stand before the admin: from the right network, with a second factor, and signed in not long ago."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import suspend_request
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import ResolverMatch

from accounts.models import User
from accounts.services.second_factor import has_second_factor
from accounts.services.sessions import proved_at

#: they decide for themselves who comes in, and out
DOORS = ("admin:login", "admin:logout")


def admin_gate(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Before each page of the admin, whatever made it. Who is no staff is left to the admin itself."""

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not is_of_admin(request, match):
            return None
        if not is_from_allowed_network(request):
            raise Http404
        if match.view_name in DOORS or not isinstance(request.user, User) or not request.user.is_staff:
            return None
        if settings.ADMIN_REQUIRE_2FA and not has_second_factor(request.user):
            return render(request, "accounts/second_factor_needed.html", status=403)
        if time.time() - proved_at(request) > settings.ADMIN_SESSION_AGE:
            return _asked_again(request, request.user)
        return None

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    middleware.process_view = process_view  # type: ignore[attr-defined]  # where Django looks for it
    return middleware


def is_of_admin(request: HttpRequest, match: ResolverMatch) -> bool:
    """By its namespace, wherever that is mounted, and by its path, where other pages for staff are, too."""
    return "admin" in match.app_names or request.path_info.startswith(f"/{settings.ADMIN_PATH}")


def is_from_allowed_network(request: HttpRequest) -> bool:
    if not settings.ADMIN_ALLOW:
        return True
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in settings.ADMIN_ALLOW)


def _asked_again(request: HttpRequest, user: User) -> HttpResponse:
    """For the password or a code; a form that was sent goes on afterwards. Who has neither signs in anew."""
    methods = get_adapter().get_reauthentication_methods(user)
    if methods:
        return cast(HttpResponse, suspend_request(request, methods[0]["url"]))
    path = request.get_full_path()
    logout(request)
    messages.info(request, "It has been a while: sign in again for the admin.")
    return redirect_to_login(path)
