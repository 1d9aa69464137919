"""What `migrate` makes of an empty database: kept, because making it takes seconds, and put back after a flush."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.core.management import call_command
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
    """Tests that commit begin with the rows of `migrate`, as they were: making them anew is most of a flush."""
    tables = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    rows: dict[type[Model], list[Model]] = {model: list(model._base_manager.all()) for model in tables}

    def flush_and_put_back(_: TransactionTestCase) -> None:
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False, inhibit_post_migrate=True)
        with transaction.atomic():
            for model, made in rows.items():
                model._base_manager.bulk_create(made)

    patch.setattr(TransactionTestCase, "_fixture_teardown", flush_and_put_back)


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
