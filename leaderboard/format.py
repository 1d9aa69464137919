"""Numbers and times as people read them: three to five significant digits, thin thousands, plain units."""

from __future__ import annotations

import math
from datetime import datetime


def number(value: float | int | None, digits: int = 4) -> str:
    """`value` with `digits` significant digits, never in scientific notation; "" for None."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0:
        return "0"
    decimals = min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 12)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals > digits else text


def exact(value: float | int | str | bool | None) -> str:
    """`value` in full, for the page of one result."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = number(value, 6)
        return text.rstrip("0").rstrip(".") if "." in text else text  # 250, not 250.000
    if isinstance(value, int):
        return f"{value:,}"
    return value


def interval_percent(mean: float, low: float | None, high: float | None) -> str:
    """Half the width of an interval relative to its mean, such as "±1.2 %"."""
    if low is None or high is None or not mean:
        return ""
    return f"±{number((high - low) / 2 / abs(mean) * 100, 2)} %"


def day(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d}"


def minute(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def size(size_bytes: int) -> str:
    """A file's size in kB or MB of 1,000."""
    if size_bytes < 1_000_000:
        return f"{max(size_bytes / 1000, 0.1):.1f} kB"
    return f"{size_bytes / 1e6:.1f} MB"


def count(amount: int, one: str, many: str = "") -> str:
    """ "1 result", "3 results"."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
