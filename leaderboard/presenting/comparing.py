"""The published results on /compare/: the context first, then figures with intervals and what can be told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.models import User
from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.analysis.comparing import split_by_difference
from leaderboard.board import Prices
from leaderboard.comparing_pages import ComparedItem, ComparisonPage, MetricChoice, SettingRow
from leaderboard.models import Result
from leaderboard.presenting.charts.asking import in_one_scope
from leaderboard.presenting.citing import Stamp, comparison_citations
from leaderboard.presenting.common import backend_words, batch_words, result_url, trust_badge
from leaderboard.presenting.comparing_figures import compared_metrics, figure_block, item_title
from leaderboard.presenting.comparing_words import LETTERS, context, noun, verdict
from leaderboard.presenting.result import CONFIGURATION, configuration_value
from leaderboard.queries.comparing import best_of_models, compared_results, measured_models
from leaderboard.selection import MAX_COMPARED, MIN_COMPARED, Selection, at_most, read_selection

if TYPE_CHECKING:
    from django.http import QueryDict

#: what says when and under which name it was measured, not how
NOT_SETTINGS = ("started_at", "ended_at", "config_hash", "runs", "success_rate")
SETTINGS = {name: words for name, words in CONFIGURATION.items() if name not in NOT_SETTINGS}
#: more models than a list of suggestions should have
MAX_SUGGESTIONS = 300
CAUTION = "Each pair is tested by itself: of twenty equal pairs one comes out as a clear difference by chance."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asked for, as far as it is there: each result with the model it stands for, if any."""

    selection: Selection
    rows: Sequence[tuple[Result, str]]
    problems: Sequence[str]
    #: parameter -> sentence, for the API
    fields: Mapping[str, str]
    #: in which energy scope the best of each model was looked for, or ""
    scope_note: str = ""
    #: model names that mean something elsewhere on the page, and whatever else the address says to that part
    elsewhere: Sequence[tuple[str, str]] = ()

    @property
    def results(self) -> list[Result]:
        return [result for result, _ in self.rows]

    @property
    def pinned(self) -> Selection:
        """The same results by their ids, which later data do not change."""
        return replace(self.selection, results=tuple(result.pk for result in self.results), models=())


def choose(
    params: QueryDict, reader: User | AnonymousUser, own: Prices | None = None, known: frozenset[str] = frozenset()
) -> Chosen:
    """`own` are the prices of the reader's settings; `known` are model names that mean something elsewhere."""
    asked, fields = read_selection(params)
    asked = replace(asked, filters=asked.filters.with_settings(own or Prices()))
    best, scope_note = _best(asked)
    fields |= _wrong_models([name for name in asked.models if name not in known], best)
    models = tuple(name for name in asked.models if (one := best.get(name)) and one.pk not in asked.results)
    asked = at_most(replace(asked, models=models), fields)
    found = compared_results(asked.results, reader)
    if missing := [pk for pk in asked.results if pk not in found]:
        told = f"There is no result {missing[0]} that can be compared: no such id, or it is not public."
        fields["result"] = f"{told} {fields.get('result', '')}".strip()
    asked = replace(asked, results=tuple(pk for pk in asked.results if pk in found))
    rows = [(found[pk], "") for pk in asked.results]
    rows += [(result, name) for name in asked.models if (result := best[name]) is not None]
    return Chosen(asked, rows, list(fields.values()), fields, scope_note, _elsewhere(params, known))


def _best(asked: Selection) -> tuple[Mapping[str, Result | None], str]:
    """The best of each model, all in the energy scope of most results where energy decides."""
    if not asked.models:
        return {}, ""
    facets = {**asked.filters.facets, "model": asked.models}
    within, scope_note = in_one_scope(replace(asked.filters, facets=facets), [asked.filters.sort])
    return best_of_models(asked.models, within), scope_note


def _wrong_models(names: Sequence[str], best: Mapping[str, Result | None]) -> dict[str, str]:
    for name in names:
        if name not in best:
            return {"model": f"The catalogue has no model “{name[:100]}”; write it as org/name."}
        if best[name] is None:
            return {"model": f"No result of {name} fits the filters."}
    return {}


