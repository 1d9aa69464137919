"""What `migrate` makes of an empty database: kept, because making it takes seconds, and put back after a flush."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model
from django.test import TransactionTestCase

UNUSED_AFTER_S = 24 * 3600


def start_from_kept(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the test database begin with the kept tables; its `migrate` has its signals sent, and nothing to apply."""
    creation: Any = connection.creation
    create: Callable[..., str] = creation._create_test_db

    def create_with_tables(*args: Any, **kwargs: Any) -> str:
        name = create(*args, **kwargs)
        connection.close()
        connection.settings_dict["NAME"] = name
        _fill(folder)
        return name

    patch.setattr(creation, "_create_test_db", create_with_tables)


def put_back_after_flush(patch: pytest.MonkeyPatch) -> None:
    """Tests that commit begin with the rows of `migrate`, as they were: making them anew is most of a flush.

    Only tables with other rows than these are touched. TRUNCATE, which Django would say of all of them on PostgreSQL,
    takes a second, as it makes each table and each index a new file.
    """
    models = [model for model in apps.get_models(include_auto_created=True) if _has_own_table(model)]
    kept = {model: rows for model in models if (rows := list(model._base_manager.all()))}
    begun_with = {model: _values(model) for model in kept}
    empty = [model for model in models if model not in kept]

    def flush_and_put_back(_: TransactionTestCase) -> None:
        changed = [model for model in kept if _values(model) != begun_with[model]] + _filled(empty)
        with transaction.atomic(), _without_guards(changed), connection.cursor() as cursor:
            for model in changed:
                cursor.execute(f"DELETE FROM {_table(model)}")
            for model in changed:
                model._base_manager.bulk_create(kept.get(model, []))

    patch.setattr(TransactionTestCase, "_fixture_teardown", flush_and_put_back)


def _has_own_table(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _values(model: type[Model]) -> list[tuple[Any, ...]]:
    return list(model._base_manager.order_by("pk").values_list())


def _filled(models: list[type[Model]]) -> list[type[Model]]:
    """Those that have a row, by one question for all."""
    asked = (f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {_table(model)})" for number, model in enumerate(models))
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [models[number] for (number,) in cursor.fetchall()]


@contextmanager
def _without_guards(models: list[type[Model]]) -> Iterator[None]:
    """On PostgreSQL triggers keep rows of some tables from being deleted."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        guarded = {name for (name,) in cursor.fetchall()} & {model._meta.db_table for model in models}
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        yield
        # A table whose references are still to be looked at cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _fill(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{_key()}.sqlite3"
    connection.ensure_connection()
    with (folder / "lock").open("w") as lock:
        # Whoever comes second waits, and finds it made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            with closing(sqlite3.connect(kept)) as tables:
                tables.backup(connection.connection)
        else:
            _make(kept)
        kept.touch()


def _make(kept: Path) -> None:
    for old in kept.parent.glob("*.sqlite3"):
        if old.stat().st_mtime < time.time() - UNUSED_AFTER_S:
            old.unlink()
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    new = kept.with_suffix(".new")
    new.unlink(missing_ok=True)
    write_to(new)
    new.rename(kept)


def write_to(path: Path) -> None:
    """The test database as a file."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])


def _key() -> str:
    """Another one as soon as any migration of any app is."""
    digest = hashlib.sha256(f"{django.__version__} {sqlite3.sqlite_version}".encode())
    for app in apps.get_app_configs():
        for path in sorted((Path(app.path) / "migrations").glob("*.py")):
            digest.update(f"{app.label} {path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
