"""Pages of jobs. Each is right as the server sends it; what is open asks for its changing part again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from accounts.models import User
from jobs.models import Attempt, AttemptState, Job
from jobs.page_forms import JobFilterForm, PriorityForm, ReasonForm, StretchForm, WatchForm
from jobs.presenting.job import job_page
from jobs.presenting.queue import history_table, queue_page
from jobs.presenting.telemetry import series
from jobs.queries.hosts import hosts
from jobs.queries.jobs import (
    count_waiting,
    history_page,
    job_with_attempts,
    queue,
    recorded_attempt,
    visible_results,
)
from jobs.queries.logs import attempt_log, log_part
from jobs.queries.records import samples_of
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.moderating import hold_job, release_job, set_priority
from lemsite.lib.htmx import render_page, wants_fragment

#: of a log, in one answer; whoever follows asks again
STRETCH_BYTES = 1 << 20


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The queue, which asks for itself again, and the history with its filters."""
    now = timezone.now()
    viewer = request.user if isinstance(request.user, User) else None
    agents = list(hosts())
    context: dict[str, Any] = {"queue": queue_page(queue(), agents, count_waiting(), user=viewer, now=now)}
    if not wants_fragment(request):
        form = JobFilterForm(request.GET)
        wanted, before = form.filter(), form.before_id
        jobs, following = history_page(wanted, before)
        seen = visible_results(jobs, request.user)
        where: dict[str, Any] = {"path": request.path, "following": following, "is_first": before is None}
        context |= {"form": form, "history": history_table(jobs, wanted, seen, now=now, **where)}
    return _fresh(request, render_page(request, "jobs/job_list.html", "queue", context))


@require_safe
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_with_attempts(pk)
    return _fresh(request, render(request, "jobs/job_detail.html", _context(request, job)))


@require_safe
def job_status(request: HttpRequest, pk: int) -> HttpResponse:
    """The changing part of a job's page, and the rest of it where something happened since the page was made."""
    context = _context(request, job_with_attempts(pk), is_watching=True)
    page, asked = context["page"], _watched(request)
    context["has_news"] = asked.get("at") != page.status.version
    context["has_new_record"] = page.record is not None and page.record.number != asked.get("attempt")
    response = _fresh(request, render(request, "jobs/_status_answer.html", context))
    return response if page.status.url else HttpResponseStopPolling(response.content)


@require_safe
def job_log(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """The log's bytes as the host sent them: all of them, or a stretch for whoever follows."""
    attempt = _attempt(pk, number)
    form = StretchForm(request.GET)
    form.is_valid()
    after = form.cleaned_data.get("after")
    response: HttpResponseBase
    if after is None:
        response = StreamingHttpResponse(attempt_log(attempt), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="job-{pk}-attempt-{number}.log"'
    else:
        content = log_part(attempt, after, STRETCH_BYTES)
        response = HttpResponse(content, content_type="text/plain; charset=utf-8")
        response["X-Log-Next"] = str(after + len(content))
        # One that was long ago has no bytes left.
        is_all = not content or after + len(content) >= attempt.log_bytes
        response["X-Log-Over"] = "1" if _is_over(attempt) and is_all else "0"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def job_series(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Points of the charts: {"lanes", "x", "fields", "next", "every", "over"}; ?after= for those that came since."""
    attempt = _attempt(pk, number)
    form = StretchForm(request.GET)
    form.is_valid()
    after = form.cleaned_data.get("after") or 1
    response = JsonResponse(series(samples_of(attempt, after)) | {"over": _is_over(attempt)})
    if attempt.state == AttemptState.DONE:
        patch_cache_control(response, public=True, max_age=300)
        return response
    return _fresh(request, response)


@login_required
@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.changeable_by(request.user), pk=pk)
    return _take(request, job, lambda **who: cancel_job(job=job, **who), "Cancellation asked for.")


@login_required
@require_POST
def job_hold(request: HttpRequest, pk: int) -> HttpResponse:
    job = _moderated(request, pk)
    return _take(request, job, lambda **who: hold_job(job=job, **who), "Held.")


@login_required
@require_POST
def job_release(request: HttpRequest, pk: int) -> HttpResponse:
    job = _moderated(request, pk)
    return _take(request, job, lambda **who: release_job(job=job, **who), "Released: it waits in the queue.")


@login_required
@require_POST
def job_priority(request: HttpRequest, pk: int) -> HttpResponse:
    job = _moderated(request, pk)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        return _refused(request, job, "priority: a whole number from -100 to 100.")
    priority = form.cleaned_data["priority"]
    return _take(request, job, lambda **who: set_priority(job=job, priority=priority, **who), f"Priority {priority}.")


def _context(request: HttpRequest, job: Job, *, is_watching: bool = False) -> dict[str, Any]:
    """?attempt= chooses whose log and charts are shown; a page that watches goes on to the next one by itself."""
    asked = _watched(request)
    is_pinned = bool(asked.get("pinned") if is_watching else asked.get("attempt"))
    record = recorded_attempt(job, asked.get("attempt") if is_pinned else None)
    if is_pinned and record is None:
        raise Http404
    results = visible_results([job], request.user)
    page = job_page(job, record, results, viewer=request.user, now=timezone.now())
    return {"page": page, "is_pinned": is_pinned}


def _watched(request: HttpRequest) -> dict[str, Any]:
    form = WatchForm(request.GET)
    form.is_valid()
    return form.cleaned_data


def _take(request: HttpRequest, job: Job, step: Callable[..., object], done: str) -> HttpResponse:
    """One decision about a job, with its reason; refused where the job has gone on since."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _refused(request, job, "reason: at most 200 characters.")
    try:
        step(by=request.user, reason=form.cleaned_data["reason"])
    except JobRefused as refused:
        return _refused(request, job, str(refused))
    messages.success(request, done)
    return redirect("jobs:detail", pk=job.pk)


def _refused(request: HttpRequest, job: Job, why: str) -> HttpResponse:
    messages.error(request, why)
    fresh = job_with_attempts(job.pk)
    return render(request, "jobs/job_detail.html", _context(request, fresh), status=422)


def _moderated(request: HttpRequest, pk: int) -> Job:
    if not (isinstance(request.user, User) and request.user.is_moderator):
        raise Http404
    return get_object_or_404(Job, pk=pk)


def _attempt(pk: int, number: int) -> Attempt:
    ran = Attempt.objects.select_related("job").filter(job=pk, accepted_at__isnull=False)
    return get_object_or_404(ran, number=number)


def _is_over(attempt: Attempt) -> bool:
    """Whether nothing more of it will come: a lost one may be taken up again until its job has gone on."""
    if attempt.state == AttemptState.LOST:
        return attempt.job.is_over or attempt.job.attempts.filter(number__gt=attempt.number).exists()
    return attempt.state not in (AttemptState.RUNNING, AttemptState.UPLOADING)


def _fresh(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response
