"""The database: there, of a version that is known, of this code, and large enough for the processes that use it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from lemsite.doctor import Ill, Level, check, first_line, warn

#: agents and leases count by the database's and by this machine's clock
CLOCKS_DIFFER, CLOCKS_ARE_WRONG = timedelta(seconds=2), timedelta(seconds=30)
#: connections beside the pools: worker and its supervisor, commands, an operator
OTHERS = 8


@check("database")
def database() -> Iterator[Ill]:
    """Django itself refuses a server that is too old for it."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield Ill(
            f"The database does not answer: {first_line(error)}",
            "nothing works without it",
            "Start it, and look at host, port, name, user and password in DATABASE_URL.",
        )


@check("migrations", is_slow=True)
def migrations() -> Iterator[Ill]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:5])
        yield Ill(
            f"{len(plan)} migrations are not applied: {names}{' and more' if len(plan) > 5 else ''}.",
            "pages ask for columns that are not there",
            "Run: manage.py migrate",
        )
    unknown = sorted(set(executor.loader.applied_migrations) - set(executor.loader.graph.nodes))
    replaced = {key for migration in executor.loader.replacements.values() for key in migration.replaces}
    ahead = [f"{app}.{name}" for app, name in unknown if (app, name) not in replaced]
    if ahead:
        yield warn(
            f"The database has migrations that this code does not know: {', '.join(ahead[:5])}.",
            "a newer version was here, and this one may write what that one does not expect",
            "Deploy the newer version, or restore the backup from before it.",
        )


@check("database_encoding")
def database_encoding() -> Iterator[Ill]:
    if connection.vendor == "postgresql" and (encoding := _asked("SHOW server_encoding")) != "UTF8":
        yield Ill(
            f"The database is encoded as {encoding}.",
            "names in other scripts cannot be stored",
            "Make the database anew with ENCODING 'UTF8' and restore into it.",
        )
    if connection.vendor == "sqlite" and (mode := _asked("PRAGMA journal_mode")) != "wal":
        yield Ill(
            f"The SQLite file is in the journal mode {mode}, not wal.",
            "readers wait for writers",
            "Keep it on a local disk: network file systems have no WAL.",
        )


@check("time_zone")
def time_zone() -> Iterator[Ill]:
    if settings.TIME_ZONE != "UTC" or not settings.USE_TZ:
        yield Ill("The site does not count in UTC.", "times in files and pages differ", "Leave TIME_ZONE as it is.")
    if connection.vendor == "postgresql" and (zone := _asked("SHOW timezone")) not in ("UTC", "Etc/UTC"):
        yield warn(
            f"The database's session counts in {zone}.",
            "what is written by hand in SQL is off by hours",
            "Take the option timezone out of DATABASE_URL.",
        )


@check("clock")
def clock() -> Iterator[Ill]:
    if connection.vendor != "postgresql":
        return
    before = timezone.now()
    there = _asked("SELECT clock_timestamp()")
    here = before + (timezone.now() - before) / 2
    difference = abs(there - here)
    if difference > CLOCKS_DIFFER:
        yield Ill(
            f"The clocks of this machine and of the database differ by {difference.total_seconds():.1f} s.",
            "leases, schedules and signed links end too early or too late",
            "Run a time service (chrony, systemd-timesyncd) on both.",
            Level.ERROR if difference > CLOCKS_ARE_WRONG else Level.WARNING,
        )


@check("connections")
def connections() -> Iterator[Ill]:
    if connection.vendor != "postgresql":
        return
    pool = connection.settings_dict["OPTIONS"].get("pool") or {}
    most = settings.WEB_PROCESSES * int(pool.get("max_size", settings.LEMSITE_HANDLER_THREADS)) + OTHERS
    limit = int(_asked("SHOW max_connections"))
    if most > limit:
        yield Ill(
            f"The pools of {settings.WEB_PROCESSES} web processes may open {most} connections, the server takes "
            f"{limit}.",
            "under load, requests fail with 'too many clients'",
            f"Set max_connections = {most + 20} in postgresql.conf, or WEB_PROCESSES lower, or use PgBouncer.",
        )


def _asked(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
