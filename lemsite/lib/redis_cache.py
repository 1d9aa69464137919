"""The cache in Redis, and in this process's own memory while Redis is away.

A page finds less there, and nothing of it fails. What is limited by a counter in the cache stays limited, by each
process for itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: not asked again for so long after it failed
LEFT_ALONE_S = 2.0
MOST_IN_MEMORY = 2_000
NAME = "instead-of-redis"


class _Away:
    """Of the whole process: each thread has a cache object of its own."""

    until = 0.0
    since: float | None = None


class RedisOrMemoryCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache(NAME, params | {"OPTIONS": {"MAX_ENTRIES": MOST_IN_MEMORY}})

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._either("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._either("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._either("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._either("touch", key, timeout, version))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._either("delete", key, version))

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        found: dict[Any, Any] = self._either("get_many", list(keys), version)
        return found

    def has_key(self, key: Any, version: Any = None) -> bool:
        return bool(self._either("has_key", key, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Raises ValueError for a counter that is not there, as after Redis has just gone away or come back."""
        return int(self._either("incr", key, delta, version))

    def set_many(self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> list[Any]:
        return list(self._either("set_many", data, timeout, version))

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        self._either("delete_many", list(keys), version)

    def clear(self) -> None:
        self._memory.clear()
        self._either("clear")

    def _either(self, operation: str, *arguments: Any) -> Any:
        if time.monotonic() >= _Away.until:
            try:
                found = getattr(super(), operation)(*arguments)
            except (RedisError, OSError) as error:
                self._went_away(error)
            else:
                self._is_back()
                return found
        return getattr(self._memory, operation)(*arguments)

    def _went_away(self, error: Exception) -> None:
        _Away.until = time.monotonic() + LEFT_ALONE_S
        if _Away.since is None:
            _Away.since = time.monotonic()
            logger.error("Redis does not answer; each process remembers for itself: %s", error)

    def _is_back(self) -> None:
        if _Away.since is not None:
            logger.warning("Redis answers again, after %.0f s", time.monotonic() - _Away.since)
            _Away.since = None
            # It may be old by the next time.
            self._memory.clear()
