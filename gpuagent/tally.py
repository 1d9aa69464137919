"""What became of the messages of a run, and one warning for each way in which they can be lost."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace

logger = logging.getLogger("gpuagent.client")


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages of one run, its start and end included."""

    #: handed over by the program
    logged: int = 0
    #: acknowledged by the site
    sent: int = 0
    #: unusable here, or refused by the site for good
    rejected: int = 0
    #: written to disk at some time, because the site was away
    spooled: int = 0
    #: lost: no room in memory, and none on disk
    dropped: int = 0


class Tally:
    """Counts from several threads. The lock is re-entrant: a signal handler may log while its own thread does."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts = Counts()
        self._warned: set[str] = set()

    @property
    def counts(self) -> Counts:
        return self._counts

    def add(self, *, logged: int = 0, sent: int = 0, rejected: int = 0, spooled: int = 0, dropped: int = 0) -> None:
        with self._lock:
            old = self._counts
            self._counts = replace(
                old,
                logged=old.logged + logged,
                sent=old.sent + sent,
                rejected=old.rejected + rejected,
                spooled=old.spooled + spooled,
                dropped=old.dropped + dropped,
            )

    def warn_once(self, topic: str, message: str, *values: object) -> None:
        with self._lock:
            if topic in self._warned:
                return
            self._warned.add(topic)
        logger.warning(message, *values)
