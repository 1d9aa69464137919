"""Comparisons that one keeps on one's account."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from leaderboard.presenting.saved_comparisons import is_worth_saving, saved_rows, selection_at
from leaderboard.queries.comparing import saved_comparisons
from leaderboard.services import comparisons
from leaderboard.services.comparisons import ComparisonRefused

TOO_FEW = "A comparison holds two to eight results or models."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def comparison_list(request: HttpRequest) -> HttpResponse:
    """One's own; POST keeps one more and says its short link."""
    if request.method != "POST":
        return _list(request)
    selection = selection_at(request.POST.get("url", ""))
    url, name = selection.url(reverse("runs:compare")), request.POST.get("name", "")
    try:
        if not is_worth_saving(selection):
            raise ComparisonRefused(TOO_FEW)
        saved = comparisons.save_comparison(owner=cast(User, request.user), name=name, url=url)
    except ComparisonRefused as error:
        retry = {"name": name, "url": url} if is_worth_saving(selection) else None
        return _list(request, problem=str(error), retry=retry, status=422)
    messages.success(request, f"“{saved.name}” is saved.")
    return redirect("leaderboard:comparisons")


@login_required
@require_POST
def comparison_rename(request: HttpRequest, pk: int) -> HttpResponse:
    comparison = get_object_or_404(saved_comparisons(cast(User, request.user)), pk=pk)
    try:
        comparisons.rename_comparison(comparison=comparison, name=request.POST.get("name", ""))
    except ComparisonRefused as error:
        return _list(request, problem=str(error), status=422)
    messages.success(request, f"It is named “{comparison.name}” now.")
    return redirect("leaderboard:comparisons")


@login_required
@require_POST
def comparison_delete(request: HttpRequest, pk: int) -> HttpResponse:
    comparison = get_object_or_404(saved_comparisons(cast(User, request.user)), pk=pk)
    comparisons.delete_comparison(comparison=comparison)
    messages.success(request, f"“{comparison.name}” is deleted. Its short link still leads to the comparison.")
    return redirect("leaderboard:comparisons")


def _list(
    request: HttpRequest, *, problem: str = "", retry: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    rows = saved_rows(saved_comparisons(cast(User, request.user)))
    context = {"saved": rows, "problem": problem, "retry": retry}
    return render(request, "leaderboard/comparison_list.html", context, status=status)
