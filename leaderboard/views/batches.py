from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from leaderboard.exports import csv_table
from leaderboard.models import UploadBatch
from leaderboard.presenting.owning import batch_page
from lemsite.lib.htmx import render_page


@login_required
@require_safe
def batch_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How far an upload of many files has been read; the page asks again each second."""
    context = {"page": batch_page(_own(request, pk))}
    return render_page(request, "leaderboard/batch_detail.html", "progress", context)


@login_required
@require_safe
def batch_refused(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What could not be used, as CSV."""
    batch = _own(request, pk)
    lines = csv_table(("file", "message"), ((row["file"], row["message"]) for row in batch.refused))
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="refused.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _own(request: HttpRequest, pk: uuid.UUID) -> UploadBatch:
    return get_object_or_404(UploadBatch, pk=pk, owner_id=request.user.pk)
