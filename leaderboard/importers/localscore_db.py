"""LocalScore's SQLite file: its runs as the website gives them. The file is a stranger's, so it is opened as one.

It is read from memory with only-read statements on named tables. Schemas with views, triggers, virtual tables or
generated columns are refused, functions in them are not run, and every statement ends after a fixed amount of work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from leaderboard.importers.base import Document, ImportRefused
from lemsite.lib.archives import Entry
from lemsite.lib.strict_json import BadJson, check_text

MAGIC = b"SQLite format 3\x00"
MAX_BYTES = 8 << 20
MAX_RUNS = 2000
MAX_TESTS = 40_000
_MAX_TEXT = 1 << 16
#: a statement over the largest file that is accepted takes far fewer
_MAX_STEPS = 20_000_000
_STEPS_BETWEEN_CALLS = 10_000
_TABLES: dict[str, tuple[str, ...]] = {
    "benchmark_runs": ("id", "system_id", "accelerator_id", "model_variant_id", "runtime_id", "created_at"),
    "benchmark_systems": ("id", "cpu_name", "cpu_arch", "ram_gb", "kernel_type", "kernel_release", "system_version"),
    "accelerators": ("id", "name", "type", "memory_gb"),
    "model_variants": ("id", "model_id", "quantization"),
    "models": ("id", "name", "params"),
    "runtimes": ("id", "name", "version", "commit_hash"),
    "test_results": (
        "benchmark_run_id", "name", "n_prompt", "n_gen", "avg_time_ms", "power_watts", "prompt_tps", "gen_tps",
        "vram_used_mb", "ttft_ms",
    ),
}  # fmt: skip
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
_WHAT = "a SQLite database; the only one that this site reads is LocalScore's"

Row = dict[str, Any]


def is_database(content: bytes) -> bool:
    return content.startswith(MAGIC)


def run_documents(path: str, content: bytes) -> list[Document]:
    """Return one document per run, or raise ImportRefused."""
    if len(content) > MAX_BYTES:
        raise ImportRefused(f"{path}: it is larger than the {MAX_BYTES >> 20} MiB that are read.", file=path)
    try:
        with _opened(content) as database:
            _check_schema(path, database)
            tables = {name: _rows(path, database, name) for name in _TABLES}
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, MemoryError):
        raise ImportRefused(f"{path}: it is damaged, or not {_WHAT[2:]}.", file=path) from None
    runs = _runs(tables)
    if not runs:
        raise ImportRefused(f"{path}: its table benchmark_runs is empty; it must hold at least one run.", file=path)
    return [Document(f"{path}: run {run['id']}", run, path) for run in runs]


def as_text(path: str, runs: Sequence[Document]) -> Entry:
    """What is kept of the file: the runs that were read, as JSON."""
    return Entry(f"{path}.json", json.dumps([run.data for run in runs], indent=1, ensure_ascii=False).encode())


@contextmanager
def _opened(content: bytes) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", cached_statements=0)) as database:
        database.deserialize(content)
        for limit, value in (
            (sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, _MAX_TEXT),
            (sqlite3.SQLITE_LIMIT_COLUMN, 100),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        ):
            database.setlimit(limit, value)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "temp_store = MEMORY"):
            database.execute(f"PRAGMA {pragma}")
        left = [_MAX_STEPS // _STEPS_BETWEEN_CALLS]

        def is_over() -> int:
            left[0] -= 1
            return int(left[0] < 0)

        database.set_progress_handler(is_over, _STEPS_BETWEEN_CALLS)
        database.set_authorizer(_authorize)
        yield database


def _authorize(action: int, first: str | None, second: str | None, _base: str | None, through: str | None) -> int:
    """Let through reads of the named columns, asked for by ourselves and not by a view or a trigger of the file."""
    if action == sqlite3.SQLITE_READ:
        columns = (*_TABLES.get(first or "", ()), "") if first in _TABLES else _SCHEMA.get(first or "", ())
        return sqlite3.SQLITE_OK if second in columns and through is None else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


_SCHEMA = dict.fromkeys(("sqlite_master", "sqlite_schema"), ("type", "name", "sql", ""))


def _check_schema(path: str, database: sqlite3.Connection) -> None:
    found = {}
    for kind, name, sql in database.execute("SELECT type, name, sql FROM sqlite_master LIMIT 500"):
        text = sql if isinstance(sql, str) else ""
        words = text.upper().split()
        if kind not in ("table", "index") or "VIRTUAL" in words[:3] or "GENERATED" in words or " AS (" in text.upper():
            raise ImportRefused(f"{path}: it holds more than plain tables, so it is not read.", file=path)
        if kind == "table":
            found[name] = text
    missing = [name for name in _TABLES if name not in found]
    if missing:
        raise ImportRefused(f"{path}: it is {_WHAT}, and the table {missing[0]} is missing.", file=path)


def _rows(path: str, database: sqlite3.Connection, table: str) -> list[Row]:
    columns = _TABLES[table]
    most = MAX_TESTS if table == "test_results" else MAX_RUNS
    # In brackets: SQLite takes a name in double quotes for text where there is no such column.
    names = ", ".join(f"[{name}]" for name in columns)
    query = f"SELECT {names} FROM [{table}] LIMIT {most + 1}"  # noqa: S608 - names of ours, none from the file
    rows = database.execute(query).fetchall()
    if len(rows) > most:
        raise ImportRefused(f"{path}: its table {table} has more than {most} rows; split it.", file=path)
    return [{name: _cell(path, table, value) for name, value in zip(columns, row, strict=True)} for row in rows]


def _cell(path: str, table: str, value: Any) -> Any:
    """Return what JSON could hold, too."""
    try:
        if isinstance(value, str):
            check_text(value)
        if isinstance(value, bytes) or (isinstance(value, float) and not abs(value) < float("inf")):
            raise BadJson("it holds a value that is neither text nor a finite number")
    except BadJson as error:
        raise ImportRefused(f"{path}: table {table}: {error}.", file=path) from None
    return value


def _runs(tables: dict[str, list[Row]]) -> list[Row]:
    by_id = {name: {row["id"]: row for row in rows if "id" in row} for name, rows in tables.items()}
    tests: dict[Any, list[Row]] = {}
    for test in tables["test_results"]:
        tests.setdefault(test["benchmark_run_id"], []).append(test)
    return [_run(run, by_id, tests.get(run["id"], [])) for run in tables["benchmark_runs"]]


def _run(run: Row, by_id: dict[str, dict[Any, Row]], tests: list[Row]) -> Row:
    """One run in the shape of the website's own JSON."""
    accelerator = by_id["accelerators"].get(run["accelerator_id"], {})
    variant = by_id["model_variants"].get(run["model_variant_id"], {})
    model = by_id["models"].get(variant.get("model_id"), {})
    return {
        "id": run["id"],
        "created_at": run["created_at"],
        "accelerator": accelerator.get("name"),
        "accelerator_type": accelerator.get("type"),
        "accelerator_memory_gb": accelerator.get("memory_gb"),
        "model": {"name": model.get("name"), "quant": variant.get("quantization"), "params": model.get("params")},
        "system": by_id["benchmark_systems"].get(run["system_id"], {}),
        "runtime": by_id["runtimes"].get(run["runtime_id"], {}),
        "results": tests,
    }
