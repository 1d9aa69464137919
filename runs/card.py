"""The picture of a run that links to it show elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.cache import cache as page_cache
from django.http import HttpResponse
from django.utils import timezone

from lemsite.context import SITE_NAME
from lemsite.lib.share_card import (
    INK,
    LEAF,
    LEMON,
    MARGIN,
    MUTED,
    RULE,
    SIZE,
    Canvas,
    fitted,
    font,
    plain,
    png_response,
)
from runs.lane_states import lane_states
from runs.models import Run
from runs.presenting.common import duration, events_words, figure_words, state_of, state_words, tokens_words
from runs.snapshot import LaneState

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

MAX_LANES = 4
KEPT_FOR_S = 3600
LANES_TOP, LANE_HEIGHT = 286, 68
BAR_LEFT, BAR_RIGHT = 430, 880


def card_response(run: Run) -> HttpResponse:
    """The card as PNG, drawn once for every state of the run."""
    name = f"run-card:{run.pk}:{run.last_seq}:{run.status}:{run.is_simulated}"
    content = page_cache.get(name)
    if content is None:
        content = draw_card(run, lane_states(run).states)
        page_cache.set(name, content, KEPT_FOR_S)
    return png_response(content, 60 if run.ended_at is None else 600)


def draw_card(run: Run, states: Sequence[LaneState]) -> bytes:
    """Name, state and the fastest lanes of a run as a PNG file."""
    canvas = Canvas(SITE_NAME)
    _head(canvas, run)
    ranked = sorted(states, key=lambda state: -(state.mean_tokens_per_s or 0.0))
    fastest = max((state.mean_tokens_per_s or 0.0 for state in ranked), default=0.0)
    for place, state in enumerate(ranked[:MAX_LANES]):
        _lane(canvas.draw, state, LANES_TOP + place * LANE_HEIGHT, fastest)
    canvas.foot(_foot(len(ranked)))
    return canvas.png()


def _head(canvas: Canvas, run: Run) -> None:
    now = timezone.now()
    canvas.pill(state_words(run, state_of(run, now)))
    if run.is_simulated:
        canvas.pill("Simulated: nothing was measured", is_warning=True)
    models = ", ".join(run.models_named[:3]) + (" …" if len(run.models_named) > 3 else "")
    line = " · ".join(part for part in (models, duration(run, now), events_words(run.event_count)) if part)
    canvas.title(plain(run.label) or run.key, line)


def _lane(draw: ImageDraw, state: LaneState, top: int, fastest: float) -> None:
    rate = state.mean_tokens_per_s
    draw.text((MARGIN, top + 6), fitted(state.name, 30, BAR_LEFT - MARGIN - 20), font=font(30), fill=INK)
    draw.text((MARGIN, top + 40), fitted(_lane_words(state), 18, BAR_LEFT - MARGIN - 20), font=font(18), fill=MUTED)
    draw.rounded_rectangle((BAR_LEFT, top + 12, BAR_RIGHT, top + 44), 6, fill=RULE)
    if rate and fastest:
        right = BAR_LEFT + max(int((BAR_RIGHT - BAR_LEFT) * rate / fastest), 12)
        draw.rounded_rectangle((BAR_LEFT, top + 12, right, top + 44), 6, fill=LEMON if rate == fastest else LEAF)
    words = f"{tokens_words(rate)} tok/s" if rate is not None else "no event yet"
    draw.text((SIZE[0] - MARGIN, top + 4), words, font=font(32), fill=INK, anchor="ra")
    if state.tokens_per_joule:
        efficiency = f"{figure_words(state.tokens_per_joule)} tokens/J"
        draw.text((SIZE[0] - MARGIN, top + 40), efficiency, font=font(18), fill=MUTED, anchor="ra")


def _lane_words(state: LaneState) -> str:
    return " · ".join(part for part in (state.type if state.type != state.name else "", state.model) if part)


def _foot(lanes: int) -> str:
    more = f", {lanes - MAX_LANES} more lanes" if lanes > MAX_LANES else ""
    return f"Mean output tokens per second of each lane{more}; as the sender reports it, not reviewed"
