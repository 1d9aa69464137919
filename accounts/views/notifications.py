"""What one was told, newest first."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.services.notifications import mark_one_read, mark_read

PAGE_SIZE = 30
MAX_ID = 2**63 - 1


@login_required
@require_safe
@never_cache
def notifications(request: HttpRequest) -> HttpResponse:
    told = cast(User, request.user).notifications.all()
    page = Paginator(told, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "newest": max((notification.pk for notification in page), default=0)}
    return render(request, "accounts/notification_list.html", context)


@login_required
@require_safe
@never_cache
def notification_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to what it is about, and mark it read."""
    notification = get_object_or_404(cast(User, request.user).notifications, pk=pk)
    if request.method == "GET":
        mark_one_read(notification=notification)
    if notification.url and url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None):
        return redirect(notification.url)
    return redirect("accounts:notifications")


@login_required
@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """All up to the newest that the page showed: what came since is still unread."""
    upto = request.POST.get("upto", "")
    number = int(upto) if upto.isascii() and upto.isdecimal() and len(upto) < 20 else 0
    mark_read(user=cast(User, request.user), upto=min(number, MAX_ID))
    return redirect("accounts:notifications")
