"""Opens a dump with pyarrow, pandas and DuckDB; imports nothing of the site, so that any interpreter can run it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def with_pyarrow(path: Path) -> str:
    import pyarrow.parquet as pq

    file: Any = pq.ParquetFile(path)
    units = {field.name: field.metadata[b"unit"].decode() for field in file.schema_arrow if b"unit" in field.metadata}
    about = {key.decode(): text.decode() for key, text in file.schema_arrow.metadata.items()}
    shown = ", ".join(f"{name} [{units[name]}]" for name in list(units)[:6])
    return (
        f"{file.metadata.num_rows:,} rows, {len(file.schema_arrow.names)} columns in "
        f"{file.metadata.num_row_groups} row groups; version {about['version']}, licence {about['licence']!r}; "
        f"{len(units)} columns with units: {shown} …"
    )


def with_pandas(path: Path) -> str:
    import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]  # not a dependency of the site

    frame: Any = pd.read_parquet(path, columns=["model", "hardware", "energy_scope", "tokens_per_joule"])
    best = frame[frame.energy_scope == "gpu"].groupby("hardware").tokens_per_joule.median().max()
    return f"{len(frame):,} rows; highest median of tokens_per_joule over GPUs: {best:.4g} tok/J"


def with_duckdb(path: Path) -> str:
    import duckdb  # type: ignore[import-not-found, import-untyped, unused-ignore]  # not a dependency of the site

    rows, median = duckdb.sql(
        f"SELECT count(*), median(tokens_per_joule) FROM '{path}' WHERE energy_scope = 'gpu'"
    ).fetchall()[0]
    found = duckdb.sql(
        f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}') WHERE decode(key) = 'version'"
    ).fetchall()[0]
    return f"{rows:,} rows of GPU scope, median {median:.4g} tok/J; file metadata {found}"


READERS: dict[str, Callable[[Path], str]] = {"pyarrow": with_pyarrow, "pandas": with_pandas, "duckdb": with_duckdb}


def main(folder: str) -> None:
    path = next(Path(folder).glob("*.parquet"))
    for name, read in READERS.items():
        is_there = importlib.util.find_spec(name) is not None
        print(f"{name}: {read(path) if is_there else 'not installed here, skipped'}")


if __name__ == "__main__":
    main(sys.argv[1])
