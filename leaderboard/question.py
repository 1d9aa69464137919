"""The question that /analysis/ answers, as its URL says it: the leaderboard's filters, limits and prices, and a goal.

Page and API parse the same parameters with `parse_question`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from leaderboard.board import BoardQuery, BoardQueryError, Prices, parse_board_query
from leaderboard.metrics import BY_NAME, RANKED, Better, Metric

if TYPE_CHECKING:
    from django.http import QueryDict

GRID = Path(__file__).parent / "catalogue" / "grid.json"
#: what an answer may be the best by; the first is the default
TOKENS_PER_JOULE, GPU_TIME, ELECTRICITY, CO2 = GOALS = ("tokens_per_joule", "gpu_time", "electricity", "co2")
COST, GRAMS, JOULES = "cost_per_million_tokens_usd", "co2_g_per_million_tokens", "energy_per_output_token_j"
#: the board's own, which mean nothing to a question
NOT_ASKED = frozenset({"view", "sort", "columns", "limit", "cursor"})
#: how long or how much at most, or how fast at least: what a frontier can be drawn against
Limit = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    name: str
    co2_g_per_kwh: float
    year: int


@cache
def countries() -> dict[str, Country]:
    """The grid factors by code of the country, from the packaged table."""
    return {row["code"]: Country(**row) for row in _grid()["countries"]}


@cache
def grid_source() -> str:
    return str(_grid()["source"])


def _grid() -> Any:
    return json.loads(GRID.read_text(encoding="utf-8"))


# Without slots: pages ask for what follows from it a thousand times.
@dataclass(frozen=True)
class Question:
    """`board` holds filters, limits and prices as asked; a chosen country's grid factor is among the prices."""

    board: BoardQuery = field(default_factory=BoardQuery)
    goal: str = TOKENS_PER_JOULE
    country: str = ""
    #: the metric that the reader wants the frontier drawn against, "" for the one that suits
    against: str = ""

    @property
    def is_about_energy(self) -> bool:
        return self.goal != GPU_TIME

    @property
    def lacks(self) -> str:
        """The price without which the goal's own figure cannot be computed, "" where nothing is missing."""
        prices = self.board.prices
        if self.goal == ELECTRICITY and prices.usd_per_kwh is None:
            return "usd_per_kwh"
        return "co2_g_per_kwh" if self.goal == CO2 and prices.co2_g_per_kwh is None else ""

    @cached_property
    def ranked(self) -> BoardQuery:
        """The board in the order of the goal, best first, at the prices that the goal is about.

        Energy per token has the order of electricity and of carbon, so it stands in where a price is missing.
        """
        metric = {GPU_TIME: COST, ELECTRICITY: COST, CO2: GRAMS}.get(self.goal, TOKENS_PER_JOULE)
        prices = self.board.prices
        if self.goal == ELECTRICITY:
            prices = replace(prices, usd_per_gpu_hour=None)
        elif self.goal == GPU_TIME:
            prices = replace(prices, usd_per_kwh=None)
        if self.lacks:
            metric = JOULES
        is_high = BY_NAME[metric].better == Better.HIGHER
        return replace(self.board, view="all", sort=metric, descending=is_high, prices=prices, cursor=None)

    @cached_property
    def metric(self) -> Metric:
        return self.ranked.metric

    @property
    def constraints(self) -> dict[Limit, float]:
        """The limits that hold back what is best; other limits and all facets are filters."""
        goal = self.ranked.ranking
        return {key: limit for key, limit in self.board.limits.items() if _is_constraint(*key, self.ranked, goal)}

    def stored(self, metric: str) -> str:
        """The column in whose order this metric is, at the prices of the goal."""
        return replace(self.ranked, sort=metric).ranking

    def without(self, *limits: Limit) -> Question:
        kept = {key: limit for key, limit in self.board.limits.items() if key not in limits}
        return self._with(replace(self.board, limits=kept))

    def limited(self, column: str, limit: float) -> Question:
        """This question with this limit, in the direction that is not easy to keep."""
        edge = "max" if BY_NAME[column].better == Better.LOWER else "min"
        return self._with(replace(self.board, limits={**self.board.limits, (column, edge): limit}))

    def narrowed(self, **facets: str) -> Question:
        chosen = {name: (value,) for name, value in facets.items()}
        return self._with(replace(self.board, facets={**self.board.facets, **chosen}))

    def narrowed_to(self, facet: str, values: tuple[str, ...]) -> Question:
        return self._with(replace(self.board, facets={**self.board.facets, facet: values}))

    def with_settings(self, own: Prices) -> Question:
        return self._with(self.board.with_settings(own))

    def spelled_out(self) -> Question:
        """So that its address gives the same figures to anyone."""
        return self._with(self.board.spelled_out())

    def _with(self, board: BoardQuery) -> Question:
        return replace(self, board=board)

    @property
    def typed(self) -> BoardQuery:
        """The board as its address says it: without the grid factor that follows from the country."""
        if not self.country:
            return self.board
        return replace(self.board, prices=replace(self.board.prices, co2_g_per_kwh=None))

    def own_parameters(self) -> Iterator[tuple[str, str]]:
        """What the board's address does not have, without what is the default."""
        if self.country:
            yield "country", self.country
        if self.goal != GOALS[0]:
            yield "goal", self.goal
        if self.against:
            yield "against", self.against

    def parameters(self) -> Iterator[tuple[str, str]]:
        """The query string of this question, without what is the default."""
        yield from (pair for pair in self.typed.parameters() if pair[0] not in NOT_ASKED)
        yield from self.own_parameters()

    def url(self, path: str) -> str:
        pairs = list(self.parameters())
        return f"{path}?{urlencode(pairs)}" if pairs else path


def parse_question(params: QueryDict) -> Question:
    """The question that the parameters describe. Raises BoardQueryError naming every field that is wrong."""
    errors: dict[str, str] = {}
    board = BoardQuery()
    try:
        board = parse_board_query(params)
    except BoardQueryError as error:
        errors = {name: words for name, words in error.fields.items() if name not in NOT_ASKED}
    goal = params.get("goal", "").strip() or GOALS[0]
    if goal not in GOALS:
        errors["goal"] = f"{goal[:40]!r} is not one of {', '.join(GOALS)}"
    code = params.get("country", "").strip().upper()
    if code and code not in countries():
        errors["country"] = f"{code[:40]!r} is not the code of a country of {grid_source()}"
    against = params.get("against", "").strip()
    if against and against not in RANKED:
        errors["against"] = f"{against[:40]!r} is not a metric to draw a frontier against"
    if errors:
        raise BoardQueryError(errors)
    if code and board.prices.co2_g_per_kwh is None:
        grid = countries()[code].co2_g_per_kwh
        board = replace(board, prices=replace(board.prices, co2_g_per_kwh=grid))
    else:
        code = ""
    return Question(replace(board, cursor=None), goal, code, against)


def _is_constraint(column: str, edge: str, ranked: BoardQuery, goal: str) -> bool:
    metric = BY_NAME[column]
    if metric.better is None or (edge == "max") != (metric.better == Better.LOWER):
        return False
    stored = replace(ranked, sort=column).ranking
    return stored in RANKED and stored != goal
