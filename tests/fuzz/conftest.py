"""The stage in this process, and a way to send attacks to it."""

from __future__ import annotations

import pytest
from django.test import Client

from benchmarks.attacks.request import InProcess
from benchmarks.attacks.stage import Stage, set_up


@pytest.fixture
def stage(db, stored_files, settings) -> Stage:
    """Nothing is throttled: the cache forgets at once."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    return set_up()


@pytest.fixture
def site() -> InProcess:
    return InProcess(Client)
