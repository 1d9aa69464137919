"""People and tokens in the admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import ApiToken, AuditEvent, Ban, Notification
from accounts.services.bans import ban, lift_ban
from accounts.services.tokens import create_token
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_tokens_are_shown_without_their_secret(admin, owner):
    token, plain = create_token(user=owner, name="laptop", scopes=["read"])

    content = admin.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode()

    assert "laptop" in content
    assert plain.rpartition("_")[2] not in content
    assert token.secret_sha256 not in content


def test_tokens_are_neither_made_nor_changed_in_the_admin(admin, owner):
    token, _ = create_token(user=owner, name="laptop", scopes=["read"])

    assert admin.get(reverse("admin:accounts_apitoken_add")).status_code == 403
    admin.post(reverse("admin:accounts_apitoken_change", args=[token.pk]), {"scopes": '["submit"]'})

    assert ApiToken.objects.get().scopes == ["read"]


@pytest.mark.parametrize("name", ["user", "apitoken"])
def test_a_moderator_manages_neither_people_nor_tokens(client, moderator, name):
    client.force_login(moderator)

    assert client.get(reverse(f"admin:accounts_{name}_changelist")).status_code == 403


def test_people_are_listed(admin):
    assert admin.get(reverse("admin:accounts_user_changelist")).status_code == 200


@pytest.fixture
def desk(client, moderator):
    """A browser in which a moderator, who has no other right, is signed in."""
    client.force_login(moderator)
    return client


def ban_form(**fields):
    return {"username": "stranger", "reason": "Spam.", "until_0": "", "until_1": "", **fields}


def test_a_moderator_bans_with_a_reason_and_an_end(desk, moderator, stranger):
    desk.post(reverse("admin:accounts_ban_add"), ban_form(until_0="2999-01-02", until_1="03:04:00"))

    row = Ban.objects.get()
    assert (row.user, row.by, row.reason, f"{row.until:%Y-%m-%d %H:%M}") == (
        stranger, moderator, "Spam.", "2999-01-02 03:04"
    )  # fmt: skip


def test_a_ban_leaves_a_line_and_tells_the_person(desk, moderator, stranger):
    desk.post(reverse("admin:accounts_ban_add"), ban_form())

    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.person, event.reason) == ("ban", moderator, stranger, "Spam.")
    assert Notification.objects.get(user=stranger).text == "Spam."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"username": "nobody-here"}, "There is no user"),
        ({"username": "moderator"}, "is a moderator"),
        ({"username": "root"}, "is a moderator"),
        ({"reason": ""}, "This field is required"),
        ({"until_0": "2001-01-01", "until_1": "00:00:00"}, "It lies in the past"),
        ({"until_0": "soon", "until_1": ""}, "Enter a valid date"),
    ],
    ids=["unknown", "moderator", "superuser", "no reason", "past", "no date"],
)
def test_a_ban_that_cannot_be_says_why(desk, stranger, fields, sentence):
    UserFactory(username="root", is_superuser=True)

    content = desk.post(reverse("admin:accounts_ban_add"), ban_form(**fields)).content.decode()

    assert sentence in content
    assert not Ban.objects.exists()


def test_a_ban_is_lifted_with_a_reason(desk, moderator, stranger):
    row = ban(user=stranger, by=moderator, reason="Spam.")

    desk.post(reverse("admin:accounts_ban_change", args=[row.pk]), {"decision": "lift", "reason": "Sorry said."})

    assert not stranger.bans.in_force().exists()
    assert AuditEvent.objects.filter(action="lift-ban", reason="Sorry said.").exists()


def test_a_ban_is_neither_changed_nor_deleted_by_hand(desk, moderator, stranger):
    row = ban(user=stranger, by=moderator, reason="Spam.")

    desk.post(reverse("admin:accounts_ban_change", args=[row.pk]), ban_form(reason="forged"))
    deleted = desk.post(reverse("admin:accounts_ban_delete", args=[row.pk]), {"post": "yes"})

    assert deleted.status_code == 403
    assert Ban.objects.get().reason == "Spam."


def test_bans_are_listed_by_whether_they_hold(desk, moderator, stranger):
    over = ban(user=stranger, by=moderator, reason="Long ago.")
    lift_ban(ban=over, by=moderator)
    ban(user=UserFactory(), by=moderator, reason="Of today.")
    url = reverse("admin:accounts_ban_changelist")

    in_force = desk.get(f"{url}?state=in-force").content.decode()

    assert "Of today." in in_force
    assert "Long ago." not in in_force
    assert "Long ago." in desk.get(f"{url}?state=over").content.decode()


def test_the_form_can_begin_with_a_name(desk, stranger):
    content = desk.get(reverse("admin:accounts_ban_add") + "?username=stranger").content.decode()

    assert 'value="stranger"' in content


@pytest.mark.parametrize("name", ["ban", "auditevent"])
def test_nobody_but_moderators_sees_bans_and_the_audit_log(client, stranger, name):
    client.force_login(UserFactory(is_staff=True))

    assert client.get(reverse(f"admin:accounts_{name}_changelist")).status_code == 403


def test_the_audit_log_is_read_and_never_changed_even_by_a_superuser(admin, owner):
    event = AuditEvent.objects.create(action="ban", person=owner, subject="ban 7", reason="as it was")
    prefix = "admin:accounts_auditevent"

    assert "ban 7" in admin.get(reverse(f"{prefix}_change", args=[event.pk])).content.decode()
    assert admin.get(reverse(f"{prefix}_add")).status_code == 403
    assert admin.post(reverse(f"{prefix}_delete", args=[event.pk]), {"post": "yes"}).status_code == 403
    admin.post(reverse(f"{prefix}_change", args=[event.pk]), {"reason": "forged"})
    assert AuditEvent.objects.get().reason == "as it was"


@pytest.mark.parametrize("by", ["subject", "person", "id", "words"])
def test_the_audit_log_is_searched(desk, owner, by):
    event = AuditEvent.objects.create(action="ban", person=owner, subject="ban 7", reason="Spam of May")
    AuditEvent.objects.create(action="ban", subject="ban 8", reason="Other")
    term = {"subject": "ban 7", "person": "owner", "id": str(event.pk), "words": "of may"}[by]

    content = desk.get(reverse("admin:accounts_auditevent_changelist"), {"q": term}).content.decode()

    assert "Spam of May" in content
    assert "1 audit event" in content


def test_what_is_changed_in_the_admin_is_there_for_superusers_to_read(admin, owner):
    admin.post(reverse("admin:leaderboard_cannedanswer_add"), {"title": "T", "action": "reject", "text": "x"})
    entry = LogEntry.objects.get()

    assert "T" in admin.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert admin.post(reverse("admin:admin_logentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert LogEntry.objects.exists()


def test_a_moderator_reads_no_changes_of_the_admin(desk):
    assert desk.get(reverse("admin:admin_logentry_changelist")).status_code == 403


@pytest.mark.parametrize("path", ["django_q/ormq", "socialaccount/socialapp", "socialaccount/socialtoken"])
def test_what_only_the_programs_behind_it_should_touch_is_not_in_the_admin(client, path):
    client.force_login(UserFactory(is_superuser=True, is_staff=True))

    assert client.get(f"/admin/{path}/").status_code == 404
