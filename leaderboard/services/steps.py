"""What every step on what was given shares: how it is refused, and its line in the log."""

from __future__ import annotations

from accounts.models import User
from leaderboard.models import ReviewAction, ReviewEvent, Submission


class Refused(ValueError):
    """The step is not possible; the message says why. `field` names the input, where one is at fault."""

    def __init__(self, message: str, *, field: str = "") -> None:
        self.message, self.field = message, field
        super().__init__(message)


def log_event(*, submission: Submission, action: ReviewAction, by: User | None, before: str, reason: str) -> None:
    """Write the line of a step that has led from the status `before` to the one that `submission` has now."""
    ReviewEvent.objects.create(
        submission=submission,
        actor=by,
        action=action,
        from_status=before,
        to_status=submission.status,
        reason=reason,
    )
