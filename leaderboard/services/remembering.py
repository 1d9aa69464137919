"""What someone stated last for files of one shape: offered for their next draft, applied only when they save it."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from leaderboard.models import StatedDefaults, Submission


def remember(submission: Submission) -> None:
    """Keep what its owner stated, as they hand it in."""
    if submission.stated and submission.owner is not None:
        StatedDefaults.objects.update_or_create(
            user=submission.owner, shape=submission.shape, defaults={"values": submission.stated}
        )


def remembered(submission: Submission) -> dict[str, Any]:
    """What the owner stated last time for such files; {} when nothing."""
    row = StatedDefaults.objects.filter(user=submission.owner_id, shape=submission.shape).first()
    return dict(row.values) if row else {}


def forget(*, user: User, shape: str) -> bool:
    """False when nothing was remembered."""
    return bool(StatedDefaults.objects.filter(user=user, shape=shape).delete()[0])
