"""/runs/: rows of the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leaderboard.format import count, minute
from leaderboard.pages import Link
from runs.history import Cursor, RunFilter
from runs.models import Run
from runs.pages import RunListPage, RunRow
from runs.presenting.common import duration, run_link, state_of, state_words

#: names in a cell; the rest is counted
MAX_NAMES = 4
NOTHING_YET = "No run has been streamed yet."
NOTHING_MATCHES = "No run matches these filters."


def run_list_page(
    runs: Sequence[Run], wanted: RunFilter, *, path: str, following: Cursor | None, is_first: bool, hidden: int,
    now: datetime,
) -> RunListPage:  # fmt: skip
    words = f"{count(hidden, 'simulated run is', 'simulated runs are')} hidden"
    return RunListPage(
        rows=[run_row(run, now) for run in runs],
        first_url="" if is_first else wanted.url(path),
        next_url=wanted.url(path, after=str(following)) if following else "",
        hidden=Link(words, wanted.url(path, simulated="on")) if hidden else None,
        empty="" if runs else NOTHING_YET if wanted.is_empty else NOTHING_MATCHES,
        clear_url="" if wanted.is_empty else path,
    )


def run_row(run: Run, now: datetime) -> RunRow:
    state = state_of(run, now)
    return RunRow(
        link=run_link(run),
        started=minute(run.started_at),
        duration=duration(run, now),
        state=state,
        state_words=state_words(run, state),
        lanes=_names([lane.type or lane.name for lane in run.lanes.all()]),
        models=_names(run.models_named),
        events=f"{run.event_count:,}",
        is_simulated=run.is_simulated,
    )


def _names(names: Sequence[str]) -> str:
    """ "H100, A100 and 3 more"."""
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown
