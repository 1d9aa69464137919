"""Doing once what is asked twice under the same Idempotency-Key.

A request first claims its key, in a transaction of its own, so that a second one sees at once that the first is being
answered. What it does and its answer are then stored in one transaction: either both are there or neither. A claim
whose process has died is free again after LEASE; one that was only slow finds that it lost the key, and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import IdempotencyKey, User

#: an answer is given again for so long
KEPT = timedelta(hours=24)
#: longer than a request takes: who has not answered by then is taken for dead
LEASE = timedelta(seconds=60)


class KeyInUse(Exception):
    """The first request with the key is still being answered."""


class KeyOfAnotherBody(Exception):
    """The key came before, with another body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered; `body` is JSON."""

    status: int
    body: str
    location: str


def claim_key(*, user: User, path: str, key: str, body_sha256: str) -> UUID | Answer:
    """The claim to answer under, or the answer that was given. Raises KeyInUse and KeyOfAnotherBody."""
    now, claim = timezone.now(), uuid4()
    rows = IdempotencyKey.objects.filter(user=user, path=path, key=key)
    over = Q(claimed_at__lt=now - KEPT) | Q(claimed_at__lt=now - LEASE, status=None)
    if rows.filter(over).update(
        claim=claim, body_sha256=body_sha256, claimed_at=now, status=None, body="", location=""
    ):
        return claim
    row = IdempotencyKey(claim=claim, user=user, path=path, key=key, body_sha256=body_sha256, claimed_at=now)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    found = rows.first()
    if found is None:
        raise KeyInUse  # it was there a moment ago, and was freed since
    if found.claim == claim:
        return claim
    if found.body_sha256 != body_sha256:
        raise KeyOfAnotherBody
    if found.status is None:
        raise KeyInUse
    return Answer(found.status, found.body, found.location)


@contextmanager
def free_unless_answered(claim: UUID) -> Iterator[None]:
    """Around all that is done under a claim: who was refused may correct it and come again with the same key."""
    try:
        yield
    except BaseException:
        with suppress(DatabaseError):
            IdempotencyKey.objects.filter(claim=claim, status=None).delete()
        raise


def do_once(*, claim: UUID, act: Callable[[], Answer]) -> Answer:
    """What `act` does and answers, stored together or not at all. Raises KeyInUse where the claim was lost."""
    mine = IdempotencyKey.objects.filter(claim=claim, status=None)
    with transaction.atomic():
        # Until the end of the transaction nobody takes the key over.
        if not mine.update(claimed_at=timezone.now()):
            raise KeyInUse
        answer = act()
        mine.update(status=answer.status, body=answer.body, location=answer.location)
    return answer
