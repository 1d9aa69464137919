"""Pages of races: ordering one, and what its lanes do until it runs; the race itself is on /live/."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.services.bans import Banned
from jobs.presenting.races import host_choice, race_page, race_row
from jobs.queries.races import changeable_by, newest_races, racing_hosts, visible_to, with_lanes
from jobs.race_config import RaceOrder
from jobs.race_forms import RaceForm
from jobs.services.race_ordering import RaceRefused, cancel_race, order_race
from lemsite.lib.htmx import render_page


@require_safe
def race_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = [race_row(race, now) for race in newest_races()]
    return render(request, "jobs/race_list.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def race_new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    hosts = [host_choice(agent, now) for agent in racing_hosts()]
    form = RaceForm(request.POST if request.method == "POST" else None, hosts=hosts)
    order = form.order() if form.is_bound else None
    if order is not None and (response := _ordered(request, form, order)) is not None:
        return response
    status = 422 if form.is_bound else 200
    return render(request, "jobs/race_new.html", {"form": form, "has_hosts": bool(hosts)}, status=status)


def _ordered(request: HttpRequest, form: RaceForm, order: RaceOrder) -> HttpResponse | None:
    assert isinstance(request.user, User)  # noqa: S101 - login_required saw to it
    try:
        race = order_race(owner=request.user, order=order)
    except RaceRefused as refused:
        form.add_error(refused.field, str(refused))
    except Banned as banned:
        form.add_error(None, str(banned))
    else:
        return redirect("jobs:race", race.pk)
    return None


@require_safe
def race_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Its changing part asks for itself again until the race is over."""
    race = get_object_or_404(with_lanes(visible_to(request.user)), pk=pk)
    can_cancel = changeable_by(request.user).filter(pk=pk).exists()
    page = race_page(race, timezone.now(), can_cancel=can_cancel)
    response = render_page(request, "jobs/race_detail.html", "standing", {"page": page})
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


@login_required
@require_POST
def race_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    race = get_object_or_404(changeable_by(request.user), pk=pk)
    assert isinstance(request.user, User)  # noqa: S101 - login_required saw to it
    if cancel_race(race=race, by=request.user):
        messages.success(request, "The race is being cancelled.")
    else:
        messages.warning(request, "No lane was left to cancel.")
    return redirect("jobs:race", pk)
