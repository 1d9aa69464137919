"""Why there is no answer, and where to go from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from leaderboard import format as fmt
from leaderboard.board import FACETS
from leaderboard.metrics import BY_NAME, Better
from leaderboard.models import Result
from leaderboard.pages import Link
from leaderboard.presenting.answer_words import GOAL_WORDS, goal_figure, goal_value, limit_words, metric_words
from leaderboard.presenting.board import cell_value
from leaderboard.queries.analysis import Answer
from leaderboard.queries.considered import LimitCount, emptying_facets


def why_none(found: Answer) -> Iterator[str]:
    """In sentences; nothing where there is an answer."""
    if found.best is not None:
        return
    considered = found.considered
    if not considered.results:
        yield "No result passes the filters."
        return
    if not considered.with_goal:
        yield f"None of {_results(found)} has a figure for {GOAL_WORDS[found.question.goal]}."
        return
    reasons = [reason for count in found.limits if (reason := _reason(count, found))]
    yield from reasons
    if not reasons:
        yield "Each limit is kept by some results, but no result keeps all of them."


def _reason(count: LimitCount, found: Answer) -> str:
    metric = BY_NAME[count.column]
    if not count.stated:
        return f"None of {_results(found)} states its {metric.label}, so of none can be said that it keeps the limit."
    if count.met:
        return ""
    reached = f"{fmt.number(count.reached)} {metric.unit}".rstrip()
    return f"No result keeps {limit_words(count.column, count.edge, count.limit)}: the best reaches {reached}."


def instead_words(found: Answer) -> str:
    """What is answered in place of what was asked; "" where it is the same."""
    other = found.instead
    if other is None:
        return ""
    metric, asked = BY_NAME[found.nearest], BY_NAME[found.unstated]
    words = (
        f"The nearest that some state is {metric.label}, which is not the same as {asked.label}: "
        f"{metric.label} is the {metric.meaning.partition(';')[0]}."
    )
    if other.best is None:
        return f"{words} {' '.join(why_none(other))}"
    return f"{words} By it, this comes first:"


def ways_on(found: Answer, path: str) -> Iterator[Link]:
    """What to take away, or what to ask instead."""
    shown = found.instead or found
    if shown.best is not None:
        return
    question = found.question
    if not found.considered.results:
        for name in emptying_facets(question):
            wider = replace(question, board=question.board.without_facet(name))
            yield Link(f"Any {FACETS[name].lower()}", wider.url(path))
        if question.board.q:
            wider = replace(question, board=replace(question.board, q=""))
            yield Link(f"Without “{question.board.q}”", wider.url(path))
        return
    near = closest(found)
    if near is not None:
        value = cell_value(near, BY_NAME[shown.axis], shown.question.ranked.prices)
        wider = shown.question.limited(shown.axis, value or 0.0)
        yield Link(f"Ask with {metric_words(near, shown.axis, shown.question.ranked.prices)}", wider.url(path))
    for key, result in shown.without.items():
        figure = goal_figure(goal_value(result, shown.question), shown.question)
        yield Link(f"Drop the limit on {BY_NAME[key[0]].label}: {figure}", shown.question.without(key).url(path))


def closest(found: Answer) -> Result | None:
    """Where nothing is within the limits, what comes nearest to the one that holds back most, within the others."""
    shown = found.instead or found
    if shown.best is not None or not shown.frontier or not any(key[0] == shown.axis for key in shown.without):
        return None
    return shown.frontier[0 if BY_NAME[shown.axis].better == Better.LOWER else -1]


def _results(found: Answer) -> str:
    amount = found.considered.results
    return f"the {amount:,} results" if amount > 1 else "the one result"
