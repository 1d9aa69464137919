"""The webhooks of a person: made here, their secret shown once, tested and looked after."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import WebhookForm
from accounts.models import NotificationKind, User, WebhookEndpoint
from accounts.services import webhooks as services
from accounts.services.delivering import ATTEMPTS

MAX_LOG = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """A POST makes an endpoint; its answer is the only one that shows the secret."""
    form = WebhookForm(request.POST or None, user=_user(request))
    if form.is_valid():
        try:
            endpoint, secret = services.create_endpoint(user=_user(request), **form.cleaned_data)
            return _detail(request, endpoint, secret)
        except services.WebhookRefused as error:
            form.add_error(error.field or None, error.message)
    context = {"endpoints": [_row(endpoint) for endpoint in _user(request).webhooks.all()], "form": form}
    return render(request, "accounts/webhook_list.html", context, status=422 if form.is_bound else 200)


@login_required
@require_safe
@never_cache
def webhook_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _detail(request, _own(request, pk))


@login_required
@require_POST
@never_cache
def webhook_rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    endpoint = _own(request, pk)
    secret = services.rotate_secret(endpoint=endpoint)
    endpoint.refresh_from_db()
    return _detail(request, endpoint, secret)


@login_required
@require_POST
def webhook_test(request: HttpRequest, pk: UUID) -> HttpResponse:
    endpoint = _own(request, pk)
    try:
        services.send_test(endpoint=endpoint)
        messages.success(request, "A test is on its way. Reload this page for its line in the log.")
    except services.WebhookRefused as error:
        messages.warning(request, error.message)
    return redirect("accounts:webhook_detail", pk=endpoint.pk)


@login_required
@require_POST
def webhook_enable(request: HttpRequest, pk: UUID) -> HttpResponse:
    endpoint = _own(request, pk)
    services.enable_endpoint(endpoint=endpoint)
    return redirect("accounts:webhook_detail", pk=endpoint.pk)


@login_required
@require_POST
def webhook_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    services.delete_endpoint(endpoint=_own(request, pk))
    messages.success(request, "The webhook is deleted.")
    return redirect("accounts:webhooks")


def _detail(request: HttpRequest, endpoint: WebhookEndpoint, secret: str = "") -> HttpResponse:
    deliveries = endpoint.deliveries.prefetch_related("log")[:MAX_LOG]
    context = {"webhook": _row(endpoint), "deliveries": deliveries, "new_secret": secret, "attempts": ATTEMPTS}
    return render(request, "accounts/webhook_detail.html", context)


def _row(endpoint: WebhookEndpoint) -> dict[str, Any]:
    kinds = [kind.label for kind in NotificationKind if kind.value in endpoint.kinds]
    state = "Switched off" if endpoint.disabled_at else "Failing" if endpoint.failing_since else "On"
    return {"endpoint": endpoint, "kinds": "; ".join(kinds) or "Everything", "state": state}


def _own(request: HttpRequest, pk: UUID) -> WebhookEndpoint:
    return get_object_or_404(_user(request).webhooks.select_related("user"), pk=pk)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
