"""Disputes: raised and retracted by readers here, settled in the admin, listed for everyone."""

from __future__ import annotations

import uuid

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from leaderboard.community_pages import Attempt
from leaderboard.models import Dispute, DisputeState, Result
from leaderboard.presenting.community import dispute_list as disputes_page
from leaderboard.queries.catalogue import results_with_everything
from leaderboard.services.disputes import open_dispute, retract_dispute
from leaderboard.views.results import REFUSALS, refused_page


@require_safe
def dispute_list(request: HttpRequest) -> HttpResponse:
    """Every public dispute and how it ended."""
    state = request.GET.get("state", "")
    state = state if state in DisputeState.values else ""
    page = disputes_page(request.user, state=state, page=request.GET.get("page"))
    return render(request, "leaderboard/dispute_list.html", {"page": page})


@require_POST
def dispute_open(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    where = reverse("leaderboard:result", args=[pk])
    if not request.user.is_authenticated:
        return redirect_to_login(f"{where}#disputes")
    result = get_object_or_404(results_with_everything().visible_to(request.user), pk=pk)
    reason, url = request.POST.get("reason", ""), request.POST.get("evidence_url", "")
    try:
        dispute = open_dispute(result=result, by=request.user, reason=reason, evidence_url=url)
    except REFUSALS as refused:
        return refused_page(request, pk, refused, Attempt("dispute", reason, url))
    return redirect(f"{where}#dispute-{dispute.pk}")


@require_POST
def dispute_retract(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("leaderboard:dispute_list"))
    dispute = get_object_or_404(Dispute, pk=pk, raised_by=request.user)
    result = get_object_or_404(Result, pk=dispute.result_id)
    try:
        retract_dispute(dispute=dispute, by=request.user)
    except REFUSALS as refused:
        return refused_page(request, result.pk, refused, Attempt(f"retract-{pk}"))
    return redirect(f"{reverse('leaderboard:result', args=[result.pk])}#dispute-{pk}")
