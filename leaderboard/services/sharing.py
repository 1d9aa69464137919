"""Letting chosen people see a private submission."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from accounts.models import NotificationKind, User
from accounts.services.bans import refuse_banned
from accounts.services.notifications import notify
from leaderboard.models import Share, Submission, Visibility
from leaderboard.services.submissions import SubmissionRefused, lock

MAX_SHARES = 50


@transaction.atomic
def share(*, submission: Submission, username: str, by: User) -> Share:
    """Let someone see it under the same address; they are told. Sharing twice changes nothing."""
    refuse_banned(by)
    locked = lock(submission)
    if locked.visibility != Visibility.PRIVATE:
        raise SubmissionRefused("Only a private submission is shared with chosen people.", field="username")
    name = username.strip().removeprefix("@")
    person = User.objects.filter(username__iexact=name, is_active=True).first() if "\x00" not in name else None
    if person is None:
        raise SubmissionRefused(f"There is no user {name[:80]!r}: give the name as on their profile.", field="username")
    if person.pk == locked.owner_id:
        raise SubmissionRefused("It is yours already.", field="username")
    if locked.shares.count() >= MAX_SHARES:
        raise SubmissionRefused(f"It is shared with {MAX_SHARES} people; take one off first.", field="username")
    row, is_new = Share.objects.get_or_create(submission=locked, user=person)
    url = reverse("leaderboard:submission", args=[locked.pk])
    # Once for each submission: taken off and shared again, it is no news, and nobody is flooded with it.
    if is_new and not person.notifications.filter(kind=NotificationKind.ACCOUNT, url=url).exists():
        notify(
            to=[person],
            kind=NotificationKind.ACCOUNT,
            title=f"{by.username} shares a private submission with you",
            text="Only its owner, moderators and the people it is shared with see it.",
            url=url,
        )
    return row


@transaction.atomic
def unshare(*, submission: Submission, username: str) -> bool:
    """Take the sight of it back; False when it was not shared with them."""
    return bool(Share.objects.filter(submission=submission, user__username=username).delete()[0])
