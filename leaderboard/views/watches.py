"""What one watches: models and hardware whose new results one is told of."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from leaderboard.models import Hardware, LanguageModel
from leaderboard.presenting.watching import watch_rows
from leaderboard.queries.watching import watches_of
from leaderboard.services import watching


@login_required
@require_safe
@never_cache
def watch_list(request: HttpRequest) -> HttpResponse:
    rows = watch_rows(watches_of(cast(User, request.user)))
    return render(request, "leaderboard/watch_list.html", {"watches": rows})


@login_required
@require_POST
def model_watch(request: HttpRequest, organisation: str, name: str) -> HttpResponse:
    return _change(request, model=get_object_or_404(LanguageModel, name=f"{organisation}/{name}"))


@login_required
@require_POST
def hardware_watch(request: HttpRequest, slug: str) -> HttpResponse:
    return _change(request, hardware=get_object_or_404(Hardware, slug=slug))


def _change(
    request: HttpRequest, *, model: LanguageModel | None = None, hardware: Hardware | None = None
) -> HttpResponse:
    """Watch, or watch no longer with `stop`; back to where the button was."""
    user, thing = cast(User, request.user), model or hardware
    if "stop" in request.POST:
        watching.unwatch(user=user, model=model, hardware=hardware)
        messages.success(request, f"You no longer watch {thing}.")
    else:
        try:
            watching.watch(user=user, model=model, hardware=hardware)
            messages.success(request, f"You watch {thing}: you are told of new results.")
        except watching.WatchRefused as error:
            messages.error(request, str(error))
    if "list" in request.POST:
        return redirect("leaderboard:watches")
    if model is not None:
        organisation, _, name = model.name.partition("/")
        return redirect("leaderboard:model", organisation, name)
    return redirect("leaderboard:hardware", cast(Hardware, hardware).slug)
