"""Query parameters: read strictly, because a mistyped one that is passed over gives a wrong answer unseen."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from django.http import QueryDict
from rest_framework import status as http

from leaderboard.board import FACETS, LIMITED, BoardQuery, BoardQueryError, Prices, parse_board_query
from lemsite.lib.api_errors import ApiError

BOARD_PARAMETERS: tuple[str, ...] = (
    "view",
    "sort",
    "q",
    "min_trust",
    "columns",
    "limit",
    "cursor",
    *FACETS,
    *Prices.__slots__,
    *(f"{column}_{edge}" for column in LIMITED for edge in ("min", "max")),
)
PRICE_PARAMETERS = tuple(Prices.__slots__)
_WORDS = {"1": True, "true": True, "yes": True, "": False, "0": False, "false": False, "no": False}


def read_board_query(params: QueryDict) -> BoardQuery:
    """The board that the parameters describe, or 400 naming every parameter that is wrong."""
    refuse_unknown(params, BOARD_PARAMETERS)
    try:
        return parse_board_query(params)
    except BoardQueryError as error:
        names = ", ".join(error.fields)
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"Not right: {names}.", error.fields) from None


def read_columns(params: QueryDict, query: BoardQuery) -> tuple[str, ...] | None:
    """The metrics that the reader chose, None for all of them."""
    return query.columns if params.getlist("columns") else None


def read_prices(params: QueryDict) -> Prices:
    """The reader's own prices and grid, where one result is asked for."""
    refuse_unknown(params, PRICE_PARAMETERS)
    return read_board_query(params).prices


def refuse_unknown(names: Collection[str] | QueryDict, known: Collection[str], what: str = "parameter") -> None:
    """400 naming each unknown name and the known ones that are spelled like it."""
    fields = {name[:80]: _suggest(name[:80], known) for name in names if name not in known}
    if fields:
        first = next(iter(fields))
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"There is no {what} {first!r}; {fields[first]}.", fields)


def read_flag(name: str, text: str) -> bool:
    flag = _WORDS.get(text.strip().lower())
    if flag is None:
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"{name} must be 1 or 0.", {name: "1 or 0"})
    return flag


def _suggest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"perhaps {' or '.join(close)}"
    shown = list(known)[:20]
    return f"known are {', '.join(shown)}{' and others' if len(known) > len(shown) else ''}"
