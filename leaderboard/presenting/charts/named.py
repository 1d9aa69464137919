"""Results that the address of a chart names, result=…, once or more."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.http import Http404

from leaderboard.board import BoardQueryError
from leaderboard.models import Result
from leaderboard.presenting.common import backend_words, batch_words, gpu_words, model_link

if TYPE_CHECKING:
    from django.http import QueryDict

PARAMETER = "result"
CHOOSE = "Choose a result: its page on the leaderboard has this chart, and the address names it as result=…"


def named_results(params: QueryDict, most: int) -> list[Result]:
    """The ranked results that are asked for, in that order; 404 for one that the public does not see."""
    try:
        asked = list(dict.fromkeys(uuid.UUID(text) for text in params.getlist(PARAMETER) if text))
    except ValueError as error:
        raise BoardQueryError({PARAMETER: "it is the id of a result, as its address has it"}) from error
    if len(asked) > most:
        raise BoardQueryError({PARAMETER: f"at most {most} results"})
    rows = Result.objects.ranked().select_related("model", "hardware", "backend", "submission").in_bulk(asked)
    if missing := [pk for pk in asked if pk not in rows]:
        raise Http404(f"no result {missing[0]}")
    return [rows[pk] for pk in asked]


def title_of(result: Result) -> str:
    return f"{model_link(result).label} on {gpu_words(result)}"


def detail_of(result: Result) -> str:
    batch = batch_words(result)
    parts = (backend_words(result), result.precision, f"batch {batch}" if batch else "")
    return ", ".join(part for part in parts if part)
