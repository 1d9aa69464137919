"""The same things at the same moment, from requests that the network doubled and threads of one host."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from jobs.models import Agent, AgentSession, Attempt
from jobs.queries.audit import audit
from jobs.queries.logs import attempt_log
from jobs.services import agents, artifacts, intake_events, intake_log, intake_telemetry, sessions
from jobs.services.errors import AgentRefused
from tests.jobs.factories import AgentFactory, AttemptFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
THREADS, ROUNDS = 4, 8


def at_once(act, arguments):
    """What each of the calls returned, or the code with which it was refused."""
    start = Barrier(len(arguments))

    def run(argument):
        try:
            start.wait()
            return act(argument)
        except AgentRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def test_chunks_of_a_log_that_overlap():
    attempt = AttemptFactory()
    whole = b"".join(f"line {number}\n".encode() for number in range(ROUNDS * 4))
    for start in range(0, len(whole), 40):
        at_once(
            lambda skip, start=start: intake_log.append(
                attempt=attempt, start=max(0, start - skip), content=whole[max(0, start - skip) : start + 40]
            ),
            [0, 7, 40, 0],
        )

    assert b"".join(attempt_log(attempt)) == whole


def test_events_of_several_threads():
    attempt = AttemptFactory()
    numbers = list(range(1, 1 + THREADS * ROUNDS))

    def send(first):
        mine = [{"seq": seq, "t": 0.0, "type": "step", "data": {}} for seq in numbers[first::THREADS]]
        for event in mine:
            intake_events.store(attempt=attempt, events=[event, mine[0]])

    at_once(send, list(range(THREADS)))

    attempt.refresh_from_db()
    assert attempt.next_event == len(numbers) + 1
    assert [event.seq for event in attempt.events.all()] == numbers


def test_the_same_samples_twice():
    attempt = AttemptFactory()

    def send(_):
        return intake_telemetry.store(attempt=attempt, first_seq=1, t=[1.0, 2.0], gpus=[])

    assert at_once(send, list(range(THREADS))) == [3] * THREADS
    assert attempt.telemetry.count() == 1


def test_a_piece_of_a_file_twice():
    attempt, content = AttemptFactory(), b"0123456789" * ROUNDS
    digest = hashlib.sha256(content).hexdigest()
    artifact, _ = artifacts.begin(attempt=attempt, name="out/x", size=len(content), sha256=digest)
    for offset in range(0, len(content), 10):
        at_once(
            lambda _, offset=offset: artifacts.add_piece(
                artifact=artifact, offset=offset, content=content[offset : offset + 10]
            ),
            [1, 2],
        )

    artifact.refresh_from_db()
    with artifacts.open_artifact(artifact) as file:
        assert file.read() == content


def test_a_file_that_is_announced_while_it_is_joined():
    attempt, content = AttemptFactory(), b"x" * 100_000
    digest = hashlib.sha256(content).hexdigest()
    for number in range(ROUNDS):
        announced: Any = {"attempt": attempt, "name": f"out/{number}", "size": len(content), "sha256": digest}
        artifact, _ = artifacts.begin(**announced)
        artifact = artifacts._add_piece(artifact, 0, content)
        answers = at_once(lambda _, announced=announced: artifacts.begin(**announced)[0].completed_at, range(THREADS))
        assert None not in answers

    broken = [rule for rule in audit(deep=True) if rule.code in ("I10", "I10b") and not rule.holds]
    assert broken == []


def test_a_code_makes_one_host():
    _, code = agents.issue_code(by=None, name="gpu-1")

    answers = at_once(lambda _: agents.enrol(code=code)[0].name, list(range(THREADS)))

    assert sorted(answers) == ["bad_code"] * (THREADS - 1) + ["gpu-1"]
    assert Agent.objects.count() == 1


def test_of_several_machines_with_one_token_one_gets_the_session():
    agent = AgentFactory(owner=None)

    def come(number):
        told = sessions.HostTold(
            instance_id=f"machine-{number}", boot_id="b", protocol=1, host={}, gpus=[], executors=[]
        )
        return sessions.open_session(agent=agent, told=told).session.instance_id

    answers = at_once(come, list(range(THREADS)))

    living = AgentSession.objects.get(agent=agent, ended_at=None)
    assert sorted(answers) == sorted(["session_elsewhere"] * (THREADS - 1) + [living.instance_id])


def test_bytes_after_the_report_was_taken():
    for _ in range(ROUNDS):
        attempt = AttemptFactory()

        def race(what, attempt=attempt):
            if what == "finish":
                return Attempt.objects.filter(pk=attempt.pk).update(state="done")
            with suppress(AgentRefused):
                return intake_log.append(attempt=attempt, start=0, content=b"late")

        at_once(race, ["finish", "log"])
        attempt.refresh_from_db()
        assert len(b"".join(attempt_log(attempt))) == attempt.log_bytes
