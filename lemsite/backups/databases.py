"""A consistent copy of the database, and a database made of one: SQLite by its online backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from lemsite.backups import BackupError

COPY = "backup_copy"
NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
#: everything goes, in the transaction that brings what was saved; it waits 20 s for a site that was not stopped
EMPTY = """
SET LOCAL lock_timeout = '20s';
SET LOCAL client_min_messages = warning;
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || one.name || ' CASCADE';
    END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
        EXECUTE 'DROP FUNCTION IF EXISTS ' || one.name || ' CASCADE';
    END LOOP;
END $$;
"""


def engine() -> str:
    return str(connection.vendor)


@contextmanager
def snapshot(path: Path) -> Iterator[str]:
    """Write a copy of the database to `path`; inside, the alias of a database whose rows are those of the copy."""
    if engine() == "sqlite":
        copy_sqlite(Path(connection.settings_dict["NAME"]), path)
        with opened_sqlite(path) as alias:
            yield alias
        return
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (shared,) = cursor.fetchone()
        _run([program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={shared}", f"--file={path}"])
        yield "default"


def copy_sqlite(source: Path, goal: Path) -> None:
    """SQLite's own online backup: one read transaction, so that writers go on; all in `goal` or nothing."""
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(goal, timeout=60)) as copy:
        live.backup(copy)
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BackupError(f"{goal} is not a whole database: {source} is damaged.")


@contextmanager
def opened_sqlite(path: Path) -> Iterator[str]:
    """A database of Django's beside the site's own, and no write-ahead log left of it."""
    own = connections["default"].settings_dict
    options = {**own["OPTIONS"], "init_command": "PRAGMA journal_mode=DELETE; PRAGMA foreign_keys=ON;"}
    connections.settings[COPY] = {**own, "NAME": str(path), "OPTIONS": options, "CONN_MAX_AGE": None}
    try:
        yield COPY
    finally:
        connections[COPY].close()
        del connections[COPY], connections.settings[COPY]


def row_counts(using: str) -> dict[str, int]:
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    known = set(connections[using].introspection.table_names())
    tables = sorted({model._meta.db_table for model in models if not model._meta.proxy} & known)
    with connections[using].cursor() as cursor:
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) FROM {connections[using].ops.quote_name(table)}")  # noqa: S608  our names
            counts[table] = int(cursor.fetchone()[0])
    return counts


def applied_migrations(using: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connections[using]).applied_migrations()):
        found.setdefault(app, []).append(name)
    return found


def put_back_sqlite(copy: Path) -> None:
    """The site's database becomes this one, in one transaction of SQLite's own."""
    goal = Path(connection.settings_dict["NAME"])
    connection.close()
    goal.parent.mkdir(parents=True, exist_ok=True)
    try:
        copy_sqlite(copy, goal)
    except sqlite3.OperationalError as error:
        raise BackupError(f"{goal} could not be written ({error}): stop the site first.") from error


def put_back_postgresql(dump: Path) -> None:
    """The same for PostgreSQL: what was there goes and what was saved comes, or neither."""
    programs = {name: _program(name) for name in ("pg_restore", "psql")}
    connection.close()
    # Not from one program to the other: of a script that is cut off, psql would keep the first part.
    with tempfile.NamedTemporaryFile(dir=settings.LEMSITE_HOME, suffix=".sql") as script:
        unpack = [programs["pg_restore"], "--no-owner", "--no-privileges", f"--file={script.name}", str(dump)]
        _run(unpack, where=False)
        psql = [programs["psql"], "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run([*psql, "--output=/dev/null", f"--command={EMPTY}", f"--file={script.name}"])


def migrate(using: str) -> None:
    call_command("migrate", database=using, verbosity=0, interactive=False)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed: it is in PostgreSQL's client (apt install postgresql-client).")
    return found


def _run(command: list[str], *, where: bool = True) -> None:
    """One of PostgreSQL's programs, on the site's database; the password goes by the environment."""
    target, environment = _address()
    full = [*command, f"--dbname={target}"] if where else command
    done = subprocess.run(full, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603  an argument list of our own
    if done.returncode:
        told = done.stderr.strip()[-2000:] or f"it ended with {done.returncode}"
        raise BackupError(f"{Path(command[0]).name} failed: {told}")


def _address() -> tuple[str, dict[str, str]]:
    from psycopg.conninfo import make_conninfo

    own: dict[str, Any] = connection.settings_dict
    options = {name: value for name, value in own["OPTIONS"].items() if name not in ("pool", "password")}
    password = own["PASSWORD"] or own["OPTIONS"].get("password", "")
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    parts = {"dbname": own["NAME"], "host": own["HOST"], "port": own["PORT"], "user": own["USER"]}
    return make_conninfo("", **{name: value for name, value in parts.items() if value}, **options), environment
