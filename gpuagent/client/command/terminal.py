"""What goes to the terminal: text of strangers made harmless, tables, colours where they are wanted."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import IO, Any

#: colours of a log; what else begins with escape is shown, not obeyed
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
BOLD, RED, YELLOW, DIM = "1", "31", "33", "2"


def plain(text: object) -> str:
    """One line in which nothing can move the cursor, hide or turn around what stands beside it."""
    return "".join(character if _is_harmless(character) else _escaped(character) for character in str(text))


def plain_log(text: str) -> str:
    """Lines of a log. A carriage return would overwrite what stands there."""
    lines = _COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("\t".join(plain(part) for part in line.split("\t")) for line in lines)


def _is_harmless(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ" or character == " "


def _escaped(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def has_colours(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def painted(text: str, colour: str, stream: IO[str] | None = None) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if has_colours(stream or sys.stdout) else text


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def figure(value: Any, digits: int = 3) -> str:
    """Three digits that count, and nothing for what is not known."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return plain(value)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """Columns as wide as they need to be; those numbered in `right` end together."""
    cells = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    ends = set(right)
    return [
        "  ".join(
            cell.rjust(width) if place in ends else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
