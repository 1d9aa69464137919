from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.services.sessions import note_use


def note_session_use(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep up to date which sessions a person has and when each was used last; anonymous pages stay untouched."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session = request.session
        if session.accessed and session.session_key and SESSION_KEY in session and isinstance(request.user, User):
            note_use(request=request, user=request.user)
        return response

    return middleware
