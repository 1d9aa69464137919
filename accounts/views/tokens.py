"""API tokens: made here and shown once, revoked here."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.models import User
from accounts.services.tokens import create_token, revoke_token


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The answer to a POST is the only one that shows a token's plain text; reloading does not show it again."""
    user = cast(User, request.user)
    form = TokenForm(request.POST or None)
    plain = ""
    if form.is_valid():
        _, plain = create_token(user=user, **form.cleaned_data)
        form = TokenForm()
    context = {"tokens": user.api_tokens.all(), "form": form, "new_token": plain}
    return render(request, "accounts/token_list.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    revoke_token(token=get_object_or_404(cast(User, request.user).api_tokens, pk=pk))
    return redirect("accounts:tokens")
