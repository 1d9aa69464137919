from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import condition, require_safe

from accounts.models import User
from leaderboard.board import BoardQueryError
from leaderboard.presenting.analysis import analysis_page
from leaderboard.presenting.asking import ask_form
from leaderboard.presenting.board import export_links
from leaderboard.queries.analysis import answer
from leaderboard.question import Question, parse_question
from leaderboard.views.board import own_prices, page_etag
from lemsite.lib.htmx import render_page, wants_fragment
from lemsite.lib.rendered_pages import kept


@require_safe
@condition(etag_func=page_etag)
@kept(page_etag)
def analysis(request: HttpRequest) -> HttpResponse:
    """One question, one answer; htmx gets the answer alone from the same address."""
    question, notices = read_question(request.GET)
    if isinstance(request.user, User):
        # Their page alone has these: it carries no ETag, and no shared cache may keep it.
        question = question.with_settings(own_prices(request.user))
    page = analysis_page(answer(question), notices)
    downloads = export_links(question.ranked.spelled_out())
    context = {"page": page, "chart": page.chart, "form": ask_form(question), "downloads": downloads}
    response = render_page(request, "leaderboard/analysis.html", "answer", context)
    if wants_fragment(request):
        response["HX-Push-Url"] = question.url(request.path)
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


def read_question(params: QueryDict) -> tuple[Question, list[str]]:
    """The question asked. Parameters that are wrong are left out, and the page says so."""
    try:
        return parse_question(params), []
    except BoardQueryError as error:
        good = params.copy()
        for name in error.fields:
            good.pop(name, None)
        notices = [f"{name} was left out: {message}." for name, message in error.fields.items()]
        return parse_question(good), notices
