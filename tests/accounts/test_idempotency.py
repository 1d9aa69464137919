"""Keys of requests: who has one, for how long, and that two at once, or a process that dies, make nothing twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from django.db import connection, connections

from accounts.models import IdempotencyKey, User
from accounts.services.deletion import delete_account
from accounts.services.idempotency import (
    KEPT,
    LEASE,
    Answer,
    KeyInUse,
    KeyOfAnotherBody,
    claim_key,
    do_once,
    free_unless_answered,
)
from lemsite.retention import prune

pytestmark = pytest.mark.django_db
DONE = Answer(201, '{"id": 1}', "http://testserver/1")
SOON = timedelta(seconds=1)


def claimed(user: User, **other: str) -> UUID | Answer:
    return claim_key(user=user, **{"path": "/api/jobs", "key": "k", "body_sha256": "a" * 64, **other})


def given(claim: UUID | Answer) -> UUID:
    assert isinstance(claim, UUID)
    return claim


def age(by: timedelta) -> None:
    """Every key is so much older."""
    for row in IdempotencyKey.objects.all():
        IdempotencyKey.objects.filter(pk=row.pk).update(claimed_at=row.claimed_at - by)


def test_the_answer_is_kept_under_the_key(owner: User) -> None:
    assert do_once(claim=given(claimed(owner)), act=lambda: DONE) == DONE

    assert claimed(owner) == DONE


@pytest.mark.parametrize("other", [{"path": "/api/benchmarks"}, {"key": "another"}], ids=["path", "key"])
def test_another_path_or_key_is_another_request(owner: User, other: dict[str, str]) -> None:
    do_once(claim=given(claimed(owner)), act=lambda: DONE)

    assert isinstance(claimed(owner, **other), UUID)


def test_another_person_may_have_the_same_key(owner: User, stranger: User) -> None:
    do_once(claim=given(claimed(owner)), act=lambda: DONE)

    assert isinstance(claimed(stranger), UUID)


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "being answered"])
def test_another_body_is_refused(owner: User, is_answered: bool) -> None:
    claim = given(claimed(owner))
    if is_answered:
        do_once(claim=claim, act=lambda: DONE)

    with pytest.raises(KeyOfAnotherBody):
        claimed(owner, body_sha256="b" * 64)


def test_a_second_request_is_refused_while_the_first_is_being_answered(owner: User) -> None:
    claim = given(claimed(owner))

    with pytest.raises(KeyInUse):
        claimed(owner)
    assert do_once(claim=claim, act=lambda: DONE) == DONE


def test_a_refusal_frees_the_key_and_undoes_what_was_begun(owner: User) -> None:
    def act() -> Answer:
        User.objects.create(username="half-done")
        raise ValueError("refused")

    claim = given(claimed(owner))
    with pytest.raises(ValueError, match="refused"), free_unless_answered(claim):
        do_once(claim=claim, act=act)

    assert not IdempotencyKey.objects.exists()
    assert not User.objects.filter(username="half-done").exists()


def test_an_answer_outlives_a_failure_after_it(owner: User) -> None:
    """Such as a connection that breaks while the database confirms: it may have been stored."""
    claim = given(claimed(owner))

    def breaks() -> None:
        do_once(claim=claim, act=lambda: DONE)
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"), free_unless_answered(claim):
        breaks()

    assert claimed(owner) == DONE


def test_the_key_of_a_process_that_died_is_free_after_the_lease(owner: User) -> None:
    first = given(claimed(owner))
    age(LEASE - SOON)
    with pytest.raises(KeyInUse):
        claimed(owner)
    age(2 * SOON)

    second = given(claimed(owner, body_sha256="b" * 64))

    assert second != first
    assert do_once(claim=second, act=lambda: DONE) == DONE


def test_who_was_slow_and_lost_the_key_does_nothing(owner: User) -> None:
    slow, act = given(claimed(owner)), Mock()
    age(LEASE + SOON)
    claimed(owner)

    with pytest.raises(KeyInUse), free_unless_answered(slow):
        do_once(claim=slow, act=act)

    act.assert_not_called()
    assert IdempotencyKey.objects.count() == 1


def test_an_answer_is_kept_for_a_day(owner: User) -> None:
    do_once(claim=given(claimed(owner)), act=lambda: DONE)
    age(KEPT - SOON)
    assert claimed(owner, body_sha256="a" * 64) == DONE
    age(2 * SOON)

    assert isinstance(claimed(owner, body_sha256="b" * 64), UUID)
    assert IdempotencyKey.objects.get().status is None


def test_old_keys_go_and_new_ones_stay(owner: User) -> None:
    do_once(claim=given(claimed(owner, key="old")), act=lambda: DONE)
    age(KEPT + SOON)
    do_once(claim=given(claimed(owner, key="new")), act=lambda: DONE)

    assert prune().counts["keys of requests that were answered"] == 1

    assert IdempotencyKey.objects.get().key == "new"


def test_keys_and_answers_go_with_the_account(owner: User) -> None:
    do_once(claim=given(claimed(owner)), act=lambda: DONE)

    delete_account(user=owner, keep_published=True)

    assert not IdempotencyKey.objects.exists()


on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_stale", [False, True], ids=["new key", "key of a dead process"])
def test_of_many_at_once_one_gets_the_key(owner: User, is_stale: bool) -> None:
    if is_stale:
        claimed(owner)
        age(LEASE + SOON)
    barrier = Barrier(8)

    def one(_: int) -> Any:
        try:
            barrier.wait(10)
            return claimed(owner)
        except KeyInUse as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(one, range(8)))

    assert sum(isinstance(one, UUID) for one in found) == 1
    assert sum(isinstance(one, KeyInUse) for one in found) == 7


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_key_is_not_taken_over_while_its_answer_is_being_stored(owner: User) -> None:
    claim = given(claimed(owner))
    age(LEASE + SOON)

    def second() -> UUID | Answer:
        try:
            return claimed(owner)
        finally:
            connections.close_all()

    def act() -> Answer:
        answers.append(threads.submit(second))
        while not waits_for_us():
            assert not answers[0].done()
        return DONE

    answers: list[Any] = []
    with ThreadPoolExecutor(1) as threads:
        assert do_once(claim=claim, act=act) == DONE

    assert answers[0].result() == DONE


def waits_for_us() -> bool:
    """Whether another connection waits for a row that this one has changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])
