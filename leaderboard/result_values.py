"""One result as plain values under the names of docs/metrics.md: what the API answers with and exports hold."""

from __future__ import annotations

from typing import Any

from leaderboard.board import Prices
from leaderboard.field_kinds import KINDS
from leaderboard.metrics import BY_NAME
from leaderboard.models import Result, Trust
from leaderboard.presenting.board import cell_value
from leaderboard.services.scoring import NAME_COLUMNS

#: the names as the file gave them, where the plain field holds the catalogue's
REPORTED = tuple(f"{name}_reported" for name in NAME_COLUMNS)
#: figures that depend on the reader's own prices and grid
PRICED = ("cost_per_million_tokens_usd", "co2_g_per_million_tokens")
#: what says which result a row is; a reader who chooses columns gets these and the chosen ones
IDENTITY = (
    "id", "submission", "trust", "licence", "model", "hardware", "gpu_count", "backend", "precision", "energy_scope",
)  # fmt: skip
FLAT = ("id", "submission", "trust", "licence", *KINDS, *REPORTED, *PRICED)


def flat_values(result: Result, prices: Prices) -> dict[str, Any]:
    """Every single-valued field, None where it is unknown. The catalogue's names where it knows them."""
    reported = {name: getattr(result, column) or None for name, column in NAME_COLUMNS.items()}
    values = {name: _known(getattr(result, name)) for name in KINDS if name not in NAME_COLUMNS}
    return {
        "id": str(result.pk),
        "submission": str(result.submission_id),
        "trust": Trust(result.trust).code,
        # Figures carried over from elsewhere stand under the terms of their source.
        "licence": None if result.source_name else result.submission.licence,
        **{name: values.get(name) for name in KINDS},
        "model": result.model.name if result.model else reported["model"],
        "hardware": result.hardware.slug if result.hardware else reported["hardware"],
        "backend": result.backend.slug if result.backend else reported["backend"],
        **{f"{name}_reported": value for name, value in reported.items()},
        **{name: cell_value(result, BY_NAME[name], prices) for name in PRICED},
    }


def chosen_fields(columns: tuple[str, ...] | None) -> tuple[str, ...]:
    """The flat fields of a reader who chose these metrics, or all of them."""
    return FLAT if columns is None else (*IDENTITY, *(name for name in columns if name not in IDENTITY))


def _known(value: Any) -> Any:
    return None if value == "" else value
