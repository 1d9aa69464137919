"""Comments below a result. Each form is a plain POST that leads back to where it was."""

from __future__ import annotations

import uuid

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from leaderboard.community_pages import Attempt
from leaderboard.models import Comment
from leaderboard.presenting.community import place_of
from leaderboard.queries.catalogue import results_with_everything
from leaderboard.queries.community import comments_visible_to
from leaderboard.services.comments import add_comment, delete_comment, edit_comment, report_comment
from leaderboard.views.results import REFUSALS, refused_page


@require_safe
def comment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The lasting address of a comment: leads to it, on whichever page of the thread it is."""
    return redirect(place_of(get_object_or_404(comments_visible_to(request.user), pk=pk)))


@require_POST
def comment_add(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(f"{reverse('leaderboard:result', args=[pk])}#comments")
    result = get_object_or_404(results_with_everything().visible_to(request.user), pk=pk)
    text = request.POST.get("text", "")
    try:
        comment = add_comment(result=result, by=request.user, text=text)
    except REFUSALS as refused:
        return refused_page(request, pk, refused, Attempt("comment", text))
    return redirect(place_of(comment))


@require_POST
def comment_edit(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("leaderboard:comment", args=[pk]))
    comment = get_object_or_404(comments_visible_to(request.user), pk=pk, author=request.user)
    text = request.POST.get("text", "")
    try:
        edit_comment(comment=comment, by=request.user, text=text)
    except REFUSALS as refused:
        return refused_page(request, comment.result_id, refused, Attempt(f"edit-{pk}", text), where=place_of(comment))
    return redirect(place_of(comment))


@require_POST
def comment_delete(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("leaderboard:comment", args=[pk]))
    # Also where they no longer see the result.
    comment = get_object_or_404(Comment, pk=pk, author=request.user)
    try:
        delete_comment(comment=comment, by=request.user)
    except REFUSALS as refused:
        return refused_page(request, comment.result_id, refused, Attempt(f"delete-{pk}"), where=place_of(comment))
    return redirect(place_of(comment))


@require_POST
def comment_report(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("leaderboard:comment", args=[pk]))
    comment = get_object_or_404(comments_visible_to(request.user), pk=pk)
    reason = request.POST.get("reason", "")
    try:
        report_comment(comment=comment, by=request.user, reason=reason)
    except REFUSALS as refused:
        return refused_page(
            request, comment.result_id, refused, Attempt(f"report-{pk}", reason), where=place_of(comment)
        )
    return redirect(place_of(comment))
