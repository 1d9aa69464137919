"""The picture of a run that links to it show elsewhere: 1200 x 630 pixels, the size that OpenGraph readers ask for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from django.core.cache import cache as page_cache
from django.http import HttpResponse
from django.utils import timezone

from lemsite.context import SITE_NAME
from runs.lane_states import lane_states
from runs.models import Run
from runs.presenting.common import duration, events_words, figure_words, state_of, state_words, tokens_words
from runs.snapshot import LaneState

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)
MAX_LANES = 4
KEPT_FOR_S = 3600

# The light palette of static/css/tokens.css; a picture cannot follow the reader's theme.
PAPER, CARD, INK, MUTED, RULE = "#fbfaf6", "#ffffff", "#1b1d1a", "#52574f", "#e0ddd1"
LEMON, LEAF, CLAY, CLAY_SOFT = "#f4c81f", "#1d6b4c", "#9c4718", "#f9e8dc"
MARGIN = 64
INNER_WIDTH = SIZE[0] - 2 * MARGIN
LANES_TOP, LANE_HEIGHT = 286, 68
BAR_LEFT, BAR_RIGHT = 430, 880


def card_response(run: Run) -> HttpResponse:
    """The card as PNG, drawn once for every state of the run."""
    name = f"run-card:{run.pk}:{run.last_seq}:{run.status}:{run.is_simulated}"
    content = page_cache.get(name)
    if content is None:
        content = draw_card(run, lane_states(run).states)
        page_cache.set(name, content, KEPT_FOR_S)
    return HttpResponse(
        content,
        content_type="image/png",
        headers={"Cache-Control": f"public, max-age={60 if run.ended_at is None else 600}"},
    )


def draw_card(run: Run, states: Sequence[LaneState]) -> bytes:
    """Name, state and the fastest lanes of a run as a PNG file."""
    # Only the process that draws pays for loading Pillow.
    from PIL import Image, ImageDraw

    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], 12), fill=LEMON)
    _head(draw, run)
    ranked = sorted(states, key=lambda state: -(state.mean_tokens_per_s or 0.0))
    fastest = max((state.mean_tokens_per_s or 0.0 for state in ranked), default=0.0)
    for place, state in enumerate(ranked[:MAX_LANES]):
        _lane(draw, state, LANES_TOP + place * LANE_HEIGHT, fastest)
    draw.text((MARGIN, 582), _foot(len(ranked)), font=_font(22), fill=MUTED)
    stream = io.BytesIO()
    # A card has few colours: a palette of 64 takes a third of the bytes.
    image.quantize(64, method=Image.Quantize.FASTOCTREE).save(stream, "PNG")
    return stream.getvalue()


def _head(draw: ImageDraw, run: Run) -> None:
    now = timezone.now()
    draw.text((MARGIN, 52), SITE_NAME, font=_font(30), fill=LEAF)
    words = state_words(run, state_of(run, now))
    left = _pill(draw, SIZE[0] - MARGIN, words, (CARD, INK))
    if run.is_simulated:
        _pill(draw, left - 14, "Simulated: nothing was measured", (CLAY_SOFT, CLAY))
    title = _plain(run.label) or _plain(run.key)
    size = next((size for size in (62, 52, 44) if _font(size).getlength(title) <= INNER_WIDTH), 44)
    draw.text((MARGIN, 190), _fitted(title, size, INNER_WIDTH), font=_font(size), fill=INK, anchor="ls")
    models = ", ".join(run.models_named[:3]) + (" …" if len(run.models_named) > 3 else "")
    line = " · ".join(part for part in (models, duration(run, now), events_words(run.event_count)) if part)
    draw.text((MARGIN, 206), _fitted(line, 28, INNER_WIDTH), font=_font(28), fill=MUTED)
    draw.line((MARGIN, 260, SIZE[0] - MARGIN, 260), fill=RULE, width=2)


def _lane(draw: ImageDraw, state: LaneState, top: int, fastest: float) -> None:
    rate = state.mean_tokens_per_s
    draw.text((MARGIN, top + 6), _fitted(state.name, 30, BAR_LEFT - MARGIN - 20), font=_font(30), fill=INK)
    draw.text((MARGIN, top + 40), _fitted(_lane_words(state), 18, BAR_LEFT - MARGIN - 20), font=_font(18), fill=MUTED)
    draw.rounded_rectangle((BAR_LEFT, top + 12, BAR_RIGHT, top + 44), 6, fill=RULE)
    if rate and fastest:
        right = BAR_LEFT + max(int((BAR_RIGHT - BAR_LEFT) * rate / fastest), 12)
        draw.rounded_rectangle((BAR_LEFT, top + 12, right, top + 44), 6, fill=LEMON if rate == fastest else LEAF)
    words = f"{tokens_words(rate)} tok/s" if rate is not None else "no event yet"
    draw.text((SIZE[0] - MARGIN, top + 4), words, font=_font(32), fill=INK, anchor="ra")
    if state.tokens_per_joule:
        efficiency = f"{figure_words(state.tokens_per_joule)} tokens/J"
        draw.text((SIZE[0] - MARGIN, top + 40), efficiency, font=_font(18), fill=MUTED, anchor="ra")


def _lane_words(state: LaneState) -> str:
    return " · ".join(part for part in (state.type if state.type != state.name else "", state.model) if part)


def _foot(lanes: int) -> str:
    more = f", {lanes - MAX_LANES} more lanes" if lanes > MAX_LANES else ""
    return f"Mean output tokens per second of each lane{more}; as the sender reports it, not reviewed"


def _pill(draw: ImageDraw, right: float, text: str, colours: tuple[str, str]) -> float:
    """A label that ends at `right`; returns where it begins."""
    left = right - draw.textlength(text, font=_font(24)) - 36
    draw.rounded_rectangle((left, 48, right, 92), 22, fill=colours[0], outline=RULE)
    draw.text((left + 18, 70), text, font=_font(24), fill=colours[1], anchor="lm")
    return left


def _fitted(text: str, size: int, width: float) -> str:
    """The text on one line, with an ellipsis where it would run out of the picture."""
    text, font = _plain(text), _font(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _plain(text: str) -> str:
    """On one line, without what would steer a terminal or turn the writing round."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@cache
def _font(size: int) -> FreeTypeFont:
    """The typeface inside Pillow, so that a machine without fonts draws the same card."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("This Pillow was built without FreeType, which the share card needs.")
    return font
