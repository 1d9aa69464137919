"""Watching models and hardware, and telling those who do of new results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from leaderboard.models import Hardware, LanguageModel, Result, Submission, Watch

MAX_WATCHES = 200


class WatchRefused(ValueError):
    """It cannot be watched; the message says why."""


@transaction.atomic
def watch(*, user: User, model: LanguageModel | None = None, hardware: Hardware | None = None) -> Watch:
    """Watch one model or one GPU; watching it twice is watching it."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    found = Watch.objects.filter(user=user, model=model, hardware=hardware).first()
    if found is not None:
        return found
    if Watch.objects.filter(user=user).count() >= MAX_WATCHES:
        raise WatchRefused(f"You watch {MAX_WATCHES} models and GPUs, the most there can be. Unwatch one first.")
    return Watch.objects.create(user=user, model=model, hardware=hardware)


@transaction.atomic
def unwatch(*, user: User, model: LanguageModel | None = None, hardware: Hardware | None = None) -> bool:
    """Watch it no longer; False when it was not watched."""
    return bool(Watch.objects.filter(user=user, model=model, hardware=hardware).delete()[0])


@transaction.atomic
def tell_watchers(*, submission: Submission) -> None:
    """Tell each watcher once of what is new for them in a published submission; its owner knows."""
    results = list(Result.objects.ranked().filter(submission=submission).select_related("model", "hardware"))
    for of_interest, people in _watchers(results, but_not=submission.owner_id).items():
        _tell(people, [result for result in results if result.pk in of_interest], submission)


def _watchers(results: Sequence[Result], *, but_not: int | None) -> dict[frozenset[object], list[User]]:
    """Ids of results -> those who watch the model or the GPU of just these."""
    watches = Watch.objects.filter(
        Q(model__in={result.model_id for result in results})
        | Q(hardware__in={result.hardware_id for result in results}),
        user__is_active=True,
    ).exclude(user=but_not)
    wanted: dict[User, set[object]] = defaultdict(set)
    for row in watches.select_related("user").order_by("user"):
        wanted[row.user] |= {
            result.pk
            for result in results
            if row.model_id in (result.model_id, None) and row.hardware_id in (result.hardware_id, None)
        }
    groups: dict[frozenset[object], list[User]] = defaultdict(list)
    for person, ids in wanted.items():
        groups[frozenset(ids)].append(person)
    return groups


def _tell(people: Sequence[User], results: Sequence[Result], submission: Submission) -> None:
    first, others = results[0], len(results) - 1
    count = f"{first.gpu_count} x " if first.gpu_count else ""
    what = f"{first.model} on {count}{first.hardware}"
    more = f" and {others} more" if others else ""
    notify(
        to=people,
        kind=NotificationKind.WATCH,
        title=f"New result{'s' if others else ''}: {what}{more}",
        url=reverse("leaderboard:result", args=[first.pk]),
        data={
            "event": "published",
            "submission": str(submission.pk),
            "results": [str(result.pk) for result in results],
        },
    )
