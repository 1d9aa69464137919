"""Which errors mean that a service is away for a while, and no fault of ours: they are answered with 503 or 507."""

from __future__ import annotations

import errno
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """What a visitor or a program is told, and when to come back."""

    status: int
    code: str
    message: str
    retry_after_s: int


DATABASE_DOWN = Outage(503, "database_down", "The database does not answer. Try again in a moment.", 5)
STORAGE_DOWN = Outage(503, "storage_down", "Files can neither be stored nor read. Try again in a moment.", 10)
DISK_FULL = Outage(507, "disk_full", "There is no room left to store this. Try again later.", 60)
REDIS_DOWN = Outage(503, "redis_down", "A service of this site does not answer. Try again in a moment.", 5)

#: of SQLite, which calls a table or column that is missing an operational error: that is a fault of ours
MISSING = "no such "
SQLITE_FULL = "database or disk is full"
#: of PostgreSQL: disk_full
SQLSTATE_FULL = "53100"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
#: of a folder that went away, was mounted read-only, or belongs to somebody else
AWAY = frozenset({errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM, errno.ENOTCONN, errno.ENXIO})
#: an outage that goes on is told again after so long
TOLD_EVERY_S = 10.0
S3_FULL = frozenset({"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage"})


def outage_of(error: BaseException | None) -> Outage | None:
    """None for whatever is not known to pass by itself."""
    for one in _causes(error):
        if (found := _of_one(one)) is not None:
            return found
    return None


def tell(outage: Outage, error: BaseException) -> None:
    """A line without a traceback: where a query failed says nothing of why the server is away."""
    now = time.monotonic()
    if now - _told_at.get(outage.code, float("-inf")) >= TOLD_EVERY_S:
        _told_at[outage.code] = now
        logger.error("Requests are answered with %s %s: %s", outage.status, outage.code, str(error).partition("\n")[0])


class WithoutTraceback(logging.Filter):
    """For log handlers: of an outage that others write to the log, the last line is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and outage_of(error):
            record.msg, record.args = f"{record.getMessage()}: {str(error).partition(chr(10))[0]}", None
            record.exc_info = record.exc_text = None
        return True


_told_at: dict[str, float] = {}


def _of_one(error: BaseException) -> Outage | None:
    if isinstance(error, (OperationalError, InterfaceError)):
        return _of_database(error)
    # Only a site that keeps its files in a bucket has this loaded.
    if botocore := sys.modules.get("botocore.exceptions"):
        if isinstance(error, botocore.ClientError):
            return _of_bucket(error.response)
        if isinstance(error, botocore.BotoCoreError):
            return STORAGE_DOWN
    if isinstance(error, RedisError):
        return REDIS_DOWN
    if isinstance(error, OSError):
        return DISK_FULL if error.errno in NO_ROOM else STORAGE_DOWN if error.errno in AWAY else None
    return None


def _of_database(error: Exception) -> Outage | None:
    text = str(error)
    if text.startswith(MISSING):
        return None
    is_full = SQLITE_FULL in text or getattr(error.__cause__, "sqlstate", None) == SQLSTATE_FULL
    return DISK_FULL if is_full else DATABASE_DOWN


def _of_bucket(response: Mapping[str, Any]) -> Outage | None:
    """A bucket that is gone or refuses the key is for the operator to mend; the request was right all the same."""
    code, status = response["Error"].get("Code"), response["ResponseMetadata"].get("HTTPStatusCode", 0)
    if code in S3_FULL:
        return DISK_FULL
    return STORAGE_DOWN if status >= 500 or status in (401, 403) or code == "NoSuchBucket" else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
