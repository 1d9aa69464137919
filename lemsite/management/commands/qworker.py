"""Runs django-q's cluster for the site's own queue; `serve` starts this, several machines may start more of them."""

import os
import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.cluster import Cluster

from lemsite import queue_clock
from lemsite.lib.outages import DATABASE_DOWN, tell

LOOK_EVERY_S = 0.5
PUT_RIGHT_EVERY_S = 30.0


class Command(BaseCommand):
    help = "Run background tasks until told to stop. Unlike qcluster, it survives being told twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--parent", type=int, help="stop when the process with this id is no longer the parent")

    def handle(self, *args: Any, parent: int | None, **options: Any) -> None:
        self.is_told_to_stop = False
        _keep_connections_without_a_pool()
        cluster = Cluster()
        # django-q's own handler takes a lock that is not re-entrant: a second signal inside the first one makes it
        # hang, and then it executes tasks for ever. A flag cannot hang.
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        cluster.start()
        looks_at = time.monotonic() + PUT_RIGHT_EVERY_S
        while not self.is_told_to_stop and parent in {None, os.getppid()} and cluster.sentinel.is_alive():
            time.sleep(LOOK_EVERY_S)
            if time.monotonic() > looks_at:
                looks_at = time.monotonic() + PUT_RIGHT_EVERY_S
                _put_queue_right()
        if not cluster.stop():
            raise CommandError("The queue's supervising process has died.")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_told_to_stop = True


def _put_queue_right() -> None:
    """Here, because no task can: it would be one of those that wait."""
    try:
        queue_clock.put_right(timezone.now())
    except DatabaseError as error:
        tell(DATABASE_DOWN, error)
        connection.close()


def _keep_connections_without_a_pool() -> None:
    """A pool has threads, and they do not survive the fork; a worker process needs one lasting connection only."""
    if connection.settings_dict["OPTIONS"].pop("pool", None):
        connection.settings_dict.update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
