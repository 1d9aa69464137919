"""Pages of GPU hosts: public to read, with the steps of their operators."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.services.bans import Banned
from jobs.models import Agent, EnrolmentCode
from jobs.page_forms import EnrolForm, ReasonForm
from jobs.presenting.hosts import agent_page, host_row
from jobs.queries.hosts import connects, hosts, operable_by, recent_attempts, tokens_in_force
from jobs.services import agents as service
from lemsite.lib.htmx import render_page

STEPS: dict[str, tuple[Callable[..., object], str]] = {
    "drain": (service.drain, "Draining: it takes no new job."),
    "resume": (service.resume, "It takes new jobs again."),
    "quarantine": (service.quarantine, "Set aside: it takes no job until someone clears it."),
    "clear": (service.clear_quarantine, "Cleared: it takes jobs again."),
    "retire": (service.retire, "Retired: its tokens have stopped."),
}


@require_safe
def agent_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    with_retired = "retired" in request.GET
    rows = [host_row(agent, now) for agent in hosts(with_retired=with_retired)]
    context = {"rows": rows, "can_connect": connects(request.user), "with_retired": with_retired}
    return _fresh(request, render_page(request, "jobs/agent_list.html", "hosts", context))


@require_safe
def agent_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _fresh(request, render_page(request, "jobs/agent_detail.html", "standing", _context(request, pk)))


@login_required
@require_POST
def agent_step(request: HttpRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Drain, resume, quarantine, clear or retire."""
    agent = _operated(request, pk)
    run, done = STEPS[step]
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _refused(request, pk, "reason: at most 200 characters.")
    try:
        run(agent=agent, by=request.user, reason=form.cleaned_data["reason"])
    except service.NotAllowed as refused:
        return _refused(request, pk, str(refused))
    messages.success(request, done)
    return redirect("jobs:agent", pk=pk)


@login_required
@require_POST
@never_cache
def agent_rotate(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Close its tokens and show a new code, once."""
    agent = _operated(request, pk)
    try:
        row, plain = service.reissue_code(agent=agent, by=cast(User, request.user))
    except service.NotAllowed as refused:
        return _refused(request, pk, str(refused))
    return _code_page(request, row, plain)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def agent_enrol(request: HttpRequest) -> HttpResponse:
    """The answer to a POST is the only one that shows a code; reloading does not show it again."""
    user = cast(User, request.user)
    if not connects(user):
        raise Http404
    form = EnrolForm(request.POST or None)
    if form.is_valid():
        try:
            row, plain = service.issue_code(by=user, name=form.cleaned_data["name"])
        except (service.NameRefused, service.NotAllowed, Banned) as refused:
            form.add_error("name", str(refused).removeprefix("name: "))
        else:
            return _code_page(request, row, plain)
    return render(request, "jobs/agent_enrol.html", {"form": form}, status=422 if form.is_bound else 200)


def _code_page(request: HttpRequest, row: EnrolmentCode, plain: str) -> HttpResponse:
    site = f"{request.scheme}://{request.get_host()}"
    context = {"code": row, "plain": plain, "site": site, "until": f"{row.expires_at:%H:%M} UTC"}
    return render(request, "jobs/agent_code.html", context)


def _context(request: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    now = timezone.now()
    agent = get_object_or_404(hosts(with_retired=True), pk=pk)
    can_operate = operable_by(request.user).filter(pk=pk).exists()
    tokens = tokens_in_force(agent, now) if can_operate else ()
    page = agent_page(agent, recent_attempts(agent), now, can_operate=can_operate, tokens=tokens)
    return {"page": page}


def _operated(request: HttpRequest, pk: uuid.UUID) -> Agent:
    return get_object_or_404(operable_by(request.user), pk=pk)


def _refused(request: HttpRequest, pk: uuid.UUID, why: str) -> HttpResponse:
    messages.error(request, why)
    return render(request, "jobs/agent_detail.html", _context(request, pk), status=422)


def _fresh(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response
