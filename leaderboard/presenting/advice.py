"""/advice/: what to change first for a model on a GPU, from measured neighbours only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.advice_pages import AdvicePage, AdviceSection, LimitInput, ModelAdvice, Select
from leaderboard.analysis.advice import Advice, Wish, advise
from leaderboard.analysis.neighbours import AXES, Measured, Value, value_order
from leaderboard.board import BoardQuery
from leaderboard.metrics import BY_NAME, PRIMARY
from leaderboard.models import Backend, Hardware, LanguageModel, Trust
from leaderboard.pages import Link
from leaderboard.presenting.advice_words import LABELS, advice_row, gains, tolerance_of, value_words
from leaderboard.presenting.comparing_words import SCOPES, noun
from leaderboard.queries.advice import (
    MAX_MEASURED,
    Found,
    hardware_measured_with,
    is_high_best,
    measured,
    measured_on_similar,
)
from leaderboard.queries.comparing import measured_models
from leaderboard.queries.facets import hidden_by_trust
from leaderboard.selection import read_selection

if TYPE_CHECKING:
    from django.http import QueryDict

METRICS = (
    "tokens_per_joule", "throughput_tokens_per_s", "cost_per_million_tokens_usd", "itl_ms_p50", "tpot_ms_mean",
    "ttft_ms_p50", "ttft_ms_p90",
)  # fmt: skip
#: the limits with an input of their own; any other limit of the leaderboard holds too
LIMITS = (("itl_ms_p50", "max"), ("tpot_ms_mean", "max"), ("ttft_ms_p90", "max"), ("throughput_tokens_per_s", "min"))
START = "now_"
MAX_OPTIONS = 40
MAX_SUGGESTIONS = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks; `query` has its model and GPU as filters once both are known."""

    model: LanguageModel | None
    hardware: Hardware | None
    query: BoardQuery
    start: Mapping[str, str]
    problems: Sequence[str]


def read_asked(params: QueryDict) -> Asked:
    selection, problems = read_selection(params)
    for name in ("result", "metric"):
        problems.pop(name, None)
    asked_metric = params.get("metric") or PRIMARY
    if asked_metric not in METRICS:
        problems["metric"] = f"“{asked_metric[:60]}” is no figure to advise on."
        asked_metric = PRIMARY
    name, slug = next(iter(selection.models), ""), params.get("hardware", "").replace("\x00", "")
    model = LanguageModel.objects.filter(name=name).first() if name else None
    hardware = Hardware.objects.filter(slug=slug).first() if slug else None
    if name and model is None:
        problems["model"] = f"The catalogue has no model “{name[:100]}”; write it as org/name."
    if slug and hardware is None:
        problems["hardware"] = f"The catalogue has no GPU “{slug[:60]}”."
    query = replace(selection.filters, sort=asked_metric, q="")
    start = {axis: value for axis in AXES if (value := params.get(START + axis, ""))}
    return Asked(model, hardware, query, start, list(problems.values()))


def advice_page(params: QueryDict) -> AdvicePage:
    asked = read_asked(params)
    backends = dict(Backend.objects.values_list("slug", "name"))
    gpus = hardware_measured_with(asked.model, _everywhere(asked.query)) if asked.model else []
    section, found, empty = None, None, "Choose a model, then one of the GPUs that it was measured on."
    problems = list(asked.problems)
    start: Mapping[str, Value] = {}
    if asked.model and not gpus:
        empty = f"No result of {asked.model.title} passes the filters."
    if asked.model and asked.hardware:
        query = _of(asked.query, asked.model, asked.hardware)
        found = measured(query)
        start, unknown = read_start(asked.start, found.measured)
        problems += unknown
        section = _section(asked.model, asked.hardware, query, Input(found, start, backends))
        empty = "" if section else f"No result of {asked.model.title} on {asked.hardware.name} has this figure."
    return AdvicePage(
        problems=problems,
        model_name=asked.model.name if asked.model else params.get("model", "")[:200],
        suggestions=list(measured_models().values_list("name", flat=True)[:MAX_SUGGESTIONS]),
        selects=[_gpu_select(gpus, asked.hardware), _metric_select(asked.query.sort)],
        limits=list(_limit_inputs(asked.query)),
        start=list(_start_selects(found.measured, start, backends)) if found and section else [],
        section=section,
        empty=empty,
        kept=_kept(asked.query),
    )


def model_advice(model: LanguageModel, query: BoardQuery) -> ModelAdvice | None:
    """For the GPU with the most results; None where no setting was measured at two values."""
    gpus = hardware_measured_with(model, query)
    if not gpus:
        return None
    gpu = gpus[0][0]
    of = _of(query, model, gpu)
    backends = dict(Backend.objects.values_list("slug", "name"))
    section = _section(model, gpu, of, Input(measured(of), {}, backends), with_others=False)
    best = gains(section.rows) if section else []
    if section is None or not best:
        return None
    others = [Link(other.name, advice_url(model, other)) for other, _ in gpus[1:]]
    return ModelAdvice(section, best, advice_url(model, gpu), others)


