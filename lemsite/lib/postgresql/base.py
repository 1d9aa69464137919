"""Django's PostgreSQL, which does not wait for a server that is known to be away (lemsite.lib.database_watch)."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from lemsite.lib.database_watch import DatabaseAway, watch


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if watch.is_away:
            raise DatabaseAway("The database was away a moment ago, and is being asked.")
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            # A server that answers, but has no such database or no place left, is asked all the same.
            watch.went_away(error)
            raise
