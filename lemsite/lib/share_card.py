"""Drawing the pictures that links to pages show elsewhere, in the 1200 x 630 pixels that OpenGraph readers ask for."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from django.http import HttpResponse

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)
# The light palette of static/css/tokens.css; a picture cannot follow the reader's theme.
PAPER, CARD, INK, MUTED, RULE = "#fbfaf6", "#ffffff", "#1b1d1a", "#52574f", "#e0ddd1"
LEMON, LEAF, CLAY, CLAY_SOFT = "#f4c81f", "#1d6b4c", "#9c4718", "#f9e8dc"
MARGIN = 64
INNER_WIDTH = SIZE[0] - 2 * MARGIN
#: stands for a letter that the typeface does not have
UNKNOWN = "?"
#: signs of this field that the typeface lacks
SPELLED = {"×": "x", "–": "-", "—": "-", "µ": "u", "≥": ">=", "≤": "<=", "≈": "~", "→": "->"}
TITLE_SIZES = (62, 52, 44)

#: (words, what they say in small print)
Figure = tuple[str, str]


class Canvas:
    """A card with the site's name on it. The drawing is `draw`, for what a page adds of its own."""

    def __init__(self, site_name: str) -> None:
        # Only the process that draws pays for loading Pillow.
        import PIL.Image
        import PIL.ImageDraw

        self.image: Image = PIL.Image.new("RGB", SIZE, PAPER)
        self.draw: ImageDraw = PIL.ImageDraw.Draw(self.image)
        self.draw.rectangle((0, 0, SIZE[0], 12), fill=LEMON)
        self.draw.text((MARGIN, 52), site_name, font=font(30), fill=LEAF)
        self._pills_from: float = SIZE[0] - MARGIN

    def pill(self, text: str, *, is_warning: bool = False) -> None:
        """A label at the top right, left of those that are there."""
        text = fitted(text, 24, 600)
        fill, ink = (CLAY_SOFT, CLAY) if is_warning else (CARD, INK)
        right = self._pills_from
        left = right - self.draw.textlength(text, font=font(24)) - 36
        self.draw.rounded_rectangle((left, 48, right, 92), 22, fill=fill, outline=RULE)
        self.draw.text((left + 18, 70), text, font=font(24), fill=ink, anchor="lm")
        self._pills_from = left - 14

    def title(self, title: str, line: str) -> None:
        """A headline as large as fits, a line under it, and a rule."""
        title = plain(title)
        size = next((size for size in TITLE_SIZES if font(size).getlength(title) <= INNER_WIDTH), TITLE_SIZES[-1])
        self.draw.text((MARGIN, 190), fitted(title, size, INNER_WIDTH), font=font(size), fill=INK, anchor="ls")
        self.draw.text((MARGIN, 206), fitted(line, 28, INNER_WIDTH), font=font(28), fill=MUTED)
        self.draw.line((MARGIN, 260, SIZE[0] - MARGIN, 260), fill=RULE, width=2)

    def figures(self, figures: Sequence[Figure]) -> None:
        """Up to four figures in two columns."""
        for place, (words, meaning) in enumerate(figures[:4]):
            left, top = MARGIN + place % 2 * (INNER_WIDTH // 2 + 10), 300 + place // 2 * 130
            width = INNER_WIDTH // 2 - 20
            self.draw.text((left, top), fitted(words, 46, width), font=font(46), fill=INK)
            self.draw.text((left, top + 62), fitted(meaning, 24, width), font=font(24), fill=MUTED)

    def sentence(self, text: str) -> None:
        """Words in place of figures."""
        self.draw.text((MARGIN, 320), fitted(text, 36, INNER_WIDTH), font=font(36), fill=INK)

    def foot(self, text: str) -> None:
        self.draw.text((MARGIN, 582), fitted(text, 22, INNER_WIDTH), font=font(22), fill=MUTED)

    def png(self) -> bytes:
        """The picture as a file. A card has few colours: a palette of 64 takes a third of the bytes."""
        from PIL import Image

        stream = io.BytesIO()
        self.image.quantize(64, method=Image.Quantize.FASTOCTREE).save(stream, "PNG")
        return stream.getvalue()


def png_response(content: bytes, max_age_s: int) -> HttpResponse:
    """A picture that everyone may keep for a while, and that other sites may show."""
    headers = {"Cache-Control": f"public, max-age={max_age_s}", "Cross-Origin-Resource-Policy": "cross-origin"}
    return HttpResponse(content, content_type="image/png", headers=headers)


def fitted(text: str, size: int, width: float) -> str:
    """The text on one line, with an ellipsis where it would run out of its place."""
    text, typeface = plain(text), font(size)
    if typeface.getlength(text) <= width:
        return text
    # So many letters cannot fit; a name of a megabyte is not measured letter by letter.
    text = text[: int(width)]
    while text and typeface.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def plain(text: str) -> str:
    """On one line, in letters that the typeface has, without what would turn the writing round."""
    shown = "".join(_drawable(letter) if letter.isprintable() else " " for letter in text[:2000])
    return " ".join(shown.split())


@cache
def font(size: int) -> FreeTypeFont:
    """The typeface inside Pillow, so that a machine without fonts draws the same card."""
    from PIL import ImageFont

    typeface = ImageFont.load_default(size)
    if not isinstance(typeface, ImageFont.FreeTypeFont):
        raise RuntimeError("This Pillow was built without FreeType, which share cards need.")
    return typeface


@cache
def _missing() -> bytes:
    """What the typeface draws for a letter that it does not have: U+10FFFF is none."""
    return bytes(font(24).getmask("\U0010ffff"))


@cache
def _has(letter: str) -> bool:
    return letter == " " or bytes(font(24).getmask(letter)) != _missing()


def _drawable(letter: str) -> str:
    """The letter, the plain letter inside it, or a mark for what cannot be drawn."""
    if letter.isascii() or _has(letter):
        return letter
    if letter in SPELLED:
        return SPELLED[letter]
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    if base and base != letter and all(part.isascii() or _has(part) for part in base):
        return base
    return "" if unicodedata.combining(letter) else UNKNOWN
