"""The leaderboard as a file: CSV, JSON or Parquet of one board query, row by row, so that memory stays small."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, Any

from leaderboard.board import BoardQuery
from leaderboard.field_kinds import KINDS
from leaderboard.metrics import BY_NAME
from leaderboard.queries.results import board_rows
from leaderboard.result_values import PRICED, chosen_fields, flat_values

MAX_ROWS = 100_000
LICENCE = "per row, in the column licence; rows with a source_name under the terms of their source"
_BATCH = 5_000
#: a spreadsheet runs a cell that begins so, full-width forms included
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Export:
    """What to write: the board, the metrics chosen (None: all), the most rows, and the data version it shows."""

    query: BoardQuery
    columns: tuple[str, ...] | None
    most: int
    version: int

    @property
    def names(self) -> tuple[str, ...]:
        return chosen_fields(self.columns)

    def rows(self) -> Iterator[dict[str, Any]]:
        names = self.names
        for result in board_rows(self.query, self.most):
            values = flat_values(result, self.query.prices)
            yield {name: values[name] for name in names}


def csv_lines(export: Export) -> Iterator[str]:
    """RFC 4180, a header row of field names; numbers stay numbers, unknown is empty."""
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow(export.names)
    for row in export.rows():
        writer.writerow([_csv_cell(value) for value in row.values()])
        yield _taken(line)
    yield _taken(line)


def csv_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A small table as CSV, safe to open in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_csv_cell(value) for value in row] for row in rows)
    return text.getvalue()


def json_parts(export: Export) -> Iterator[str]:
    """{"version", "licence", "units": {field: unit}, "results": [...], "rows", "is_cut"}

    `is_cut`: there are as many rows as the file may hold, so that there may be more on the site.
    """
    head = {"version": export.version, "licence": LICENCE, "units": units(export.names)}
    yield json.dumps(head)[:-1] + ', "results": ['
    rows = 0
    for row in export.rows():
        yield (", " if rows else "") + json.dumps(row, default=datetime.isoformat, allow_nan=False)
        rows += 1
    yield f'], "rows": {rows}, "is_cut": {json.dumps(rows >= export.most)}}}'


def parquet_file(export: Export) -> IO[bytes]:
    """An open temporary file at its start; each column's metadata holds its unit and meaning."""
    # Arrow takes a tenth of a second and 60 MB to load: only a process that writes Parquet pays for it.
    from leaderboard.parquet import write_parquet

    stream = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    about = {"licence": LICENCE, "data_version": str(export.version), "row_limit": str(export.most)}
    write_parquet(stream, export.names, _batches(export.rows()), about)
    stream.seek(0)
    return stream


def units(names: tuple[str, ...]) -> dict[str, str]:
    """field -> unit, for the fields that have one"""
    found = {name: KINDS[name].unit for name in names if name in KINDS}
    found |= {name: BY_NAME[name].unit for name in PRICED if name in names}
    return {name: unit for name, unit in found.items() if unit}


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value.isoformat() if isinstance(value, datetime) else value


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text
