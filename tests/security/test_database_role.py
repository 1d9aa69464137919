"""On PostgreSQL the site runs as a role that owns no table, with the rights that docs/security.md gives it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import AuditAction, AuditEvent
from accounts.services.tokens import create_token
from leaderboard.models import Comment, ReviewAction, ReviewEvent
from leaderboard.services.review import review
from tests import factories
from tests.factories import pending

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="roles are PostgreSQL's: set DATABASE_URL to one"),
]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"
PASSWORD = "correct horse battery"


@pytest.fixture
def web_role(db):
    """From here on the connection is that of the web's role; the test's rollback takes the role away again."""
    granted = r"FOR ROLE lemsite_owner IN SCHEMA public (GRANT [\w, ]+) ON (TABLES|SEQUENCES)"
    rights = re.findall(granted, DOCUMENT.read_text(encoding="utf-8"))
    assert len(rights) == 2
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE lemsite_web_of_tests NOSUPERUSER")
        cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        cursor.execute("GRANT USAGE ON SCHEMA public TO lemsite_web_of_tests")
        for right, kind in rights:
            cursor.execute(f"{right} ON ALL {kind} IN SCHEMA public TO lemsite_web_of_tests")
        cursor.execute("SET LOCAL ROLE lemsite_web_of_tests")
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("lemsite_web_of_tests",)
    cache.clear()


def test_the_site_works_with_a_role_that_owns_nothing(
    client, owner, moderator, small_catalogue, stored_files, web_role
):
    client.post("/accounts/login/", {"login": "owner", "password": PASSWORD})
    _, plain = create_token(user=owner, name="t", scopes=["read", "submit"])
    given = Client().post(
        "/api/benchmarks",
        factories.NORMAL,
        content_type="application/json",
        headers={"Authorization": f"Bearer {plain}"},
    )
    submission = owner.submissions.get()
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator, reason="Plausible.")
    result = submission.results.get()
    client.post(f"/results/{result.pk}/comments/", {"text": "Well measured."})

    assert given.status_code == 201
    assert Comment.objects.exists()
    for path in ("/", f"/results/{result.pk}/", "/analysis/", "/account/", "/live/", "/jobs/", "/api/benchmarks.csv"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE leaderboard_result ADD COLUMN x int",
        "DROP TABLE accounts_apitoken",
        "TRUNCATE leaderboard_reviewevent",
        "ALTER TABLE leaderboard_reviewevent DISABLE TRIGGER ALL",
        "DROP TRIGGER leaderboard_reviewevent_append_only ON leaderboard_reviewevent",
        "DROP FUNCTION lemsite_append_only() CASCADE",
        "SET session_replication_role = replica",
        "UPDATE leaderboard_reviewevent SET reason = 'another'",
        "DELETE FROM leaderboard_reviewevent",
        "UPDATE accounts_auditevent SET reason = 'another'",
        "CREATE TABLE mine (x int)",
        "COPY accounts_user TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE another SUPERUSER",
    ],
)
def test_that_role_changes_neither_tables_nor_history(owner, small_catalogue, stored_files, web_role, statement):
    pending(owner)
    AuditEvent.objects.create(action=AuditAction.BAN, person=owner)
    before = (list(ReviewEvent.objects.values()), list(AuditEvent.objects.values()))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert (list(ReviewEvent.objects.values()), list(AuditEvent.objects.values())) == before
