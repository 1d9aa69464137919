"""/advice/: what to change first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import condition, require_safe

from leaderboard.presenting.advice import advice_page
from leaderboard.views.board import page_etag


@require_safe
@condition(etag_func=page_etag)
def advice(request: HttpRequest) -> HttpResponse:
    response = render(request, "leaderboard/advice.html", {"page": advice_page(request.GET)})
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response
