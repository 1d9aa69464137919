from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import urlsplit

from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.services.bans import Banned
from leaderboard.community_pages import Attempt
from leaderboard.models import Submission
from leaderboard.presenting.charts.of_result import charts_of
from leaderboard.presenting.citing import Stamp, result_citations
from leaderboard.presenting.community import PAGE_PARAMETER, discussion
from leaderboard.presenting.embedding import result_share
from leaderboard.presenting.result import result_page
from leaderboard.queries.catalogue import results_with_everything
from leaderboard.queries.results import files_visible_to
from leaderboard.services.quotas import OverQuota
from leaderboard.services.steps import Refused
from leaderboard.services.storing import open_raw_file
from leaderboard.views.gone import gone_page

_STATUSES: dict[type[Exception], int] = {Banned: 403, OverQuota: 429, Refused: 422}
REFUSALS = (Banned, OverQuota, Refused)


@require_safe
def result_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _result_page(request, pk, page=request.GET.get(PAGE_PARAMETER))


def refused_page(
    request: HttpRequest, pk: uuid.UUID, refused: Exception, attempt: Attempt, *, where: str = ""
) -> HttpResponse:
    """The result's page again, with what was sent and why it can't be; `where` is the place it was sent from."""
    status = next(status for kind, status in _STATUSES.items() if isinstance(refused, kind))
    number = QueryDict(urlsplit(where).query).get(PAGE_PARAMETER)
    response = _result_page(request, pk, page=number, attempt=replace(attempt, message=str(refused)), status=status)
    if isinstance(refused, OverQuota):
        response["Retry-After"] = str(refused.retry_after_s)
    return response


def _result_page(
    request: HttpRequest,
    pk: uuid.UUID,
    *,
    page: str | None = None,
    attempt: Attempt | None = None,
    status: int = 200,
) -> HttpResponse:
    result = results_with_everything().visible_to(request.user).filter(pk=pk).first()
    if result is None:
        return gone_page(request, pk)
    is_mine = request.user.is_authenticated and result.submission.owner_id == request.user.pk
    context = {
        "page": result_page(result, is_mine=is_mine),
        "citations": result_citations(result, Stamp.now()),
        "talk": discussion(result, request.user, page=page, attempt=attempt),
        "charts": charts_of(result),
        "share": result_share(result.pk, str(result)) if result.is_ranked else None,
    }
    return render(request, "leaderboard/result_detail.html", context, status=status)


@require_safe
def raw_file(request: HttpRequest, submission_id: uuid.UUID, pk: int) -> FileResponse:
    """One file as it was given, less what was redacted; always a download, never shown as a page."""
    submission = get_object_or_404(Submission.objects.visible_to(request.user), pk=submission_id)
    raw = get_object_or_404(files_visible_to(request.user, submission), pk=pk)
    response = FileResponse(
        open_raw_file(raw),
        as_attachment=True,
        filename=raw.name.rsplit("/", 1)[-1],
        content_type="application/octet-stream",
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
