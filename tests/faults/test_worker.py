"""The background worker dies in the middle of a task, or finds the database away."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from lemsite import queue_clock
from lemsite.lib import outages
from lemsite.management.commands import qworker

pytestmark = pytest.mark.django_db


def test_a_task_whose_worker_was_killed_is_given_out_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(Conf, "POLL", 0)
    broker = get_broker()
    async_task("time.sleep", 0)
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    ((ticket, _),) = broker.dequeue()

    assert not broker.dequeue()
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))

    assert [found for found, _ in broker.dequeue()] == [ticket]


def test_the_worker_goes_on_when_it_cannot_put_its_queue_right(monkeypatch: Any, caplog: Any) -> None:
    def fail(now: Any) -> None:
        raise OperationalError("connection refused")

    outages._told_at.clear()
    monkeypatch.setattr(queue_clock, "put_right", fail)
    monkeypatch.setattr("django.db.connection.close", lambda: None)

    qworker._put_queue_right()

    assert [record.exc_info for record in caplog.records] == [None]


def test_a_traceback_of_an_outage_is_one_line_in_the_log() -> None:
    """The queue's own library writes it with all that led to it."""

    try:
        raise OperationalError("connection refused\nIs it running?")
    except OperationalError:
        record = logging.LogRecord("django-q", logging.ERROR, "", 0, "Failed to pull %s", ("a task",), sys.exc_info())

    assert outages.WithoutTraceback().filter(record)
    assert (record.getMessage(), record.exc_info) == ("Failed to pull a task: connection refused", None)


def test_a_traceback_of_our_own_fault_stays() -> None:

    try:
        raise ValueError("a fault of ours")
    except ValueError:
        record = logging.LogRecord("django-q", logging.ERROR, "", 0, "Failed", (), sys.exc_info())

    outages.WithoutTraceback().filter(record)

    assert record.exc_info is not None
