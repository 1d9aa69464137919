"""Points for charts, with only the fields that matter, and tables read back."""

from __future__ import annotations

import uuid
from typing import Any

from leaderboard.analysis.points import Point


def a_point(values: dict[str, float | None], **fields: Any) -> Point:
    given: dict[str, Any] = {
        "id": uuid.uuid4(),
        "model": "org/model-8b",
        "model_title": "Model 8B",
        "family": "Family",
        "parameters_total_b": 8.0,
        "parameters_active_b": 8.0,
        "hardware": "h100",
        "hardware_name": "H100",
        "gpu_count": 1,
        "backend": "vllm",
        "backend_name": "vLLM",
        "backend_version": "",
        "precision": "bf16",
        "batch_size": 8,
        "concurrency": None,
        "energy_scope": "gpu",
        "trust": 30,
        "runs": 3,
    }
    known = {name: value for name, value in given.items() if name in Point.__slots__}
    return Point(**{**known, **fields, "values": values})


def table_of(chart: Any, *names: str) -> list[tuple[Any, ...]]:
    """These columns of the table, by the names of the CSV file."""
    heads = [column.name for column in chart.table.columns]
    places = [heads.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in chart.table.rows]
