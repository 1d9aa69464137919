"""Every documented status of every operation is answered at least once, and nothing else."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.api.throttling import WriteThrottle
from benchmarks.attacks.request import Answer
from tests.fuzz.handmade import Scene, asks


@pytest.fixture
def scene(stage, settings):
    # Smaller than the body that is sent as too large.
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
    return Scene.over(stage)


def test_every_documented_status_is_answered(scene, site, monkeypatch):
    different = []
    for operation, status, made in asks(scene):
        with monkeypatch.context() as patch, transaction.atomic():
            if status == 429:
                patch.setattr(WriteThrottle, "get_rate", lambda self: "0/hour")
            answer = _sent(site, made(), status)
            transaction.set_rollback(True)
        if answer.status != status:
            different.append(
                f"{operation.method} {operation.path}: {answer.status} for {status}, {answer.body[:200]!r}"
            )

    assert not different, "\n".join(different)


def _sent(site, attack, status: int) -> Answer:
    answer = site.send(attack, {})
    if status != 304:
        return answer
    return site.send(attack, {"If-None-Match": answer.headers["etag"]})
