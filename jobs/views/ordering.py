"""The builder of energy benchmarks, and the order to verify somebody's result."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.services.bans import Banned
from jobs.forms import OrderForm
from jobs.models import Job
from jobs.presenting.ordering import Plan, field_groups, plan_of
from jobs.presets import BY_NAME, PRESETS, Beginning, of_cell, of_job, of_result
from jobs.queries.matching import matching_agents, only_simulated_hosts, place_if_ordered
from jobs.services.ordering import OrderRefused, draft_job, order_job
from jobs.services.verifying import VerifyRefused, verify_result
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.services.quotas import OverQuota
from lemsite.lib.htmx import render_page, wants_fragment

#: answered instead of the new job
_REFUSED = {Banned: 403, OverQuota: 429}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def job_new(request: HttpRequest) -> HttpResponse:
    """The builder. What is typed comes here as htmx and gets the plan alone; only the button "order" orders."""
    user = cast(User, request.user)
    if request.method != "POST":
        beginning = _beginning(request)
        form = _form(initial=OrderForm.initial_of(beginning.fields))
        return _page(request, form, _first_plan(user, beginning), beginning=beginning)
    form = _form(request.POST)
    is_order = "order" in request.POST and not wants_fragment(request)
    if is_order and form.is_valid():
        return _order(request, form)
    plan = _plan(user, form)
    # What is typed is not refused, only told about.
    return _page(request, form, plan, status=200 if plan or wants_fragment(request) else 422)


@login_required
@require_POST
def result_verify(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Run the configuration of a result once more, with a seed that the site draws."""
    result = get_object_or_404(Result.objects.visible_to(request.user), pk=pk)
    try:
        job = verify_result(result=result, by=cast(User, request.user))
    except (Banned, OverQuota, VerifyRefused) as refused:
        messages.error(request, str(refused))
        return redirect("leaderboard:result", pk)
    messages.success(request, f"Job {job.pk} runs this configuration again and compares.")
    return redirect("jobs:detail", job.pk)


def _order(request: HttpRequest, form: OrderForm) -> HttpResponse:
    user = cast(User, request.user)
    copied_from = _job_named(request.POST.get("copied_from", ""))
    try:
        job = order_job(owner=user, order=form.order, simulate=form.cleaned_data["simulate"], copied_from=copied_from)
    except OrderRefused as refused:
        _tell(form, refused)
        return _page(request, form, None, status=422)
    except (Banned, OverQuota) as refused:
        form.refuse("", str(refused))
        response = _page(request, form, None, status=_REFUSED[type(refused)])
        if isinstance(refused, OverQuota):
            response["Retry-After"] = str(refused.retry_after_s)
        return response
    messages.success(request, f"Job {job.pk} is ordered.")
    return redirect("jobs:detail", job.pk)


def _plan(user: User, form: OrderForm) -> Plan | None:
    """What the form amounts to; None, with the form's errors, where it cannot be ordered."""
    if not form.is_valid():
        return None
    now = timezone.now()
    try:
        job, told = draft_job(owner=user, order=form.order, simulate=form.cleaned_data["simulate"])
    except OrderRefused as refused:
        _tell(form, refused)
        return None
    return plan_of(job, form.order, told, place=place_if_ordered(job, now), hosts=matching_agents(job, now))


def _first_plan(user: User, beginning: Beginning) -> Plan | None:
    """For a page that begins with a whole order; one without a model has nothing to plan yet."""
    if not beginning.fields.get("model"):
        return None
    shown = OrderForm.initial_of(beginning.fields)
    return _plan(user, _form({name: value for name, value in shown.items() if value not in (None, False)}))


def _tell(form: OrderForm, refused: OrderRefused) -> None:
    for name, words in refused.fields.items():
        form.refuse(name, words)


def _form(*args: Any, **kwargs: Any) -> OrderForm:
    return OrderForm(*args, hardware=Hardware.objects.order_by("vendor", "name").values_list("slug", "name"), **kwargs)


def _beginning(request: HttpRequest) -> Beginning:
    """From a result, a job, a preset, or the settings of an empty cell: whichever the address names."""
    asked = request.GET
    if result := _result_named(request, asked.get("from_result", "")):
        return of_result(result)
    if job := _job_named(asked.get("from_job", "")):
        return of_job(job)
    fields: dict[str, Any] = dict(BY_NAME[asked["preset"]].fields) if asked.get("preset") in BY_NAME else {}
    wanted = {"model": asked.get("model", "")[:200], "hardware": asked.get("hardware", "")[:60]}
    fields["simulate"] = only_simulated_hosts(timezone.now())
    return Beginning(fields | of_cell(asked.dict()) | {name: value for name, value in wanted.items() if value})


def _result_named(request: HttpRequest, text: str) -> Result | None:
    try:
        pk = uuid.UUID(text)
    except ValueError:
        return None
    rows = Result.objects.visible_to(request.user).select_related("model", "hardware", "backend")
    return rows.filter(pk=pk).first()


def _job_named(text: str) -> Job | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Job.objects.filter(pk=int(text), kind="llem").first()


def _page(
    request: HttpRequest,
    form: OrderForm,
    plan: Plan | None,
    *,
    beginning: Beginning | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "groups": field_groups(form),
        "plan": plan,
        "notes": beginning.notes if beginning else (),
        "presets": PRESETS,
        "model": form["model"].value(),
        "copied_from": request.POST.get("copied_from", "") or request.GET.get("from_job", ""),
    }
    if not wants_fragment(request):
        context["models"] = LanguageModel.objects.order_by(Lower("name")).values_list("name", "title")
    return render_page(request, "jobs/job_new.html", "plan", context, status=status)
