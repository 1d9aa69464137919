"""The cards of a race. static/js/cards.js writes the same texts when events come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from runs import snapshot
from runs.lane_states import Standing
from runs.models import Run
from runs.pages import LaneCard, LaneFigure
from runs.presenting.common import STATE_WORDS, WORLD_RATES, Rates, figure_words, run_word, tokens_words
from runs.snapshot import LaneState

SERIES = 6
SPARK_WIDTH, SPARK_HEIGHT, SPARK_FLOOR = 240, 30, 0.75
RATE_UNITS = {False: "tok/s", True: "tok/s on average"}
#: name, label while it runs, label once it is over. Units stand in the label: behind a number they would move with it.
FIGURES = (
    ("power_w", "power, W", "mean power, W"),
    ("tokens_per_joule", "tokens/J", "tokens/J"),
    ("latency_ms", "latency, ms", "mean latency, ms"),
    ("vram_gb", "VRAM, GB", "peak VRAM, GB"),
    ("usd", "$/M tokens", "$/M tokens"),
    ("co2_g", "gCO2/M tokens", "gCO2/M tokens"),
)


@dataclass(frozen=True, slots=True)
class Race:
    """What a lane's card needs to know of the others."""

    is_over: bool
    #: the words of a run that is over
    over_words: str
    #: seconds since the last event of any lane arrived
    age_s: float
    #: time of the newest event, by the senders' clocks
    newest_s: float
    peak_tokens_per_s: float
    leader: str | None
    rates: Rates


def race_of(run: Run, states: Sequence[LaneState], now: datetime, rates: Rates = WORLD_RATES) -> Race:
    over = run.ended_at is not None
    return Race(
        is_over=over,
        over_words=run.get_status_display(),
        age_s=(now - run.last_event_at).total_seconds() if run.last_event_at else 0.0,
        newest_s=max((state.last_s for state in states if state.last_s is not None), default=0.0),
        peak_tokens_per_s=max((state.figures["tokenPerSec"].high or 0.0 for state in states), default=0.0),
        leader=snapshot.leader(states, is_over=over),
        rates=rates,
    )


def lane_cards(states: Sequence[LaneState], race: Race) -> list[LaneCard]:
    return [lane_card(state, race, position) for position, state in enumerate(states)]


def lane_card(state: LaneState, race: Race, position: int) -> LaneCard:
    rate = state.mean_tokens_per_s if race.is_over else state.tokens_per_s
    lane_state, price = state_of_lane(state, race), race.rates.price_of(state)
    return LaneCard(
        name=state.name,
        type=state.type if state.type != state.name else "",
        price="" if price is None else f"${price:,.2f}/h",
        model=state.model,
        use_case=state.use_case,
        progress=f"{state.eval_index:,} of {state.eval_total:,}" if state.eval_total else "",
        tokens_per_s=tokens_words(rate),
        rate_unit=RATE_UNITS[race.is_over],
        gauge_percent=round(100 * (rate or 0) / race.peak_tokens_per_s) if race.peak_tokens_per_s else 0,
        is_leader=state.name == race.leader,
        state=lane_state,
        state_words=race.over_words if race.is_over else STATE_WORDS[lane_state],
        figures=lane_figures(state, rate, is_over=race.is_over, rates=race.rates),
        is_hot=(state.vram_share(peak=race.is_over) or 0) > snapshot.HOT_SHARE,
        spark=spark_path(state.recent),
        series=position % SERIES + 1,
    )


def state_of_lane(state: LaneState, race: Race) -> str:
    """Silence is measured against the newest event of any lane, so that a sender's wrong clock does not matter."""
    if race.is_over:
        return "finished"
    if state.last_s is None:
        return "waiting"
    return "stalled" if race.age_s + race.newest_s - state.last_s > snapshot.GAP_S else "streaming"


def lane_figures(state: LaneState, rate: float | None, *, is_over: bool, rates: Rates) -> list[LaneFigure]:
    """Of the last events while it runs, of the whole run once it is over; tokens per joule always of the whole run."""
    power, latency, vram = (state.figures[name] for name in ("powerW", "latencyMs", "vramUsedMB"))
    per_token_j = snapshot.joules_per_token(state, is_over=is_over)
    vram_mb = vram.high if is_over else vram.last
    values = {
        "power_w": power.mean if is_over else state.power_w,
        "tokens_per_joule": state.tokens_per_joule,
        "latency_ms": latency.mean if is_over else latency.last,
        "vram_gb": None if vram_mb is None else vram_mb / 1000,
        "usd": snapshot.usd_per_million_tokens(rates.price_of(state), rate),
        "co2_g": snapshot.co2_g_per_million_tokens(per_token_j, co2_g_per_kwh=rates.co2_g_per_kwh, pue=rates.pue),
    }
    return [
        LaneFigure(name, label_over if is_over else label, figure_words(values[name]))
        for name, label, label_over in FIGURES
    ]


def spark_path(recent: Sequence[tuple[int, float]]) -> str:
    """Path of the last 60 s; a silence of more than a gap lifts the pen.

    Its height is the lane's own highest down to its lowest, or to 3/4 of the highest where that is lower: a steady
    lane stays flat.
    """
    if not recent:
        return ""
    values = [value for _, value in recent]
    end, highest = recent[-1][0], max(values)
    floor = min(*values, SPARK_FLOOR * highest)
    height = (highest - floor) or 1.0
    parts, previous = [], None
    for second, value in recent:
        x = SPARK_WIDTH * (1 - (end - second) / snapshot.WINDOW_S)
        y = SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * (value - floor) / height
        pen = "M" if previous is None or second - previous > snapshot.GAP_S else "L"
        parts.append(f"{pen}{x:.0f} {y:.1f}")
        previous = second
    return " ".join(parts)


def live_data(run: Run, standing: Standing, race: Race) -> dict[str, Any]:
    """What static/js/live.js goes on with."""
    plain = run_word(run) == run.key
    return {
        "seq": standing.seq,
        "is_over": race.is_over,
        "age_s": round(race.age_s, 3),
        # A key that a path cannot carry has no socket; the page asks for itself again instead.
        "socket": f"/ws/runs/{quote(run.key)}/" if plain else "",
        "definitions": definitions(race.rates),
        **snapshot.closing(standing.states),
    }


def definitions(rates: Rates = WORLD_RATES) -> dict[str, Any]:
    """The constants of snapshot.py and the words of this module, for the scripts."""
    return {
        "gap_s": snapshot.GAP_S,
        "window_s": snapshot.WINDOW_S,
        "hot_share": snapshot.HOT_SHARE,
        "max_models": snapshot.MAX_MODELS,
        "co2_g_per_kwh": rates.co2_g_per_kwh,
        "pue": rates.pue,
        "usd_per_gpu_hour": rates.usd_per_gpu_hour,
        "state_words": STATE_WORDS,
        "labels": {name: label for name, label, _ in FIGURES},
        "rate_unit": RATE_UNITS[False],
    }
