from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from leaderboard import format as fmt
from leaderboard.models import Tombstone
from leaderboard.presenting.common import person_link
from leaderboard.queries.results import in_review_again


def gone_page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """410 with what was here, whose, when it went and why; 404 where nothing public ever was.

    200 without a figure where files were replaced and nobody has approved the new ones yet.
    """
    held = in_review_again(pk)
    if held is not None:
        result, since = held
        context = {
            "title": str(result),
            "owner": person_link(result.submission.owner),
            "published": fmt.day(result.submission.published_at),
            "since": fmt.day(since),
        }
        return render(request, "leaderboard/result_held.html", context)
    stone = get_object_or_404(Tombstone.objects.select_related("owner"), pk=pk)
    context = {
        "title": stone.title,
        "owner": person_link(stone.owner),
        "published": fmt.day(stone.published_at),
        "gone": fmt.day(stone.gone_at),
        "reason": stone.reason,
    }
    return render(request, "leaderboard/result_gone.html", context, status=410)
