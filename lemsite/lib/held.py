"""Locks that are about no row, held until the transaction ends; on SQLite, which has one writer at a time, nothing."""

from __future__ import annotations

from enum import IntEnum

from django.db import connection


class Held(IntEnum):
    """What is held; the numbers are this site's among the advisory locks of PostgreSQL."""

    FILES = 7_310_578
    HANDING_IN = 7_310_579


def hold(what: Held, *, shared: bool = False) -> None:
    """Wait for who holds it. Those who share it do not wait for one another."""
    if connection.vendor == "postgresql":
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [what.value])
