"""The admin's status page."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lemsite.observing import status


@admin.site.admin_view
@permission_required("django_q.view_failure", raise_exception=True)
@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    """For who may read the errors of tasks: moderators decide on results, and need not know how the site is set up."""
    context = {**admin.site.each_context(request), "title": "Status", **status.context()}
    return render(request, "admin/status.html", context)
