"""What all that comes in of an attempt has in common: the attempt is locked, and takes it as long as it is not over."""

from __future__ import annotations

from jobs.models import Attempt, AttemptState
from jobs.services.errors import AgentRefused

#: a lost attempt sends on what it has: it may be taken up again, and else is evidence
OPEN = (AttemptState.RUNNING, AttemptState.UPLOADING, AttemptState.LOST)


def locked(attempt: Attempt) -> Attempt:
    """The attempt as it stands now, that nobody else changes until the transaction ends."""
    return Attempt.objects.select_for_update(no_key=True).get(pk=attempt.pk)


def refuse_closed(attempt: Attempt) -> None:
    """What was never accepted sends nothing, and what has been reported as finished is complete."""
    if attempt.state == AttemptState.DONE:
        raise AgentRefused(409, "over", "The attempt was finished: nothing is added to it.")
    if attempt.state not in OPEN:
        raise AgentRefused(409, "not_running", "The attempt was not accepted.")
