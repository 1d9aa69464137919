"""Words and addresses that the pages of runs share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from leaderboard.board import DEFAULT_PUE
from leaderboard.format import count, number
from leaderboard.pages import Link
from runs.models import Run
from runs.snapshot import GAP_S, WORLD_CO2_G_PER_KWH, LaneState

#: what a path can carry; "." and ".." are taken out of paths by browsers, and "~" marks a row id
PLAIN_KEY = re.compile(r"(?!~|\.{1,2}\Z)[^/\x00-\x1f\x7f]+")
STATE_WORDS = {
    "waiting": "Waiting for the first event",
    "streaming": "Streaming",
    "stalled": f"Stalled: no event for {GAP_S:.0f} s",
}


@dataclass(frozen=True, slots=True)
class Rates:
    """What turns joules into grams of CO2 and hours into dollars: everyone's figures, or a reader's own."""

    co2_g_per_kwh: float = WORLD_CO2_G_PER_KWH
    pue: float = DEFAULT_PUE
    is_own_grid: bool = False
    #: in place of what each lane says that it costs
    usd_per_gpu_hour: float | None = None
    price_from: str = "your settings"

    @property
    def is_own(self) -> bool:
        return self.is_own_grid or self.usd_per_gpu_hour is not None

    @property
    def words(self) -> str:
        whose = "from your settings" if self.is_own_grid else "world average, IEA 2019"
        price = "the lane's price per hour"
        if self.usd_per_gpu_hour is not None:
            price = f"{self.usd_per_gpu_hour:g} $ per GPU-hour (from {self.price_from}), counting one GPU a lane"
        return (
            f"gCO2 at {self.co2_g_per_kwh:g} g/kWh ({whose}) and PUE {self.pue:g}; "
            f"energy is what the lanes report, of their GPUs unless they say otherwise; $ is {price}"
        )

    def price_of(self, state: LaneState) -> float | None:
        return state.cost_per_hour_usd if self.usd_per_gpu_hour is None else self.usd_per_gpu_hour


WORLD_RATES = Rates()


def run_word(run: Run) -> str:
    """What stands for a run in addresses: its key, or its row id where a path could not carry the key."""
    return run.key if PLAIN_KEY.fullmatch(run.key) else f"~{run.pk}"


def run_url(run: Run, name: str = "detail") -> str:
    return reverse(f"runs:{name}", args=[run_word(run)])


def run_link(run: Run) -> Link:
    return Link(str(run), run_url(run))


def state_of(run: Run, now: datetime) -> str:
    """waiting, streaming, stalled or finished, by the time at which events arrived here."""
    if run.ended_at is not None:
        return "finished"
    if run.last_event_at is None:
        return "waiting"
    return "stalled" if (now - run.last_event_at).total_seconds() > GAP_S else "streaming"


def state_words(run: Run, state: str) -> str:
    return run.get_status_display() if state == "finished" else STATE_WORDS[state]


def duration(run: Run, now: datetime) -> str:
    """ "2 min 05 s", of a run that is open up to now."""
    return span((run.ended_at or now) - run.started_at)


def span(length: timedelta) -> str:
    total = max(int(length.total_seconds()), 0)
    hours, rest = divmod(total, 3600)
    minutes, rest_s = divmod(rest, 60)
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {rest_s:02d} s" if minutes else f"{rest_s} s"


def tokens_words(tokens_per_s: float | None) -> str:
    """tok/s with one decimal below 1,000: the digits that people watch move."""
    if tokens_per_s is None:
        return ""
    return f"{tokens_per_s:.1f}" if tokens_per_s < 999.95 else f"{tokens_per_s:,.0f}"


def figure_words(value: float | None) -> str:
    """Three significant digits, of whole numbers too."""
    return number(None if value is None else float(value), 3)


def events_words(amount: int) -> str:
    return count(amount, "event")
