"""Writing rows of the normal form as Parquet. Apart from exports.py, because Arrow is slow to load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from leaderboard.field_kinds import KINDS
from leaderboard.metrics import BY_NAME
from leaderboard.result_values import PRICED

ARROW_TYPES = {
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    str: pa.string(),
    datetime: pa.timestamp("us", tz="UTC"),
}


def write_parquet(
    stream: IO[bytes], names: Sequence[str], batches: Iterable[list[dict[str, Any]]], about: Mapping[str, str]
) -> None:
    """Write the rows, one row group a batch; `about` becomes the file's metadata."""
    schema = pa.schema([_column(name) for name in names], metadata=dict(about))
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _column(name: str) -> pa.Field:
    if name in PRICED:
        metric = BY_NAME[name]
        return pa.field(name, pa.float64(), metadata={"unit": metric.unit, "meaning": metric.meaning})
    kind = KINDS.get(name)
    if kind is None:
        return pa.field(name, pa.string())
    metadata = {key: text for key, text in (("unit", kind.unit), ("meaning", kind.meaning)) if text}
    return pa.field(name, ARROW_TYPES[kind.type], metadata=metadata)
