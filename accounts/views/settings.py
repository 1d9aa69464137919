"""Settings of one's own account."""

from __future__ import annotations

from typing import cast

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import SettingsForm
from accounts.models import User
from accounts.services.preferences import preferences_of, save_settings
from accounts.services.second_factor import has_second_factor


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def settings(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    initial = SettingsForm.initial_of(user, preferences_of(user))
    form = SettingsForm(request.POST or None, user=user, initial=initial)
    if form.is_valid():
        name, prices = form.cleaned_data["display_name"], form.prices
        save_settings(user=user, display_name=name, emails=form.wanted, prices=prices)
        messages.success(request, "Saved.")
        return redirect("accounts:settings")
    context = {
        "form": form,
        "email": EmailAddress.objects.filter(user=user).order_by("-verified", "-primary").first(),
        "github": SocialAccount.objects.filter(user=user).first(),
        "has_second_factor": has_second_factor(user),
        "has_password": user.has_usable_password(),
    }
    return render(request, "accounts/settings.html", context, status=422 if form.is_bound else 200)
