"""Questions to the services that the site needs, asked by threads of their own.

However many ask, and however long a service takes: one question at a time, one a second, and nobody waits for more than
a limit of their own. What hangs in a question is not what answers the load balancer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from lemsite.observing.database_figures import database_figures

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

KEEP_S = 1.0
#: how long readiness waits for one service
READY_WITHIN_S = 2.0
REDIS_WITHIN_S = 1.5


class Probe(Generic[Answer]):
    """One question, and its last answer for a second."""

    def __init__(self, name: str, ask: Callable[[], Answer]) -> None:
        self.name, self._ask = name, ask
        self._lock = threading.Lock()
        self._asked: Future[Answer] | None = None
        self._begun_at = self._ended_at = 0.0
        self._was_well = True

    def answer(self, within_s: float) -> Answer:
        """Raises what the question raised, or TimeoutError. A hanging question is waited for once, not by each."""
        asked = self.begin()
        left_s = max(self._begun_at + within_s - time.monotonic(), 0.0)
        try:
            return asked.result(left_s)
        except FutureTimeout:
            raise TimeoutError(f"{self.name} has not answered within {within_s} s") from None

    def is_well(self, within_s: float = READY_WITHIN_S) -> bool:
        try:
            self.answer(within_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service is not there
            self._note(error)
            return False
        self._note(None)
        return True

    def forget(self) -> None:
        """For tests."""
        self._asked, self._was_well = None, True

    def begin(self) -> Future[Answer]:
        with self._lock:
            if self._asked is None or (self._asked.done() and time.monotonic() - self._ended_at > KEEP_S):
                self._asked, self._begun_at = Future(), time.monotonic()
                threading.Thread(target=self._run, args=(self._asked,), name=f"probe-{self.name}", daemon=True).start()
            return self._asked

    def _run(self, asked: Future[Answer]) -> None:
        try:
            answer = self._ask()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is asked for
            self._ended_at = time.monotonic()
            asked.set_exception(error)
        else:
            self._ended_at = time.monotonic()
            asked.set_result(answer)
        finally:
            connection.close()

    def _note(self, error: Exception | None) -> None:
        """One line when it goes and one when it comes back, however often it is asked."""
        if error is not None and self._was_well:
            logger.error("%s is away: %s: %s", self.name, type(error).__name__, error)
        elif error is None and not self._was_well:
            logger.info("%s is back", self.name)
        self._was_well = error is None


class MigrationsMissing(Exception):
    """The database is older than the code."""


def pending_migrations() -> list[str]:
    """Names such as `runs.0002_seals` that the code has and the database has not."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


_are_migrated = False


def require_migrations() -> None:
    """Once they are applied, they stay."""
    global _are_migrated
    if not _are_migrated and (pending := pending_migrations()):
        raise MigrationsMissing(", ".join(pending))
    _are_migrated = True


def forget_migrations() -> None:
    """For tests."""
    global _are_migrated
    _are_migrated = False


def queue_report() -> dict[str, float]:
    """Tasks that are due, and for how many seconds the oldest has been. A running task is locked into the future."""
    now = timezone.now()
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=now)
    found = due.aggregate(waiting=Count("pk"), since=Min("lock"))
    oldest_s = (now - found["since"]).total_seconds() if found["since"] else 0.0
    return {"waiting": found["waiting"], "oldest_waiting_s": round(oldest_s, 1)}


def ping_redis() -> None:
    if settings.REDIS_URL:
        import redis

        limits = {"socket_connect_timeout": REDIS_WITHIN_S, "socket_timeout": REDIS_WITHIN_S}
        with redis.Redis.from_url(settings.REDIS_URL, **limits) as client:
            client.ping()


def look_into_storage() -> None:
    """Whether it answers. A refusal (403) is an answer: S3 gives it for a missing name to who may not list."""
    try:
        default_storage.exists("is-storage-there")
    except Exception as error:
        reply = getattr(error, "response", None) or {}
        if not 400 <= reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500:
            raise


def _figures_of_database() -> list[Metric]:
    return [GaugeMetricFamily("lemsite_database_up", "Whether the database answers", 1), *database_figures()]


database: Probe[dict[str, float]] = Probe("The database", queue_report)
figures: Probe[list[Metric]] = Probe("The database", _figures_of_database)
#: what /ready asks, by the name that it tells
SERVICES: dict[str, Probe[None] | Probe[dict[str, float]]] = {
    "database": database,
    "migrations": Probe("The database's schema", require_migrations),
    "redis": Probe("Redis", ping_redis),
    "storage": Probe("The storage", look_into_storage),
}
