"""/analysis/: one question, its answer, the frontier, the best of each model, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.analysis_pages import AnalysisPage, ModelRow
from leaderboard.chart_pages import ChartBlock
from leaderboard.charts import look
from leaderboard.metrics import BY_NAME
from leaderboard.models import Result
from leaderboard.pages import Link
from leaderboard.presenting import answer_counts, answer_none
from leaderboard.presenting.answer_changes import changes
from leaderboard.presenting.answer_words import (
    ASKED_WORDS,
    configuration,
    goal_label,
    goal_unit,
    goal_value,
    interval,
    limit_words,
    named,
)
from leaderboard.presenting.asking import kept
from leaderboard.presenting.assumptions import assumptions
from leaderboard.presenting.board import cell_value, filter_chips
from leaderboard.presenting.charts.block import chart_block
from leaderboard.presenting.charts.frontier import chart_of
from leaderboard.presenting.common import model_link
from leaderboard.queries.analysis import Answer
from leaderboard.question import TOKENS_PER_JOULE, Question

#: of the table behind the chart; its first are the frontier
MAX_ROWS = 50


def analysis_page(found: Answer, notices: Sequence[str] = ()) -> AnalysisPage:
    path = reverse("leaderboard:analysis")
    shown = found.instead or found
    asked, near = found.question, answer_none.closest(found)
    return AnalysisPage(
        question=question_words(asked),
        best=named(shown.best, shown.question, columns_of(shown)) if shown.best else None,
        why_none=list(answer_none.why_none(found)),
        closest=named(near, shown.question, columns_of(shown)) if near else None,
        ways_on=list(answer_none.ways_on(found, path)),
        instead=answer_none.instead_words(found),
        assumptions=list(assumptions(shown.best, asked)),
        changes=list(changes(shown, path)),
        chart=_chart(shown),
        models=[_model_row(result, shown, path) for result in shown.of_models],
        figure_head=look.with_unit(goal_label(shown.question), goal_unit(shown.question)),
        axis_head=look.metric_label(shown.axis) if shown.axis else "",
        models_cut=f"The {len(shown.of_models)} best of {shown.models:,} models."
        if shown.models > len(shown.of_models)
        else "",
        counts=list(answer_counts.counts(found, path)),
        chips=_chips(asked, path),
        kept=kept(asked),
        share_url=asked.url(path),
        private_share_url=asked.spelled_out().url(path) if asked.board.are_prices_private else "",
        board_url=replace(asked.ranked, view="best").url(reverse("leaderboard:list")),
        api_url=asked.url(reverse("api:analysis")),
        notices=notices,
    )


def question_words(question: Question) -> str:
    """ "Which configuration gives the most tokens per joule with ITL p50 at most 20 ms?" """
    limits = [limit_words(*key, limit) for key, limit in question.board.limits.items()]
    kept_to = f" with {' and '.join(limits)}" if limits else ""
    return f"Which configuration {ASKED_WORDS[question.goal]}{kept_to}?"


def columns_of(found: Answer) -> list[str]:
    """The metrics that stand beside the goal's: what is limited, and what the frontier is against."""
    limited = [column for column, _ in found.question.constraints]
    return list(dict.fromkeys([*limited, *([found.axis] if found.axis else [])]))


def _chart(found: Answer) -> ChartBlock | None:
    if not found.considered.results:
        return None
    question, chart = found.question, chart_of(found)
    block = chart_block(chart, QueryDict(urlencode(list(question.parameters()))))
    if len(chart.table.rows) > MAX_ROWS:
        cut = f"The frontier and what comes next, {MAX_ROWS} of {len(chart.table.rows):,} rows; the CSV file has all."
        block = replace(block, table=replace(block.table, rows=block.table.rows[:MAX_ROWS], cut=cut))
    if question.board.are_prices_private and question.metric.name != TOKENS_PER_JOULE:
        # Its own address would show other figures, and one with the figures would tell the reader's prices.
        return replace(block, csv_url="", page_url="", permalink="", embed="")
    return block


def _model_row(result: Result, found: Answer, path: str) -> ModelRow:
    question = found.question
    model = model_link(result)
    name = result.model.name if result.model else ""
    prices = question.ranked.prices
    return ModelRow(
        model=Link(model.label, question.narrowed(model=name).url(path)),
        named=named(result, question, columns_of(found)),
        configuration=configuration(result),
        figure=fmt.number(goal_value(result, question)),
        axis=fmt.number(cell_value(result, BY_NAME[found.axis], prices)) if found.axis else "",
        interval=interval(result, question),
        runs=fmt.count(result.runs, "run") if result.runs else "",
    )


def _chips(question: Question, path: str) -> list[Link]:
    """Each filter in force, with the question without it."""
    own = urlencode(list(question.own_parameters()))
    chips = filter_chips(replace(question.typed, sort="tokens_per_joule", descending=True), path)
    return [Link(chip.label, _joined(chip.url, own)) for chip in chips]


def _joined(url: str, query: str) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
