"""Writing the full dump as Parquet. Apart from its columns, because Arrow is slow to load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from leaderboard.dump_columns import DumpColumn
from leaderboard.parquet import ARROW_TYPES

#: rows held as Python values at once, and how many such batches make a row group
BATCH_ROWS = 1_000
BATCHES_PER_GROUP = 20
#: columns whose values are counted for the data card
COUNTED = ("licence", "trust", "energy_scope", "source_name")


@dataclass(slots=True)
class Written:
    """What the file holds. `data_version` is None where there was no row."""

    rows: int = 0
    data_version: int | None = None
    counts: dict[str, Counter[str | None]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})


def write_dump(
    stream: IO[bytes],
    columns: Sequence[DumpColumn],
    rows: Iterable[tuple[Any, ...]],
    about: Mapping[str, str],
) -> Written:
    """Write the rows, whose values are those of `paths_of(columns)` and the data version; memory holds a row group."""
    schema = schema_of(columns, about)
    written = Written()
    batches = _batches(columns, schema, iter(rows), written)
    # Figures repeat too seldom for dictionaries, which would be held in memory for each of a hundred columns.
    repeated = [column.name for column in columns if column.type is str]
    with pq.ParquetWriter(stream, schema, compression="zstd", use_dictionary=repeated) as writer:
        while group := list(islice(batches, BATCHES_PER_GROUP)):
            writer.write_table(pa.Table.from_batches(group, schema))
        writer.add_key_value_metadata({"data_version": str(written.data_version or 0), "rows": str(written.rows)})
    return written


def paths_of(columns: Sequence[DumpColumn]) -> list[str]:
    """The stored values that the columns are made of, each once."""
    return list(dict.fromkeys(column.path for column in columns))


def schema_of(columns: Sequence[DumpColumn], about: Mapping[str, str]) -> pa.Schema:
    """Units and meanings are metadata of each column, `about` is that of the file."""
    fields = []
    for column in columns:
        metadata = {"meaning": column.meaning, **({"unit": column.unit} if column.unit else {})}
        fields.append(pa.field(column.name, ARROW_TYPES[column.type], metadata=metadata))
    return pa.schema(fields, metadata=dict(about))


def stored_rows(stream: IO[bytes]) -> int:
    """How many rows a reader of the file finds."""
    stream.seek(0)
    rows: int = pq.ParquetFile(stream).metadata.num_rows
    return rows


def _batches(
    columns: Sequence[DumpColumn], schema: pa.Schema, rows: Iterator[tuple[Any, ...]], written: Written
) -> Iterator[pa.RecordBatch]:
    paths = paths_of(columns)
    while chunk := list(islice(rows, BATCH_ROWS)):
        values = dict(zip((*paths, "version"), zip(*chunk, strict=True), strict=True))
        arrays = [
            pa.array(column.made(values[column.path]), type=field.type)
            for column, field in zip(columns, schema, strict=True)
        ]
        batch = pa.record_batch(arrays, schema=schema)
        _count(batch, values["version"][0], written)
        yield batch


def _count(batch: pa.RecordBatch, version: int | None, written: Written) -> None:
    written.rows += batch.num_rows
    written.data_version = version
    for name, counter in written.counts.items():
        if name in batch.schema.names:
            found = batch.column(name).value_counts()
            counter.update({pair["values"]: pair["counts"] for pair in found.to_pylist()})
