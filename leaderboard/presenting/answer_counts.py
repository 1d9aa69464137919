"""How many results an answer rests on, how many were left out, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from leaderboard import format as fmt
from leaderboard.analysis_pages import Counted
from leaderboard.metrics import BY_NAME
from leaderboard.models import Trust
from leaderboard.pages import Link
from leaderboard.presenting.answer_words import GOAL_WORDS, SCOPES, limit_words
from leaderboard.queries.analysis import Answer
from leaderboard.queries.considered import LimitCount
from leaderboard.question import GPU_TIME, Question


def counts(found: Answer, path: str) -> Iterator[Counted]:
    question, considered = found.question, found.considered
    scope = f", with {SCOPES.get(considered.scope, 'one energy scope')}" if considered.scope is not None else ""
    yield Counted(f"{fmt.count(considered.results, 'result')} considered: they pass the filters{scope}.")
    without = considered.results - considered.with_goal
    if without:
        yield Counted(f"{fmt.count(without, 'result')} left out: {_lacking(question)}.")
    limits = [*found.limits, *(count for count in (found.instead.limits if found.instead else ()))]
    for count in dict.fromkeys(limits if considered.results else ()):
        yield Counted(_limit(count, considered.results))
    if considered.other_scopes:
        every = question.narrowed_to("energy_scope", ("gpu", "node", "wall", "unknown"))
        what = f"{fmt.count(considered.other_scopes, 'result')} of another energy scope left out: not comparable."
        yield Counted(what, Link("Compare them nevertheless", every.url(path)))
    if considered.hidden_by_trust:
        yield Counted(f"{fmt.count(considered.hidden_by_trust, 'result')} hidden by trust.", _all_trust(question, path))


def _lacking(question: Question) -> str:
    if question.goal != GPU_TIME:
        return f"no figure for {GOAL_WORDS[question.goal]}" if question.lacks == "" else "no energy per token"
    if question.board.prices.usd_per_gpu_hour is None:
        return "no throughput, no GPU count, or no price of the GPU in the catalogue"
    return "no throughput or no GPU count"


def _limit(count: LimitCount, considered: int) -> str:
    metric, unstated = BY_NAME[count.column], considered - count.stated
    limit = limit_words(count.column, count.edge, count.limit)
    if not count.stated:
        return f"{limit}: no result states {metric.label}; all are left out, never guessed."
    words = f"{limit}: kept by {count.met:,} of {count.stated:,} that state it"
    if not unstated:
        return f"{words}."
    does, is_ = ("does", "is") if unstated == 1 else ("do", "are")
    return f"{words}; {unstated:,} {does} not state {metric.label} and {is_} left out, never guessed."


def _all_trust(question: Question, path: str) -> Link:
    board = replace(question.board.without_facet("trust"), min_trust=Trust.SELF_REPORTED)
    return Link("Show them", replace(question, board=board).url(path))
