"""What every chart is: a Plotly figure, what it says in words, and a table with the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table behind a chart. `name` is its head in the CSV file, `label` and `unit` on the page."""

    name: str
    label: str
    unit: str = ""


#: as it stands in the CSV file; pages format numbers
Value = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain values under the columns; every mark of the figure has its row, and the other way round."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    #: the page of each row's result, "" for none; as long as `rows`, or empty
    urls: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure. Colours are names of tokens ("series-1" to "series-6", "text", "muted", "line"), which the page's
    theme turns into colours; marks differ in shape, dash or pattern too, so that grey and colour-blind readers see it.
    """

    slug: str
    title: str
    #: what it shows and finds, in one or two sentences: the text for those who cannot see it
    summary: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table
    #: sampling, scope, what is left out: said below the figure
    notes: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        return not self.table.rows
