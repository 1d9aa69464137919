"""What becomes of someone's submissions, comments and watches when they delete their account."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from leaderboard.models import Comment, SavedComparison, Share, StatedDefaults, Submission, Watch
from leaderboard.services.batches import drop_batches
from leaderboard.services.comments import delete_comment
from leaderboard.services.submissions import delete

REASON = "The account was deleted."


@transaction.atomic
def delete_contributions(*, user: User, keep_published: bool) -> None:
    """Delete all that nobody else sees, and what was published unless it is to stay; tombstones stay for that."""
    submissions = Submission.objects.owned_by(user)
    if keep_published:
        submissions = submissions.exclude(pk__in=Submission.objects.public().values("pk"))
    drop_batches(user=user)
    # All of them first, and in one order: who decides on one holds it before the data version.
    for submission in list(submissions.select_for_update(of=("self",)).order_by("pk")):
        delete(submission=submission, by=user, reason=REASON)
    if not keep_published:
        for comment in Comment.objects.filter(author=user, deleted_at=None):
            delete_comment(comment=comment, by=user)
    Submission.objects.filter(assignee=user).update(assignee=None)
    Share.objects.filter(user=user).delete()
    StatedDefaults.objects.filter(user=user).delete()
    Watch.objects.filter(user=user).delete()
    SavedComparison.objects.filter(owner=user).delete()
