"""One result and one table, as other sites show them."""

from __future__ import annotations

from dataclasses import replace

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.board import BoardQuery
from leaderboard.embed_pages import ResultCard, TableCard
from leaderboard.metrics import BY_NAME
from leaderboard.models import Licence, Provenance, Result
from leaderboard.presenting.board import board_rows, column_heads, shown_columns, sort_label
from leaderboard.presenting.common import (
    SCOPE_SENTENCES,
    backend_words,
    batch_words,
    gpu_words,
    model_link,
    result_badge,
    result_url,
)
from leaderboard.presenting.result import HEADLINE, LICENCES, metric_row
from leaderboard.queries.board import board_results
from leaderboard.queries.facets import hidden_by_trust

#: a table inside another page is a short one, unless its address says how long
ROWS = 10


def result_card(result: Result) -> ResultCard:
    batch = batch_words(result)
    subtitle = [result.precision, backend_words(result), f"batch {batch}" if batch else ""]
    if result.runs:
        subtitle.append(fmt.count(result.runs, "run"))
    return ResultCard(
        title=f"{model_link(result).label} on {gpu_words(result)}",
        subtitle=", ".join(part for part in subtitle if part),
        trust=result_badge(result),
        figures=[row for row in (metric_row(result, BY_NAME[name]) for name in HEADLINE) if row.value],
        scope=SCOPE_SENTENCES.get(result.energy_scope, ""),
        origin=_origin(result),
        url=result_url(result),
    )


def table_card(query: BoardQuery, *, has_limit: bool) -> TableCard:
    """The leaderboard in this state; sorting and everything else leads to the page itself."""
    query = replace(query, cursor=None) if has_limit else replace(query, cursor=None, limit=ROWS)
    path = reverse("leaderboard:list")
    columns = shown_columns(query)
    hidden = hidden_by_trust(query)
    return TableCard(
        title=f"Language models by {sort_label(query)}",
        heads=column_heads(query, columns, path),
        rows=board_rows(query, board_results(query).results, columns),
        hidden=f"{fmt.count(hidden, 'result')} hidden by the trust filter." if hidden > 0 else "",
        url=query.url(path),
    )


def _origin(result: Result) -> str:
    submission = result.submission
    when = fmt.day(submission.published_at or submission.submitted_at or submission.created_at)
    if submission.provenance == Provenance.IMPORTED:
        return f"From {result.source_name or 'a published source'}, {result.source_date or when}"
    return f"Published {when}, {LICENCES[Licence(submission.licence)][0]}"
