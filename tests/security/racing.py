"""Things done at the same moment: in threads on PostgreSQL, one after the other on SQLite, which has one writer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from accounts.services.bans import Banned
from accounts.services.deletion import AlreadyDeleted
from leaderboard.services.quotas import OverQuota
from leaderboard.services.rescoring import ScoreRefused
from leaderboard.services.steps import Refused
from leaderboard.services.submissions import SubmissionRefused

#: a refusal in words; anything else that is raised is a fault
REFUSALS = (SubmissionRefused, Refused, ScoreRefused, OverQuota, Banned, AlreadyDeleted)


def at_once(*steps: Callable[[], Any]) -> list[str]:
    """Do all of them; of each "done", or the sentence that it was refused with."""
    if connection.vendor != "postgresql":
        return [_outcome(step) for step in steps]
    gate = threading.Barrier(len(steps))
    found: dict[int, Any] = {}

    def run(number: int) -> None:
        try:
            gate.wait(timeout=30)
            found[number] = _outcome(steps[number])
        except Exception as error:  # noqa: BLE001 - the test's own thread raises it
            found[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for outcome in found.values():
        if isinstance(outcome, BaseException):
            raise outcome
    assert len(found) == len(steps), "a step never ended"
    return [found[number] for number in range(len(steps))]


def _outcome(step: Callable[[], Any]) -> str:
    try:
        step()
    except REFUSALS as refused:
        return str(refused)
    return "done"