def _elsewhere(params: QueryDict, known: frozenset[str]) -> list[tuple[str, str]]:
    """What the address says to the live runs on the page, which have no other source than it."""
    pairs = [("model", name) for name in dict.fromkeys(params.getlist("model")) if name in known]
    return [*pairs, *(("simulated", value) for value in params.getlist("simulated")[:1])]


def comparison_page(chosen: Chosen, path: str, stamp: Stamp) -> ComparisonPage:
    selection, results = chosen.selection, chosen.results
    aspects = list(context(results)) if len(results) >= MIN_COMPARED else []
    words, is_like = verdict(aspects) if aspects else ("", True)
    shown = compared_metrics(selection, results)
    differ, same = settings_of(results)
    can_save = len(results) >= MIN_COMPARED
    own = list(selection.parameters())
    kept = list(dict.fromkeys([*own, *chosen.elsewhere]))
    return ComparisonPage(
        items=[_item(place, chosen, path) for place in range(len(results))],
        problems=chosen.problems,
        verdict=words,
        is_like_for_like=is_like,
        context=aspects,
        figures=[figure_block(metric, results, selection.filters.prices) for metric in shown] if can_save else [],
        caution=CAUTION if len(results) > MIN_COMPARED else "",
        differ=differ if can_save else [],
        same=same,
        metric_choices=[MetricChoice(m.name, m.label, m.group, m in shown) for m in metrics.SORTABLE],
        citations=comparison_citations(results, chosen.pinned.url(path), stamp) if can_save else [],
        notes=[chosen.scope_note] if chosen.scope_note else [],
        kept=kept,
        kept_for_metrics=[pair for pair in kept if pair[0] != "metric"],
        kept_for_live=[pair for pair in own if pair not in chosen.elsewhere],
        save_url=selection.url(path) if can_save else "",
        json_url=selection.url("/api/compare") if can_save else "",
        clear_url=path,
        can_add=len(results) < MAX_COMPARED,
        suggestions=list(measured_models().values_list("name", flat=True)[:MAX_SUGGESTIONS]),
    )


def settings_of(results: Sequence[Result]) -> tuple[list[SettingRow], list[SettingRow]]:
    """The settings that differ, and those that are the same for all."""
    rows = {name: [_setting_value(result, name) for result in results] for name in SETTINGS}
    differ, same = split_by_difference(rows)
    return [_setting(name, rows[name]) for name in differ], [_setting(name, rows[name][:1]) for name in same]


def _setting_value(result: Result, name: str) -> str:
    """The catalogue's name where it knows one, however files write it."""
    known = getattr(getattr(result, name), "name", "") if name in ("model", "hardware", "backend") else ""
    return known or configuration_value(result, name)


def _setting(name: str, values: Sequence[str]) -> SettingRow:
    label, unit = SETTINGS[name]
    return SettingRow(label, unit, values)


def _item(place: int, chosen: Chosen, path: str) -> ComparedItem:
    (result, name), selection = chosen.rows[place], chosen.selection
    without = selection.without_model(name) if name else selection.without_result(result.pk)
    batch = batch_words(result)
    details = [backend_words(result), result.precision, f"batch {batch}" if batch else "", _tensor_words(result)]
    return ComparedItem(
        letter=LETTERS[place],
        title=item_title(result),
        url=result_url(result),
        details=", ".join(part for part in details if part),
        chosen_as=f"best of {name} by {noun(selection.filters.metric)}" if name else "",
        trust=trust_badge(result.trust),
        state=_state(result),
        runs=fmt.count(result.runs, "run") if result.runs else "runs not stated",
        remove_url=without.url(path),
    )


def _tensor_words(result: Result) -> str:
    return f"tensor parallel {result.tensor_parallel}" if result.tensor_parallel and result.tensor_parallel > 1 else ""


def _state(result: Result) -> str:
    if not result.submission.is_public:
        return "Not public: others who open this address do not see it."
    return "" if result.is_ranked else "Public, but not ranked: its page says why."


def compare_url(*, results: Sequence[UUID] = (), models: Sequence[str] = ()) -> str:
    """The comparison that begins with these."""
    return Selection(tuple(results), tuple(models)).url(reverse("runs:compare"))