def _url(query: BoardQuery) -> str:
    pairs = [("metric", query.sort), *(pair for pair in query.parameters() if pair[0] != "sort")]
    return f"{reverse('leaderboard:advice')}?{urlencode(pairs)}"


def advice_url(model: LanguageModel, hardware: Hardware) -> str:
    return f"{reverse('leaderboard:advice')}?{urlencode({'model': model.name, 'hardware': hardware.slug})}"


@dataclass(frozen=True, slots=True)
class Input:
    """What a section is made of: results of the model on the GPU, the reader's start, names of backends."""

    found: Found
    start: Mapping[str, Value]
    backends: Mapping[str, str]


def _section(
    model: LanguageModel, gpu: Hardware, query: BoardQuery, given: Input, *, with_others: bool = True
) -> AdviceSection | None:
    if not given.found.measured:
        return None
    metric = query.metric
    wish = Wish(given.start, is_high_best(query), tolerance_of(metric))
    found = advise(given.found.measured, [], wish)
    if with_others and any(one.evidence is None for one in found):
        found = advise(given.found.measured, measured_on_similar(query, model).measured, wish)
    hidden = hidden_by_trust(query)
    wider = _url(replace(query, min_trust=Trust.SELF_REPORTED))
    return AdviceSection(
        title=f"{model.title} on {gpu.name}",
        basis=_basis(query, given.found, found),
        rows=[advice_row(one, metric, given.backends, has_start=bool(given.start)) for one in found],
        hidden_by_trust=Link(f"{fmt.count(hidden, 'result')} hidden by the trust filter", wider) if hidden else None,
    )


def _basis(query: BoardQuery, found: Found, advice: Sequence[Advice]) -> str:
    results = fmt.count(found.total, "result")
    words = f"From {results}, by {noun(query.metric)}."
    if found.is_sampled:
        words += f" {MAX_MEASURED:,} of them, a random sample, were looked at."
    scopes = {pair.after.scope for one in advice for step in one.steps for pair in step.pairs}
    known = [SCOPES[scope] for scope in ("gpu", "node", "wall") if scope in scopes]
    if known:
        words += f" Both results of a pair have the same energy scope: {', '.join(known)}."
    return words


def _of(query: BoardQuery, model: LanguageModel, gpu: Hardware) -> BoardQuery:
    return replace(query, facets={**query.facets, "model": (model.name,), "hardware": (gpu.slug,)})


def _everywhere(query: BoardQuery) -> BoardQuery:
    return replace(query, facets={name: values for name, values in query.facets.items() if name != "hardware"})


def read_start(asked: Mapping[str, str], found: Sequence[Measured]) -> tuple[dict[str, Value], list[str]]:
    """What the reader runs now, as measured values; a value that nobody measured is told, and left out."""
    start: dict[str, Value] = {}
    problems = []
    for axis, text in asked.items():
        by_text = {_plain(value): value for value in measured_values(axis, found)}
        if text in by_text:
            start[axis] = by_text[text]
        else:
            what = LABELS[axis].lower()
            problems.append(f"Nobody measured {what} {text[:40]} with this model on this GPU: it was left out.")
    return start, problems


def measured_values(axis: str, found: Sequence[Measured]) -> list[Value]:
    values = {one.settings[axis] for one in found if axis in one.settings}
    return sorted(values, key=value_order)


def _plain(value: Value) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _gpu_select(gpus: Sequence[tuple[Hardware, int]], chosen: Hardware | None) -> Select:
    options = [(gpu.slug, f"{gpu.name} ({fmt.count(n, 'result')})", gpu == chosen) for gpu, n in gpus]
    if chosen and chosen not in [gpu for gpu, _ in gpus]:
        options.append((chosen.slug, f"{chosen.name} (no result)", True))
    return Select("hardware", "GPU", [("", "choose", not chosen), *options])


def _metric_select(chosen: str) -> Select:
    return Select("metric", "Figure to improve", [(name, _metric_words(name), name == chosen) for name in METRICS])


def _metric_words(name: str) -> str:
    return f"{BY_NAME[name].label}, {BY_NAME[name].unit}"


def _limit_inputs(query: BoardQuery) -> Iterator[LimitInput]:
    for column, edge in LIMITS:
        metric, words = BY_NAME[column], "at least" if edge == "min" else "at most"
        value = query.limits.get((column, edge))
        text = "" if value is None else f"{value:.15g}"
        yield LimitInput(f"{column}_{edge}", f"{metric.label} {words}", metric.unit, text)


def _start_selects(
    found: Sequence[Measured], start: Mapping[str, Value], backends: Mapping[str, str]
) -> Iterator[Select]:
    for axis in AXES:
        values = measured_values(axis, found)[:MAX_OPTIONS]
        if len(values) > 1:
            options = [(_plain(one), value_words(axis, one, backends), start.get(axis) == one) for one in values]
            yield Select(START + axis, LABELS[axis], [("", "any", axis not in start), *options])


def _kept(query: BoardQuery) -> list[tuple[str, str]]:
    """Filters that the form has no input for."""
    inputs = {"sort", "hardware", "model", *(f"{column}_{edge}" for column, edge in LIMITS)}
    return [pair for pair in query.parameters() if pair[0] not in inputs]
