"""What the leaderboard does when something happens to people; connected by LeaderboardConfig.ready()."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleting
from leaderboard.services.leaving import delete_contributions


@receiver(account_deleting)
def delete_what_is_theirs(sender: Any, user: User, keep_published: bool, **kwargs: Any) -> None:
    delete_contributions(user=user, keep_published=keep_published)
