"""What a decision on a submission means for the disputes about it. Called by review, whoever decided there and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from leaderboard.models import Dispute, DisputeState, Result, ReviewAction, Submission
from leaderboard.queries.community import RUNNING

#: decision -> the disputes that it answers, and how
ANSWERS: Mapping[ReviewAction, tuple[Sequence[DisputeState], DisputeState]] = {
    ReviewAction.INVALIDATE: (RUNNING, DisputeState.UPHELD),
    ReviewAction.RESTORE: ((DisputeState.TAKEN_UP,), DisputeState.DISMISSED),
}

ENDED: Mapping[DisputeState, str] = {
    DisputeState.UPHELD: "upheld",
    DisputeState.DISMISSED: "dismissed",
    DisputeState.LAPSED: "closed",
}
DELETED = "The result was deleted before the dispute was settled."


@transaction.atomic
def settle_disputes(*, submission: Submission, action: ReviewAction, by: User, reason: str) -> None:
    """End the disputes that this decision answers, and tell who raised them."""
    if action not in ANSWERS:
        return
    answered, state = ANSWERS[action]
    rows = Dispute.objects.filter(result__submission=submission, state__in=answered)
    for dispute in rows.select_related("result", "raised_by"):
        end_dispute(dispute=dispute, state=state, by=by, resolution=reason, possible=answered)


def lapse_disputes(*, results: QuerySet[Result], by: User | None) -> None:
    """End the disputes about results that are about to be deleted: nobody could look into them any more."""
    rows = Dispute.objects.filter(result__in=results, state__in=RUNNING)
    for dispute in rows.select_related("result", "raised_by"):
        end_dispute(dispute=dispute, state=DisputeState.LAPSED, by=by, resolution=DELETED)


def tell_of_withdrawal(*, submission: Submission, by: User, reason: str) -> None:
    """Those whose disputes run: withdrawn is not settled, and a moderator still decides who was right."""
    rows = Dispute.objects.filter(result__submission=submission, state__in=RUNNING)
    for dispute in rows.select_related("raised_by"):
        tell_of(dispute, [dispute.raised_by], f"{dispute.title}, which you dispute, was withdrawn", reason, by=by)


def end_dispute(
    *,
    dispute: Dispute,
    state: DisputeState,
    by: User | None,
    resolution: str,
    possible: Sequence[DisputeState] = RUNNING,
) -> bool:
    """False when it had ended already."""
    ended = Dispute.objects.filter(pk=dispute.pk, state__in=possible).update(
        state=state, resolution=resolution[:2000], resolved_by=by, resolved_at=timezone.now()
    )
    dispute.refresh_from_db()
    if ended and state != DisputeState.RETRACTED:
        title = f"Your dispute about {dispute.title} was {ENDED[state]}"
        tell_of(dispute, [dispute.raised_by], title, resolution, by=by)
    return bool(ended)


def tell_of(
    dispute: Dispute,
    people: Iterable[User | None],
    title: str,
    text: str,
    *,
    by: User | None,
    kind: NotificationKind = NotificationKind.DISPUTE,
) -> None:
    """Tell those of `people` that are there, but never the one who acts."""
    actor = by.pk if by else None
    url = f"{reverse('leaderboard:result', args=[dispute.result_id])}#dispute-{dispute.pk}"
    data = {"dispute": dispute.pk, "result": str(dispute.result_id), "state": dispute.state}
    to = [person for person in people if person is not None and person.pk != actor]
    notify(to=to, kind=kind, title=title, text=text, url=url, data=data)
