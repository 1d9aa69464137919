"""What a page asks several times while it is made, such as the ids behind a filter, is asked of the database once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


def asking_once(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """For what only reads: answers of `once` are kept while `view` is at work, and forgotten with it."""

    @wraps(view)
    def asking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        token = _answers.set({})
        try:
            return view(*args, **kwargs)
        finally:
            _answers.reset(token)

    return asking


def once(key: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer of `ask`, which is the same for equal keys. Outside `asking_once` it is asked each time."""
    known = _answers.get()
    if known is None:
        return ask()
    if key not in known:
        known[key] = ask()
    return cast("Answer", known[key])
