"""What /compare/ shows of published results, as its URL says it: results, models, filters, figures."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from leaderboard import metrics
from leaderboard.board import BoardQuery, BoardQueryError, parse_board_query

if TYPE_CHECKING:
    from django.http import QueryDict

MIN_COMPARED, MAX_COMPARED = 2, 8
MAX_METRICS = 8
DEFAULT_METRICS = (
    "tokens_per_joule",
    "throughput_tokens_per_s",
    "itl_ms_p50",
    "tpot_ms_mean",
    "cost_per_million_tokens_usd",
)
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
#: an id or an address that holds one
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """Up to eight results and models; of a model its best configuration within `filters` is shown."""

    results: tuple[uuid.UUID, ...] = ()
    models: tuple[str, ...] = ()
    #: those chosen, () for the usual ones
    metrics: tuple[str, ...] = ()
    filters: BoardQuery = field(default_factory=BoardQuery)

    @property
    def count(self) -> int:
        return len(self.results) + len(self.models)

    def parameters(self) -> Iterator[tuple[str, str]]:
        yield from (("result", str(pk)) for pk in self.results)
        yield from (("model", name) for name in self.models)
        yield from (("metric", name) for name in self.metrics)
        yield from self.filters.parameters()

    def url(self, path: str) -> str:
        pairs = list(self.parameters())
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def without_result(self, pk: uuid.UUID) -> Selection:
        return replace(self, results=tuple(one for one in self.results if one != pk))

    def without_model(self, name: str) -> Selection:
        return replace(self, models=tuple(one for one in self.models if one != name))


def read_selection(params: QueryDict) -> tuple[Selection, dict[str, str]]:
    """What the parameters ask for, and what is wrong with them: parameter -> one sentence. The rest holds."""
    problems: dict[str, str] = {}
    results = _results(params.getlist("result"), problems)
    names = [name.strip() for name in params.getlist("model") if name.strip() and "\x00" not in name]
    models = tuple(dict.fromkeys(name for name in names if len(name) <= MAX_TEXT))
    chosen = _metrics(params.getlist("metric"), problems)
    filters = _filters(params, problems)
    return Selection(results, models, chosen, filters), problems


def at_most(selection: Selection, problems: dict[str, str]) -> Selection:
    """The first eight; the problem names how many were left out."""
    if selection.count <= MAX_COMPARED:
        return selection
    results = selection.results[:MAX_COMPARED]
    models = selection.models[: MAX_COMPARED - len(results)]
    left_out = selection.count - len(results) - len(models)
    problems["result"] = f"At most {MAX_COMPARED} can stand side by side: the last {left_out} left out."
    return replace(selection, results=results, models=models)


def _results(texts: list[str], problems: dict[str, str]) -> tuple[uuid.UUID, ...]:
    """Ids, alone or in the address of a result."""
    found: dict[uuid.UUID, None] = {}
    for text in texts:
        match = _ID.search(text[:MAX_TEXT])
        if match:
            found[uuid.UUID(match[0])] = None
        elif text.strip():
            problems["result"] = f"“{text.strip()[:60]}” is neither the id nor the address of a result."
    return tuple(found)


def _metrics(names: list[str], problems: dict[str, str]) -> tuple[str, ...]:
    sortable = {metric.name for metric in metrics.SORTABLE}
    wrong = [name for name in names if name and name not in sortable]
    if wrong:
        problems["metric"] = f"“{wrong[0][:60]}” is no figure to compare."
    right = tuple(dict.fromkeys(name for name in names if name in sortable))
    if len(right) > MAX_METRICS:
        problems["metric"] = f"At most {MAX_METRICS} figures at once: the last {len(right) - MAX_METRICS} left out."
    return right[:MAX_METRICS]


def _filters(params: QueryDict, problems: dict[str, str]) -> BoardQuery:
    """The board's parameters, less what a comparison has in its own way."""
    good = params.copy()
    for name in ("model", "view", "columns", "limit", "cursor"):
        good.pop(name, None)
    try:
        return parse_board_query(good)
    except BoardQueryError as error:
        found: Mapping[str, str] = error.fields
        for name in found:
            good.pop(name, None)
        problems |= {name: f"{name} was left out: {message}." for name, message in found.items()}
        return parse_board_query(good)
