"""SQL that is kept: for the calls that come many times a second.

Django takes ten times longer to write a query than a database to answer it, and on PostgreSQL each statement is a
round trip. What is read here becomes models all the same, and what is written comes from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)

#: SQL with its values
Statement = tuple[str, Sequence[Any]]


def stored_uuid(value: UUID | None) -> Any:
    """The id as the database has it: SQLite knows no UUIDs."""
    return value if value is None or connection.features.has_native_uuid_field else value.hex


class RowsOf(Generic[M]):
    """Makes a model of its columns in a row, all of them in their order; `table` is how the query calls its table."""

    def __init__(self, model: type[M], table: str = "") -> None:
        self._model, self._fields = model, model._meta.concrete_fields
        self._names = [field.attname for field in self._fields]
        self.count = len(self._fields)
        self.columns = ", ".join(f"{table}.{field.column}" for field in self._fields)

    @cached_property
    def _conversions(self) -> list[tuple[int, Any, list[Callable[..., Any]]]]:
        columns = [field.get_col(self._model._meta.db_table) for field in self._fields]
        found = [connection.ops.get_db_converters(one) + one.get_db_converters(connection) for one in columns]
        return [(place, columns[place], each) for place, each in enumerate(found) if each]

    def read(self, row: Sequence[Any]) -> M:
        values = list(row)
        for place, column, converters in self._conversions:
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        return self._model.from_db(connection.alias, self._names, values)


def insertion(row: Model) -> Statement:
    """The statement that writes a new row, which does not learn the id that the database gives it."""
    sql, fields = _insertion(type(row))
    return sql, [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]


@cache
def _insertion(model: type[Model]) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.local_concrete_fields if not getattr(field, "db_returning", False)]
    columns, places = ", ".join(str(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})", fields  # noqa: S608 - names of models


def run_together(statements: Sequence[Statement]) -> list[int]:
    """Run statements one after the other, on PostgreSQL in one round trip; how many rows each of them wrote.

    Part of the caller's transaction: after an error none of them has been.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return [cursor.execute(sql, values).rowcount for sql, values in statements]
        cursor.execute(";\n".join(sql for sql, _ in statements), [one for _, values in statements for one in values])
        counts = [cursor.rowcount]
        while cursor.nextset():
            counts.append(cursor.rowcount)
        return counts
