"""What the tests of data at rest share: the S3 server, and leave to open a copy of the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from lemsite.backups.databases import COPY
from tests.s3_server import s3_server, s3_storage, s3_url

__all__ = ["s3_server", "s3_storage", "s3_url"]


@pytest.fixture
def may_open_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django lets a test connect to the databases alone that were there when it began."""
    guarded = BaseDatabaseWrapper.ensure_connection

    def ensure_connection(self: Any) -> None:
        if self.alias != COPY:
            guarded(self)
        elif self.connection is None:
            with self.wrap_database_errors:
                self.connect()

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", ensure_connection)
