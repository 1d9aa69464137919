"""/runs/<key>/: one run in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from leaderboard.format import count, minute
from leaderboard.pages import Link
from runs.lane_states import Standing
from runs.models import Run
from runs.pages import RunPage, ScoreMatrix, SeriesChart
from runs.presenting.common import (
    WORLD_RATES,
    Rates,
    duration,
    events_words,
    figure_words,
    run_url,
    run_word,
    state_of,
    state_words,
    tokens_words,
)
from runs.presenting.lanes import lane_cards, race_of
from runs.presenting.live import PARTIAL, live_url
from runs.scores import MeanScore
from runs.snapshot import LaneState, seconds

MAX_EVENTS = 100
FORMATS = (("jsonl", "JSONL"), ("csv", "CSV"), ("parquet", "Parquet"))
#: field of the events, heading, unit, how much of the field's own unit that is
CHARTS = (
    ("tokenPerSec", "Output tokens per second", "tok/s", 1),
    ("latencyMs", "Latency", "ms", 1),
    ("vramUsedMB", "VRAM in use", "GB", 1000),
    ("powerW", "Power", "W", 1),
    ("temperatureC", "Temperature", "°C", 1),
)
EVENT_HEADS = ("Time, UTC", "Lane", "Model", "Use case", "Eval", "tok/s", "Latency, ms", "VRAM, MB", "Power, W")


def run_page(
    run: Run, standing: Standing, events: Sequence[Mapping[str, Any]], scores: Sequence[MeanScore],
    *, now: datetime, rates: Rates = WORLD_RATES,
) -> RunPage:  # fmt: skip
    state = state_of(run, now)
    is_live = run.ended_at is None
    length = duration(run, now)
    return RunPage(
        key=run.key,
        title=str(run),
        state=state,
        state_words=state_words(run, state),
        is_simulated=run.is_simulated,
        is_live=is_live,
        started=minute(run.started_at),
        duration=length,
        note=run.note,
        models=", ".join(run.models_named or sorted({lane.model for lane in standing.states if lane.model})),
        caution=PARTIAL if standing.is_partial else "",
        assumptions=rates.words,
        world_rates_url=f"{run_url(run)}?prices=catalogue" if rates.is_own else "",
        lanes=lane_cards(standing.states, race_of(run, standing.states, now, rates)),
        charts=series_charts(standing.states),
        scores=score_matrix(scores),
        events=[event_row(event) for event in events],
        event_total=events_words(run.event_count),
        downloads=[Link(label, reverse("runs:download", args=[run_word(run), kind])) for kind, label in FORMATS],
        live_url=live_url(run) if is_live else "",
        replay_url=run_url(run, "replay") if run.event_count else "",
        series_url=run_url(run, "series"),
        card_url=run_url(run, "card"),
        description=description(run, standing.states, length),
    )


def series_charts(states: Sequence[LaneState]) -> list[SeriesChart]:
    """The charts that have a value, with the table behind each."""
    return [
        SeriesChart(
            name=name,
            label=label,
            unit=unit,
            divisor=divisor,
            is_from_zero=name != "temperatureC",
            table=chart_table(states, name, divisor),
        )
        for name, label, unit, divisor in CHARTS
        if any(state.figures[name].n for state in states)
    ]


def chart_table(states: Sequence[LaneState], name: str, divisor: int) -> list[list[str]]:
    rows = []
    for state in states:
        figure = state.figures[name]
        values = (figure.mean, figure.low, figure.high, figure.last)
        rows.append([state.name, *(figure_words(value and value / divisor) for value in values), f"{figure.n:,}"])
    return rows


def score_matrix(scores: Sequence[MeanScore]) -> ScoreMatrix | None:
    if not scores:
        return None
    use_cases = sorted({score.use_case for score in scores})
    found = {(score.model, score.use_case): score for score in scores}
    rows = []
    for model in sorted({score.model for score in scores}):
        cells = [found.get((model, use_case)) for use_case in use_cases]
        own = [cell for cell in cells if cell is not None]
        mean = sum(cell.composite * cell.scores for cell in own) / sum(cell.scores for cell in own)
        rows.append((model, [figure_words(cell.composite) if cell else "" for cell in cells], figure_words(mean)))
    return ScoreMatrix(use_cases=use_cases, amount=count(sum(score.scores for score in scores), "score"), rows=rows)


def event_row(event: Mapping[str, Any]) -> list[str]:
    """The columns of EVENT_HEADS."""
    moment = datetime.fromtimestamp(seconds(event["ts"]), tz=UTC)
    figures = (event["latencyMs"], event["vramUsedMB"], event.get("powerW"))
    return [
        f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}",
        event["gpuId"],
        event["model"],
        event["useCase"],
        f"{event['evalProgressIdx']:,} of {event['evalTotal']:,}",
        tokens_words(event["tokenPerSec"]),
        *(figure_words(value) for value in figures),
    ]


def description(run: Run, states: Sequence[LaneState], length: str) -> str:
    """One sentence for a link elsewhere."""
    rates = [f"{state.name} {tokens_words(state.mean_tokens_per_s)} tok/s" for state in states if state.events]
    kind = "Simulated run" if run.is_simulated else "Run"
    return f"{kind} of {count(len(states), 'lane')} over {length}" + (f": {', '.join(rates[:4])}." if rates else ".")
