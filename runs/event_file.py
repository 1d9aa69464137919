"""The Parquet file of a sealed run: every event in order of seq. Apart from sealing.py: Arrow is slow to load.

Columns have the names of the contract; `body` is the event's own text, which readers of the API get back unchanged.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

#: events in one row group: what a read of one event costs, against how well a file compresses
ROW_GROUP = 25_000
#: event ids that are compared with a file at once
_IDS_TOGETHER = 200_000

Row = tuple[int, datetime, str]

_FROM_BODY = pa.schema(
    [
        ("gpuId", pa.string()),
        ("model", pa.string()),
        ("useCase", pa.string()),
        ("tokenPerSec", pa.float64()),
        ("latencyMs", pa.float64()),
        ("vramUsedMB", pa.float64()),
        ("evalProgressIdx", pa.int64()),
        ("evalTotal", pa.int64()),
        ("powerW", pa.float64()),
        ("energyJ", pa.float64()),
        ("gpuUtilPct", pa.float64()),
        ("temperatureC", pa.float64()),
        ("outputTokens", pa.int64()),
        ("ttftMs", pa.float64()),
        ("eventId", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        *_FROM_BODY,
        ("simulated", pa.bool_()),
        ("body", pa.string()),
    ]
)


def table_of(rows: Sequence[Row], *, is_simulated: bool) -> pa.Table:
    """The events as columns, in the order given."""
    seqs, times, bodies = zip(*rows, strict=True)
    text = "\n".join(bodies).encode()
    parsed = pj.read_json(
        io.BytesIO(text),
        # One block, so that the rows come back as one chunk; a block must hold at least the longest line.
        read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=pj.ParseOptions(explicit_schema=_FROM_BODY, unexpected_field_behavior="ignore"),
    )
    own = {
        "seq": pa.array(seqs, SCHEMA.field("seq").type),
        "ts": pa.array(times, SCHEMA.field("ts").type),
        "simulated": pa.repeat(pa.scalar(is_simulated), len(rows)),
        "body": pa.array(bodies, pa.string()),
    }
    return pa.table([own[name] if name in own else parsed[name] for name in SCHEMA.names], schema=SCHEMA)


def writer(stream: IO[bytes], about: Mapping[str, str]) -> pq.ParquetWriter:
    """Takes tables of SCHEMA; `about` becomes the file's metadata."""
    return pq.ParquetWriter(stream, SCHEMA.with_metadata(dict(about)), compression="zstd")


class EventFile:
    """An open file of events. Reads go row group by row group, and only to those that are asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        # Read by this thread alone: Arrow's own threads can bring down a process that ends while they live.
        self._file = pq.ParquetFile(stream, pre_buffer=False)

    @property
    def count(self) -> int:
        return int(self._file.metadata.num_rows)

    @property
    def last_seq(self) -> int:
        return self._range("seq", self._file.num_row_groups - 1)[1] if self.count else 0

    @property
    def times(self) -> tuple[datetime, datetime]:
        """The earliest and the latest time; the file must not be empty."""
        ranges = [self._range("ts", group) for group in range(self._file.num_row_groups)]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def tables(self) -> Iterator[pa.Table]:
        for group in range(self._file.num_row_groups):
            yield self._file.read_row_group(group, use_threads=False)

    def texts(self, after_seq: int = 0) -> Iterator[tuple[int, str]]:
        """(seq, text) of the events behind `after_seq`, in order of seq."""
        for group in range(self._file.num_row_groups):
            if self._range("seq", group)[1] <= after_seq:
                continue
            rows = self._file.read_row_group(group, ["seq", "body"], use_threads=False)
            rows = rows.slice(int(np.searchsorted(rows["seq"].to_numpy(), after_seq, side="right")))
            for batch in rows.to_batches(max_chunksize=1000):
                yield from zip(batch["seq"].to_pylist(), batch["body"].to_pylist(), strict=True)

    def newest_texts(self, limit: int) -> list[tuple[int, str]]:
        """(seq, text) of the last events, in order of seq."""
        found: list[tuple[int, str]] = []
        for group in reversed(range(self._file.num_row_groups)):
            rows = self._file.read_row_group(group, ["seq", "body"], use_threads=False)
            rows = rows.slice(max(len(rows) - (limit - len(found)), 0))
            found = [*zip(rows["seq"].to_pylist(), rows["body"].to_pylist(), strict=True), *found]
            if len(found) >= limit:
                break
        return found

    def known_ids(self, event_ids: Iterator[str]) -> Iterator[str]:
        """Those of the event ids that the file has."""
        while some := list(islice(event_ids, _IDS_TOGETHER)):
            wanted = pa.array(some, pa.string())
            for group in range(self._file.num_row_groups):
                column = self._file.read_row_group(group, ["eventId"], use_threads=False)["eventId"]
                yield from column.filter(pc.is_in(column, wanted)).to_pylist()

    def _range(self, column: str, group: int) -> tuple[Any, Any]:
        statistics = self._file.metadata.row_group(group).column(SCHEMA.get_field_index(column)).statistics
        return statistics.min, statistics.max


def lane_values(
    table: pa.Table, fields: Iterable[str]
) -> Iterator[tuple[str, str, npt.NDArray[Any], npt.NDArray[Any]]]:
    """(lane, field, times in Unix seconds, values) of a table; values are NaN where an event lacks the field."""
    times = table["ts"].cast(pa.int64()).to_numpy() / 1e6
    lanes = table["gpuId"].dictionary_encode().combine_chunks()
    places = lanes.indices.to_numpy()
    columns = {name: table[name] for name in fields if table[name].null_count < len(table)}
    values = {name: column.to_numpy().astype(np.float64) for name, column in columns.items()}
    for number, lane in enumerate(lanes.dictionary.to_pylist()):
        chosen = places == number
        for name, numbers in values.items():
            yield lane, name, times[chosen], numbers[chosen]
