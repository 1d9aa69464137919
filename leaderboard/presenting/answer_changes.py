"""What would change with another limit: "18 ms instead of 20 ms: 12 % dearer"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leaderboard import format as fmt
from leaderboard.analysis_pages import Change
from leaderboard.metrics import BY_NAME, Better
from leaderboard.models import Result
from leaderboard.presenting.answer_words import change_words, configuration, goal_value
from leaderboard.presenting.board import cell_value
from leaderboard.presenting.common import model_link
from leaderboard.queries.analysis import Answer
from leaderboard.question import Limit

#: a step of the frontier below this is not worth a sentence
WORTH_SAYING = 0.05


def changes(found: Answer, path: str) -> Iterator[Change]:
    """The next steps along the frontier on both sides of the answer, then each limit taken away."""
    if found.best is None:
        return
    limits = {column: limit for (column, _), limit in found.question.constraints.items()}
    tighter, looser = _sides(found, limits.get(found.axis))
    for side in (tighter, looser):
        step = _worth_saying(side, found)
        if step is not None:
            yield _along_axis(step, found, path)
    for key, result in found.without.items():
        yield _taken_away(key, result, found, path)


def _sides(found: Answer, limit: float | None) -> tuple[list[Result], list[Result]]:
    """The frontier from the answer on: towards what keeps a tighter limit, and beyond the limit."""
    best = _axis_value(found.best, found)
    is_low_best = BY_NAME[found.axis].better == Better.LOWER if found.axis else True
    if best is None:
        return [], []
    edge = best if limit is None else limit
    below = [result for result in found.frontier if (_axis_value(result, found) or 0) < min(best, edge)]
    above = [result for result in found.frontier if (_axis_value(result, found) or 0) > max(best, edge)]
    below.reverse()
    return (below, above) if is_low_best else (above, below)


def _worth_saying(side: Sequence[Result], found: Answer) -> Result | None:
    """The first that differs by more than a little, else the last."""
    best = goal_value(found.best, found.question) if found.best else None
    if not side or not best:
        return None
    for result in side:
        value = goal_value(result, found.question)
        if value and abs(value / best - 1) >= WORTH_SAYING:
            return result
    return side[-1]


def _along_axis(result: Result, found: Answer, path: str) -> Change:
    limit = next((limit for (column, _), limit in found.question.constraints.items() if column == found.axis), None)
    metric = BY_NAME[found.axis]
    value = _axis_value(result, found) or 0.0
    words = f"{metric.label} {fmt.number(value)} {metric.unit}".rstrip()
    instead = limit if limit is not None else _axis_value(found.best, found)
    words += f" instead of {fmt.exact(instead) if limit is not None else fmt.number(instead)}"
    url = found.question.limited(found.axis, value).url(path)
    return Change(f"{words}: {_effect(result, found)}.", url)


def _taken_away(key: Limit, result: Result, found: Answer, path: str) -> Change:
    label = BY_NAME[key[0]].label
    if found.best is not None and result.pk == found.best.pk:
        return Change(f"The limit on {label} costs nothing: without it the same comes first.", "")
    return Change(f"Without the limit on {label}: {_effect(result, found)}.", found.question.without(key).url(path))


def _effect(result: Result, found: Answer) -> str:
    """ "12 % dearer, with Llama 3.1 8B on 1 x H100 …"."""
    best = goal_value(found.best, found.question) if found.best else None
    effect = change_words(goal_value(result, found.question), best, found.question)
    return f"{effect}, with {model_link(result).label} on {configuration(result)}"


def _axis_value(result: Result | None, found: Answer) -> float | None:
    if result is None or not found.axis:
        return None
    return cell_value(result, BY_NAME[found.axis], found.question.ranked.prices)
