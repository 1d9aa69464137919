"""One model and one GPU for the charts that are about one pair: as the address says, else the most measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.board import BoardQuery, parse_board_query
from leaderboard.models import Result
from leaderboard.presenting.charts.asking import chosen, in_one_scope, metric_choice, trust_note
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.queries.charted import Figure, Pairs, figure, having, measured_pairs

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import QueryDict

METRICS = (
    "tokens_per_joule",
    "energy_per_output_token_j",
    "throughput_tokens_per_s",
    "cost_per_million_tokens_usd",
    "ttft_ms_p50",
    "itl_ms_p50",
    "tpot_ms_mean",
    "avg_power_w",
    "peak_memory_mb",
)
METRIC = metric_choice("metric", "Metric", METRICS)
#: more options than anyone reads; the leaderboard's search finds the others
MAX_OPTIONS = 60
SIDES = ("model", "hardware")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a chart is about: the results of one model on one GPU, or of those that the reader chose."""

    query: BoardQuery
    figure: Figure
    #: "Llama 3.1 8B on H100 SXM"; the names of the address where a chart takes several, "" where it has several
    title: str
    #: name and slug, "" where there are several
    model: str
    hardware: str
    notes: tuple[str, ...]

    @property
    def rows(self) -> QuerySet[Result]:
        return having(self.query, self.figure.column)


def subject_of(params: QueryDict, metric: str, *, is_one_pair: bool = True, along: str = "") -> Subject:
    """`is_one_pair`: one model and one GPU even where the reader named one of them alone, or several.

    `along`: a column, of which the pair that nobody named has most values.
    """
    query = parse_board_query(params)
    shown = figure(metric, query.prices)
    named = [query.facets.get(side, ()) for side in SIDES]
    notes: list[str] = []
    titles: Mapping[str, str] = {}
    if is_one_pair or not any(named):
        pairs = measured_pairs(_of_any_pair(query), shown.column, along)
        pair, titles = pairs.most_measured(*named), pairs.titles
        if pair is not None:
            facets = {**query.facets, **{side: (name,) for side, name in zip(SIDES, pair, strict=True)}}
            query = replace(query, facets=facets, cursor=None)
            notes += _default_note(pairs, named, along)
    query, scope_note = _in_a_single_scope(query, metric)
    model, hardware = (_only(query.facets.get(side, ())) for side in SIDES)
    title = " on ".join(titles.get(name, name) for name in (model, hardware) if name)
    found = tuple(note for note in (*notes, scope_note, trust_note(query)) if note)
    return Subject(query, shown, title, model, hardware, found)


def pair_choices(params: QueryDict, metric: str = "") -> list[Choice]:
    """Selects of the models and GPUs that have results; none chosen is the most measured."""
    query = parse_board_query(params)
    metric = metric or chosen(params, METRIC)
    pairs = measured_pairs(_of_any_pair(query), figure(metric, query.prices).column)
    return [
        Choice(name, label, [("", "the most measured"), *_options(pairs, side, query.facets.get(name, ()))])
        for side, (name, label) in enumerate((("model", "Model"), ("hardware", "GPU")))
    ]


def _options(pairs: Pairs, side: int, named: Sequence[str]) -> Iterator[tuple[str, str]]:
    measured = pairs.by(side)
    missing = [(name, 0) for name in named if name not in dict(measured)]
    shown = [*measured[:MAX_OPTIONS], *(each for each in measured[MAX_OPTIONS:] if each[0] in named), *missing]
    for name, count in sorted(shown, key=lambda each: pairs.titles.get(each[0], each[0]).lower()):
        yield name, f"{pairs.titles.get(name, name)} ({count:,})"


def _of_any_pair(query: BoardQuery) -> BoardQuery:
    """The same filters but for the pair, in one spelling, so that the counts are kept once."""
    facets = {name: values for name, values in query.facets.items() if name not in SIDES}
    blank = BoardQuery()
    return replace(query, facets=facets, cursor=None, sort=blank.sort, descending=True, columns=blank.columns,
                   limit=blank.limit, view=blank.view)  # fmt: skip


def _default_note(pairs: Pairs, named: Sequence[Sequence[str]], along: str) -> list[str]:
    words = ("model", "GPU")
    most = f"most values of {along.replace('_', ' ').replace('gpu', 'GPU')}" if along else "most results"
    several = [f"{words[side]}s" for side in (0, 1) if len(named[side]) > 1]
    unnamed = [words[side] for side in (0, 1) if not named[side]]
    notes = []
    if unnamed:
        others = [len(pairs.by(side)) - 1 for side in (0, 1) if not named[side]]
        counts = [fmt.count(others[i], f"other {unnamed[i]}") for i in range(len(unnamed)) if others[i] > 0]
        left = f"; {' and '.join(counts)} can be chosen above" if counts else ""
        notes.append(f"The {' and '.join(unnamed)} with {most}{left}.")
    if several:
        notes.append(f"Of the {' and '.join(several)} chosen, the one with {most}.")
    return notes


def _in_a_single_scope(query: BoardQuery, metric: str) -> tuple[BoardQuery, str]:
    """Best values and means are never taken over two scopes, even where the reader chose two."""
    scopes = query.facets.get("energy_scope", ())
    if len(scopes) < 2:
        return in_one_scope(query, (metric,))
    for scope in scopes:
        one = replace(query, facets={**query.facets, "energy_scope": (scope,)})
        if having(one, figure(metric, query.prices).column).exists():
            others = [other for other in scopes if other != scope]
            return one, f"Energy scope {scope} only; not comparable with {', '.join(others)}."
    return query, ""


def _only(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else ""


def request_url(**settings: str | int | None) -> str:
    """Where this run can be ordered; what is not known is left out."""
    known = {name: value for name, value in settings.items() if value not in ("", None)}
    return f"{reverse('jobs:new')}?{urlencode(known)}"
