"""Deleting one's own account: what happens is said before it does."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import DeleteAccountForm
from accounts.models import User
from accounts.services.deletion import delete_account as delete


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def delete_account(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = DeleteAccountForm(request.POST or None, user=user)
    if form.is_valid():
        delete(user=user, keep_published=form.keep_published)
        logout(request)
        messages.success(request, "Your account is deleted.")
        return redirect("leaderboard:list")
    context = {"form": form, "counts": _counts(user)}
    return render(request, "accounts/account_delete.html", context, status=422 if form.is_bound else 200)


def _counts(user: User) -> dict[str, int]:
    mine = user.submissions.filter(deleted_at=None)
    published = mine.public()
    unpublished = mine.exclude(pk__in=published.values("pk"))
    return {
        "drafts": unpublished.exclude(visibility="private").count(),
        "private": unpublished.filter(visibility="private").count(),
        "published": published.count(),
        "comments": user.comments.filter(deleted_at=None).count(),
        "tokens": user.api_tokens.usable().count(),
        "webhooks": user.webhooks.count(),
    }
