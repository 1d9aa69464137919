"""/live/, the strip on the front page, and the replay: a run as a race."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from leaderboard.format import count, minute
from leaderboard.pages import Link
from runs.lane_states import MAX_FOLDED, Standing
from runs.models import Run
from runs.pages import LivePage, LiveStrip, ReplayPage
from runs.presenting.common import WORLD_RATES, Rates, run_url, state_of, state_words
from runs.presenting.lanes import definitions, lane_card, lane_cards, live_data, race_of
from runs.snapshot import LaneState

PARTIAL = f"Means and totals cover the newest {MAX_FOLDED:,} events; the closing snapshot will cover all."

SPEEDS = (1, 10, 60)


def live_page(
    run: Run, standing: Standing, others: Sequence[Run], now: datetime, *, rates: Rates = WORLD_RATES
) -> LivePage:
    race = race_of(run, standing.states, now, rates)
    state = state_of(run, now)
    return LivePage(
        key=run.key,
        title=str(run),
        subtitle=f"{count(len(standing.states), 'lane')}, started {minute(run.started_at)}",
        is_simulated=run.is_simulated,
        state=state,
        state_words=state_words(run, state),
        caution=PARTIAL if standing.is_partial else "",
        lanes=lane_cards(standing.states, race),
        run_url=run_url(run),
        replay_url=run_url(run, "replay") if race.is_over and run.event_count else "",
        blank=lane_card(LaneState(""), race, 0),
        others=[Link(str(other), live_url(other)) for other in others if other.pk != run.pk],
        assumptions=rates.words,
        world_rates_url=f"{live_url(run)}&prices=catalogue" if rates.is_own else "",
        data=live_data(run, standing, race),
    )


def live_strip(run: Run, standing: Standing, now: datetime) -> LiveStrip:
    cards = lane_cards(standing.states, race_of(run, standing.states, now))
    return LiveStrip(title=str(run), is_simulated=run.is_simulated, url=live_url(run), lanes=cards)


def replay_page(run: Run, states: Sequence[LaneState], now: datetime, *, rates: Rates = WORLD_RATES) -> ReplayPage:
    """The closing snapshot, which the script starts over from nothing."""
    race = race_of(run, states, now, rates)
    return ReplayPage(
        key=run.key,
        title=str(run),
        is_simulated=run.is_simulated,
        state_words=state_words(run, state_of(run, now)),
        lanes=lane_cards(states, race),
        run_url=run_url(run),
        assumptions=rates.words,
        world_rates_url=f"{run_url(run, 'replay')}?prices=catalogue" if rates.is_own else "",
        speeds=SPEEDS,
        data={"series_url": run_url(run, "series"), "definitions": definitions(rates), "lanes": _described(states)},
    )


def live_url(run: Run) -> str:
    return f"{reverse('runs:live')}?{urlencode({'run': run.key})}"


def _described(states: Sequence[LaneState]) -> list[dict[str, object]]:
    """What the lanes are; the replay fills in what they did."""
    names = ("name", "type", "vram_gb", "cost_per_hour_usd", "model", "use_case")
    return [{name: getattr(state, name) for name in names} for state in states]
