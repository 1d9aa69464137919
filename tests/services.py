"""Which tests reach a service that the site can be given: a database, or Redis for the cache and the channel layer."""

from __future__ import annotations

import inspect
from functools import cache
from types import ModuleType

import pytest

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
#: what a module names that speaks to a service, or settles how, without the test database
NAMES = ("django.db", "core.cache", "channel", "redis", "REDIS_URL", "DATABASE_URL", "postgresql")


def reaches_a_service(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    if item.get_closest_marker("django_db") or DATABASE_FIXTURES.intersection(item.fixturenames):
        return True
    return _names_a_service(item.module)


@cache
def _names_a_service(module: ModuleType) -> bool:
    source = inspect.getsource(module)
    return any(name in source for name in NAMES)
