"""What other benchmark tools write beside their results, and what becomes of it."""

from __future__ import annotations

from typing import Any

_PER_REQUEST = "Records of single requests are not imported."
_TABLE = "The same figures are read from the JSON file beside it."
#: files by their name
IGNORED_NAMES = {
    "profile_export.jsonl": _PER_REQUEST,
    "profile_export_raw.jsonl": _PER_REQUEST,
    "inputs.json": "Prompts are not imported.",
    "profile_export_aiperf.csv": _TABLE,
    "profile_export_aiperf_timeslices.csv": _TABLE,
    "server_metrics_export.json": "Metrics of the server are not imported.",
    "server_metrics_export.csv": "Metrics of the server are not imported.",
    "codecarbon.csv": "The energy is read from the report.",
    "per_request_lifecycle_metrics.json": _PER_REQUEST,
    "per_session_lifecycle_metrics.json": _PER_REQUEST,
}
#: JSON by its keys
UNUSED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"timeslices", "input_config"}), "Parts of a run are not imported; the whole is."),
    (frozenset({"energy_consumed", "gpu_energy", "ram_energy"}), "The energy is read from the report."),
    (frozenset({"architectures", "models", "tasks"}), "The list of a leaderboard's tasks holds no result."),
    (frozenset({"num_sessions", "session_duration_sec"}), "Sessions are not imported; their requests are."),
    (frozenset({"collection_interval", "steady_state_stats"}), "Metrics of the server are not imported."),
)
RUN_CONFIG = frozenset({"backend", "scenario", "launcher"})
_MODEL = frozenset({"url", "nickname", "params"})


def unused_because(data: Any) -> str | None:
    """Why a JSON value of another tool holds no result, or None."""
    if not isinstance(data, dict) or not data:
        return None
    if all(isinstance(item, dict) and item.keys() >= _MODEL for item in data.values()):
        return "ML.ENERGY's list of models holds no result."
    return next((why for sign, why in UNUSED if sign <= data.keys()), None)
