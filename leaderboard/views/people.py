from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from leaderboard.presenting.people import person_page
from leaderboard.queries.people import public_people, public_results_of, public_submissions_of

ROWS = 50


@require_safe
def person_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Someone's public page: the same for everyone, its owner included."""
    person = get_object_or_404(public_people(), username=name)
    page = Paginator(public_results_of(person), ROWS).get_page(request.GET.get("page"))
    context = {"page": person_page(person, page, public_submissions_of(person).count(), timezone.now())}
    return render(request, "leaderboard/person_detail.html", context)
