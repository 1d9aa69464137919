"""Power, utilisation, memory and temperature of the GPUs of an attempt: points for charts, and the tables behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.presenting.common import short_uuid
from jobs.presenting.rows import TelemetryChart
from jobs.queries.records import QUANTITIES, Line, Samples, Summary, thinned
from leaderboard.format import number

#: column -> label, unit, whether the axis begins at zero
CHARTS = {
    "power_w": ("Power", "W", True),
    "util": ("Utilisation", "%", True),
    "mem_mib": ("Memory used", "GiB", True),
    "temp_c": ("Temperature", "°C", False),
}
MAX_GPUS = 16


def series(samples: Samples) -> dict[str, Any]:
    """{"lanes", "x", "fields", "next", "every"}: one line a GPU; `next` is the sample to ask for next."""
    few, every = thinned(samples)
    uuids = list(few.gpus)[:MAX_GPUS]
    fields = {name: [_in_unit(few.gpus[uuid][name], name) for uuid in uuids] for name in QUANTITIES}
    return {
        "lanes": [f"GPU {short_uuid(uuid)}" for uuid in uuids],
        "x": few.t,
        "fields": fields,
        "next": few.next_seq,
        "every": every,
    }


def charts(summaries: Sequence[Summary], *, is_live: bool) -> list[TelemetryChart]:
    """Quantities that no GPU told have no chart, unless they may still come."""
    found = []
    for name, (label, unit, is_from_zero) in CHARTS.items():
        rows = [_row(one) for one in summaries if one.name == name][:MAX_GPUS]
        if is_live or any(row[-1] != "0" for row in rows):
            found.append(TelemetryChart(name, label, unit, is_from_zero, rows))
    return found


def _row(one: Summary) -> list[str]:
    divisor = QUANTITIES[one.name]
    figures = [
        number(None if value is None else value / divisor, 4) for value in (one.mean, one.low, one.high, one.last)
    ]
    return [f"GPU {short_uuid(one.uuid)}", *figures, f"{one.count:,}"]


def _in_unit(line: Line, name: str) -> Line:
    divisor = QUANTITIES[name]
    return [None if value is None else round(value / divisor, 3) for value in line]
