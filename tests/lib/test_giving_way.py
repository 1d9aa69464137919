"""Work that writes in many transactions pauses between them, where the database lets one write at a time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lemsite.lib import giving_way as module
from lemsite.lib.giving_way import giving_way


@pytest.fixture
def work(monkeypatch, settings):
    """A transaction of so many seconds; gives the pauses that followed."""

    def work(took_s, *, on_sqlite=True, error=None):
        settings.ON_SQLITE = on_sqlite
        moments = iter([10.0, 10.0 + took_s])
        pauses: list[float] = []
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(moments), sleep=pauses.append))
        with giving_way():
            if error:
                raise error
        return pauses

    return work


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.03125, 0.03125), (3.0, 0.1)], ids=["short", "long"])
def test_a_pause_is_as_long_as_the_work_and_never_long(work, took_s, pause_s):
    assert work(took_s) == [pause_s]


def test_where_several_may_write_nobody_waits(work):
    assert work(3.0, on_sqlite=False) == []


def test_work_that_fails_says_so(work):
    with pytest.raises(ValueError, match="broken"):
        work(1.0, error=ValueError("broken"))
