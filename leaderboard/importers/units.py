"""Units as other tools write them, in ours. The case counts: mJ and MJ are nine powers of ten apart."""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.importers.fields import Fields

J_PER_KWH = 3.6e6

MILLISECONDS: Mapping[str, float] = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "sec": 1e3,
    "seconds": 1e3,
}
JOULES: Mapping[str, float] = {"mJ": 1e-3, "J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": 3600.0, "kWh": J_PER_KWH}
#: MB of 10^6 bytes
MEGABYTES: Mapping[str, float] = {
    "B": 1e-6,
    "KB": 1e-3,
    "MB": 1.0,
    "GB": 1e3,
    "MiB": 1.048576,
    "GiB": 1073.741824,
}


def scaled(fields: Fields, name: str, table: Mapping[str, float], *, unit: str = "unit") -> float | None:
    """Return the number `name` in our unit. A unit that the table does not know is refused, never guessed."""
    value = fields.number(name)
    if value is None:
        return None
    stated = fields.text(unit)
    if stated is None or stated not in table:
        was = "missing" if stated is None else repr(stated[:40])
        raise fields.refuse(unit, f"is {was}, but must be one of {', '.join(table)}")
    return value * table[stated]
