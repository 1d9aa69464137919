"""/charts/coverage/: models against GPUs, and what is known of each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from leaderboard import format as fmt
from leaderboard.board import BoardQuery, parse_board_query
from leaderboard.charts.base import Chart
from leaderboard.charts.coverage import MAX_HARDWARE, MAX_MODELS, Head, Place, Row, Seen, coverage
from leaderboard.models import Hardware, LanguageModel
from leaderboard.presenting.charts.asking import chosen, in_one_scope, metric_choice, trust_note
from leaderboard.presenting.charts.choosing import request_url
from leaderboard.presenting.common import board_url
from leaderboard.queries.charted import Pairs, measured_pairs
from leaderboard.queries.coverage import best_scores, hardware_of, models_of
from leaderboard.queries.failures import failures_among

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = metric_choice("metric", "Best by", ("tokens_per_joule", "throughput_tokens_per_s"))
#: the most in one common machine
GPUS_OF_A_NODE = 8

Sides = tuple[Sequence[LanguageModel], Sequence[Hardware]]


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    query = parse_board_query(params)
    pairs = measured_pairs(query)
    models = models_of(query, [name for name, _ in pairs.by(0)], MAX_MODELS)
    gpus = hardware_of(query, [slug for slug, _ in pairs.by(1)], MAX_HARDWARE)
    scoped, scope_note = in_one_scope(query, (metric,))
    sides = models.entries, gpus.entries
    left_out = [
        fmt.count(total - len(shown), word)
        for total, shown, word in ((models.total, models.entries, "model"), (gpus.total, gpus.entries, "GPU"))
        if total > len(shown)
    ]
    rest = f"The most measured come first; {' and '.join(left_out)} more by filters." if left_out else ""
    return coverage(
        metric,
        ([Row(model.title, model.parameters_total_b) for model in sides[0]],
         [Head(gpu.name, gpu.memory_gb) for gpu in sides[1]]),
        _seen(scoped, metric, sides, pairs),
        most_gpus=_most_gpus(query),
        request_urls=_requests(sides),
        notes=[note for note in (rest, scope_note and f"Best: {scope_note}", trust_note(query)) if note],
    )  # fmt: skip


def _most_gpus(query: BoardQuery) -> int:
    """As many as the reader asks about, else those of one machine."""
    counts = [int(value) for value in query.facets.get("gpu_count", ()) if value.isdigit()]
    return max(counts, default=0) or GPUS_OF_A_NODE


def _seen(query: BoardQuery, metric: str, sides: Sides, pairs: Pairs) -> Mapping[Place, Seen]:
    models, gpus = ([entry.pk for entry in side] for side in sides)
    best, failed = best_scores(query, metric, models, gpus), failures_among(models, gpus)
    found = {}
    for i, model in enumerate(sides[0]):
        for j, gpu in enumerate(sides[1]):
            results, failure = pairs.counts.get((model.name, gpu.slug), 0), failed.get((model.pk, gpu.pk))
            if not results and failure is None:
                continue
            url = board_url(model=model.name, hardware=gpu.slug) if results else failure.url if failure else ""
            score = best.get((model.pk, gpu.pk))
            found[i, j] = Seen(results, score, failure.count if failure else 0, url)
    return found


def _requests(sides: Sides) -> Mapping[Place, str]:
    return {
        (i, j): request_url(model=model.name, hardware=gpu.slug)
        for i, model in enumerate(sides[0])
        for j, gpu in enumerate(sides[1])
    }
