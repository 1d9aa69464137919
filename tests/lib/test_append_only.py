"""An audit log that only grows: refused by the code everywhere, and by the database on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditAction, AuditEvent
from leaderboard.models import ReviewEvent
from lemsite.lib.append_only import AppendOnlyError
from tests.factories import SubmissionFactory

pytestmark = pytest.mark.django_db
TABLES = {"review": "leaderboard_reviewevent", "audit": "accounts_auditevent"}


def line(name: str) -> Any:
    """A line of one of the two logs."""
    if name == "review":
        submission = SubmissionFactory()
        return ReviewEvent.objects.create(
            submission=submission, action="approve", from_status="pending", to_status="published", reason="as it was"
        )
    return AuditEvent.objects.create(action=AuditAction.BAN, reason="as it was")


@pytest.fixture(params=sorted(TABLES))
def name(request):
    return request.param


def test_a_stored_line_is_not_saved_again(name):
    stored = line(name)
    stored.reason = "forged"

    with pytest.raises(AppendOnlyError):
        stored.save()

    stored.refresh_from_db()
    assert stored.reason == "as it was"


def test_a_line_that_was_read_is_not_saved_again(name):
    read = type(line(name)).objects.get()

    with pytest.raises(AppendOnlyError):
        read.save(update_fields=["reason"])


def test_a_line_is_not_deleted(name):
    stored = line(name)

    with pytest.raises(AppendOnlyError):
        stored.delete()

    assert type(stored).objects.exists()


def test_lines_are_not_updated(name):
    model = type(line(name))

    with pytest.raises(AppendOnlyError):
        model.objects.update(reason="forged")


def test_lines_are_not_deleted(name):
    model = type(line(name))

    with pytest.raises(AppendOnlyError):
        model.objects.filter(reason="as it was").delete()


def test_lines_are_not_updated_in_bulk(name):
    stored = line(name)
    stored.reason = "forged"

    with pytest.raises(AppendOnlyError):
        type(stored).objects.bulk_update([stored], ["reason"])


def test_a_line_is_not_overwritten_by_inserting_it_again(name):
    stored = line(name)

    with pytest.raises((AppendOnlyError, DatabaseError)), transaction.atomic():
        type(stored)(pk=stored.pk, action=stored.action, reason="forged").save()

    stored.refresh_from_db()
    assert stored.reason == "as it was"


def test_a_line_outlives_its_submission():
    stored = line("review")

    stored.submission.delete()

    assert ReviewEvent.objects.values_list("reason", flat=True).get() == "as it was"


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'forged'", "DELETE FROM {}"], ids=["update", "delete"])
def test_the_database_itself_refuses(name, statement):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has the refusal of the code alone; the trigger is PostgreSQL's")
    stored = line(name)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(TABLES[name]))

    stored.refresh_from_db()
    assert stored.reason == "as it was"
