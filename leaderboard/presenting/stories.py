"""The pages of models and GPUs as stories: what is best for which use, what moves the figures, what stands near."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from leaderboard import format as fmt
from leaderboard.analysis.sensitivity import Span, widest_span
from leaderboard.board import BoardQuery
from leaderboard.chart_pages import ChartBlock
from leaderboard.charts.base import Chart
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.pages import Link
from leaderboard.presenting.charts import BY_SLUG
from leaderboard.presenting.charts.block import chart_block
from leaderboard.presenting.common import (
    SCOPE_SENTENCES,
    backend_words,
    batch_words,
    gpu_words,
    hardware_url,
    model_url,
    model_words,
    result_url,
    trust_badge,
)
from leaderboard.queries.stories import (
    Related,
    Same,
    batch_steps,
    most_common_scope,
    most_efficient_within,
    related_hardware,
    related_models,
)
from leaderboard.story_pages import RelatedRow, Story, UseRow


@dataclass(frozen=True, slots=True)
class Use:
    """What a reader wants to do, and the time per token that it takes."""

    title: str
    ms_per_token: float | None
    words: str


#: the most patient last; 200 ms a token is about how fast people read aloud, 50 ms is faster than anyone reads
USES = (
    Use("Agents and code, where someone waits for the whole answer", 20, "at most 20 ms per token"),
    Use("Chat, faster than reading", 50, "at most 50 ms per token"),
    Use("Chat, at reading speed", 200, "at most 200 ms per token"),
    Use("Batches overnight", None, "no limit on time"),
)
MODEL_CHARTS = ("sweep", "scaling", "roofline", "history")
HARDWARE_CHARTS = ("sweep", "roofline")


def model_story(model: LanguageModel, query: BoardQuery) -> Story | None:
    """None while nothing public is measured."""

    def related(query: BoardQuery, scope: str) -> list[RelatedRow]:
        return [
            RelatedRow(Link(found.entry.title, model_url(found.entry)), _billions(found.entry), _efficiency(found))
            for found in related_models(model, query, scope)
        ]

    return _story(query, MODEL_CHARTS, f"Other models of the family {model.family}", related)


def hardware_story(gpu: Hardware, query: BoardQuery) -> Story | None:
    """None while nothing public is measured."""

    def related(query: BoardQuery, scope: str) -> list[RelatedRow]:
        return [
            RelatedRow(Link(found.entry.name, hardware_url(found.entry)), _memory(found.entry), _efficiency(found))
            for found in related_hardware(gpu, query, scope)
        ]

    return _story(query, HARDWARE_CHARTS, "GPUs with about as much memory", related)


def _in_scope(query: BoardQuery, scope: str) -> BoardQuery:
    return replace(query, facets={**query.facets, "energy_scope": (scope or "unknown",)})


def _story(
    query: BoardQuery, charts: Sequence[str], related_title: str, related: Callable[[BoardQuery, str], list[RelatedRow]]
) -> Story | None:
    scope = most_common_scope(query)
    query = _in_scope(query, scope)
    best = most_efficient_within(query, None)
    if best is None:
        return None
    return Story(
        sentences=list(_sentences(query, best)),
        scope=SCOPE_SENTENCES.get(best.energy_scope, ""),
        uses=[_use_row(use, found) for use, found in _best_for_uses(query, best)],
        charts=list(_charts(charts, query)),
        related_title=related_title,
        related=related(query, scope),
    )


def _sentences(query: BoardQuery, best: Result) -> Iterator[str]:
    subject = model_words(best)
    yield (
        f"{subject} on {gpu_words(best)} with {_details(best)} gives the most tokens per joule measured here: "
        f"{fmt.number(best.tokens_per_joule)} tok/J."
    )
    span = widest_span(batch_steps(query))
    if span is not None and span.factor != 1:
        yield _span_sentence(span)


def _span_sentence(span: Span[Same]) -> str:
    """Such as "batch 8 to 512 cuts J/token by 4.2x": both ends measured, all else equal."""
    same = span.same
    engine = " ".join(part for part in (same.backend, same.backend_version) if part)
    place = ", ".join(part for part in (f"{same.gpu_count} x {same.hardware}", engine, same.precision) if part)
    factor, verb = (span.factor, "cuts") if span.factor > 1 else (1 / span.factor, "raises")
    return (
        f"{same.model} on {place}: going from batch {span.low:,} to {span.high:,} {verb} J/token by "
        f"{fmt.number(factor, 2)}x ({span.values} batch sizes measured, all else equal)."
    )


def _best_for_uses(query: BoardQuery, best: Result) -> list[tuple[Use, Result | None]]:
    """From the most patient use on: what is best within a limit, and keeps the next one too, is best within that."""
    found: Result | None = best
    pairs = []
    for use in reversed(USES):
        if found is not None and use.ms_per_token is not None:
            per_token = _ms_per_token(found)
            if per_token is None or per_token > use.ms_per_token:
                found = most_efficient_within(query, use.ms_per_token)
        pairs.append((use, found))
    return pairs[::-1]


def _use_row(use: Use, result: Result | None) -> UseRow:
    if result is None:
        return UseRow(use.title, use.words, None, "", "", "", "", "", None)
    return UseRow(
        use=use.title,
        limit=use.words,
        configuration=Link(f"{model_words(result)} on {gpu_words(result)}", result_url(result)),
        details=_details(result),
        efficiency=fmt.number(result.tokens_per_joule),
        time_per_token=fmt.number(_ms_per_token(result), 3),
        throughput=fmt.number(result.throughput_tokens_per_s),
        cost=fmt.number(result.cost_per_million_tokens_usd, 3),
        trust=trust_badge(result.trust),
    )


def _ms_per_token(result: Result) -> float | None:
    return result.tpot_ms_mean if result.tpot_ms_mean is not None else result.itl_ms_mean


def _details(result: Result) -> str:
    batch = batch_words(result)
    parts = (backend_words(result), result.precision, f"batch {batch}" if batch else "")
    return ", ".join(part for part in parts if part) or "an engine that its file does not name"


def _charts(slugs: Sequence[str], query: BoardQuery) -> Iterator[ChartBlock]:
    """Those that show what changes: with one GPU count measured, say, none over GPU counts."""
    params = QueryDict(mutable=True)
    for name, value in query.parameters():
        params.appendlist(name, value)
    for slug in slugs:
        chart = BY_SLUG[slug].make(params)
        if _has_two_places(chart):
            yield chart_block(chart, params, level=3)


def _has_two_places(chart: Chart) -> bool:
    """Whether marks of rows stand at two values of the chart's axis at least."""
    return len({x for trace in chart.traces if "customdata" in trace for x in trace["x"]}) > 1


def _billions(model: LanguageModel) -> str:
    size = fmt.exact(model.parameters_total_b)
    return f"{size} x 10^9 parameters" if size else "size not known"


def _memory(gpu: Hardware) -> str:
    return f"{fmt.exact(gpu.memory_gb)} GB" if gpu.memory_gb else "memory not known"


def _efficiency(found: Related[LanguageModel] | Related[Hardware]) -> str:
    return fmt.number(found.tokens_per_joule)
