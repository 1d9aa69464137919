"""Knows that PostgreSQL is away, so that a request need not find it out by waiting; asks until it is back.

A process that could not connect in time, or whose query hangs, opens the watch: from then on new connections are
refused at once, while one thread asks the server twice a second. The first answer ends that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connections

logger = logging.getLogger(__name__)

ASK_EVERY_S = 0.5
ANSWERS_WITHIN_S = 2
#: an answer counts for so long
KNOWN_FOR_S = 0.5
#: what Django adds for itself, and libpq does not know
NOT_OF_LIBPQ = ("context", "cursor_factory", "prepare_threshold")


class DatabaseAway(psycopg.OperationalError):
    """Known to be away: nothing was tried."""


class DatabaseWatch:
    """One per process; its methods may be called from any thread."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As in a new process: threads do not survive a fork, and what they were asking would never be answered."""
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._answered_at = float("-inf")

    @property
    def is_away(self) -> bool:
        return self._asking is not None

    def went_away(self, error: object) -> None:
        """Refuse connections until the server answers again."""
        with self._lock:
            if self._asking is None:
                logger.error("The database does not answer: %s", _first_line(error))
                self._asking = threading.Thread(target=self._ask_until_back, name="database-watch", daemon=True)
                self._asking.start()

    async def hangs(self) -> bool:
        """Asked while a query takes long: whether that is the server's fault."""
        if self.is_away or time.monotonic() < self._answered_at + KNOWN_FOR_S:
            return self.is_away
        if await _answers(_parameters()):
            self._answered_at = time.monotonic()
        else:
            self.went_away("a new connection is not answered either")
        return self.is_away

    def _ask_until_back(self) -> None:
        began = time.monotonic()
        parameters = _parameters()
        while not asyncio.run(_answers(parameters)):
            time.sleep(ASK_EVERY_S)
        with self._lock:
            self._asking = None
        logger.warning("The database answers again, after %.0f s", time.monotonic() - began)


async def _answers(parameters: Mapping[str, Any]) -> bool:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            connection = await psycopg.AsyncConnection.connect(**parameters)
            try:
                await connection.execute("SELECT 1")
            finally:
                await connection.close()
    except (psycopg.Error, OSError, TimeoutError):
        return False
    return True


def _parameters() -> dict[str, Any]:
    found = connections["default"].get_connection_params()
    return {name: value for name, value in found.items() if name not in NOT_OF_LIBPQ} | {"autocommit": True}


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]


watch = DatabaseWatch()
os.register_at_fork(after_in_child=watch.forget)
