from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from accounts.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from accounts.secrets_at_rest import encrypt
from jobs.models import AuditRun
from lemsite.models import Backup
from lemsite.observing.status import kept
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory

PATH = "/admin/status/"


@pytest.fixture
def operator(db, client):
    user = UserFactory(username="operator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_failure"))
    client.force_login(user)
    return user


@pytest.fixture
def troubles(operator):
    """One of everything that the page has to show."""
    now = timezone.now()
    OrmQ.objects.create(key="lemsite", payload="", lock=now - timedelta(minutes=10))
    error = "<b>broken</b> : Traceback\n  line 2"
    failed = Task.objects.create(
        id="f" * 32, name="t", func="jobs.tasks.reconcile", started=now, stopped=now, success=False, result=error
    )
    Schedule.objects.filter(name="jobs: reconcile the queue").update(task=failed.pk, next_run=now - timedelta(hours=1))
    AgentFactory(name="host-1", quarantined_at=now, quarantine_reason="too hot")
    AuditRun.objects.create(ended_at=now, rules=14, broken=[{"code": "J7", "rule": "r", "broken": ["job 1"]}])
    hook = WebhookEndpoint.objects.create(
        user=operator, url="https://x.example.org", secret=encrypt("s"), failing_since=now
    )
    WebhookDelivery.objects.create(
        endpoint=hook, event_id="0" * 32, body="", state=DeliveryState.FAILED, next_attempt_at=now
    )


def test_an_operator_sees_what_goes_wrong(client, troubles):
    text = client.get(PATH).content.decode()

    for said in (
        "1, the oldest for 10", "&lt;b&gt;broken&lt;/b&gt; : Traceback", "jobs.tasks.reconcile", "late", "failed",
        "set aside: too hot", "broken: J7", "1 given up of 1", "all applied", "A background task has been due",
    ):  # fmt: skip
        assert said in text.replace("\xa0", " "), said
    assert "line 2" not in text


@pytest.mark.parametrize(
    ("hours", "is_production", "is_well"),
    [(1, True, True), (49, True, False), (49, False, True), (None, True, False), (None, False, True)],
    ids=["new", "old", "old in development", "none", "none in development"],
)
@pytest.mark.django_db
def test_it_tells_of_the_last_backup(settings, hours, is_production, is_well):
    settings.PRODUCTION = is_production
    now = timezone.now()
    if hours is not None:
        made_at = now - timedelta(hours=hours)
        Backup.objects.create(made_at=made_at, folder="/srv/backups/x", size_bytes=3 << 20, was_read_back=True)

    (line,) = [line for line in kept(now) if line.name == "Last backup"]

    assert line.is_well == is_well
    assert line.value.endswith("none yet" if hours is None else "ago: 3 MiB, read back, in /srv/backups/x")


@pytest.mark.django_db
def test_strangers_and_moderators_do_not(client, stranger, moderator):
    assert client.get(PATH).status_code == 302
    client.force_login(stranger)
    assert client.get(PATH).status_code == 302
    client.force_login(moderator)
    assert client.get(PATH).status_code == 403


def test_it_only_reads(client, operator):
    assert client.post(PATH).status_code == 405


def test_an_empty_site_has_a_status_too(client, operator):
    response = client.get(PATH)

    assert response.status_code == 200
    assert "None is connected to this site." in response.content.decode()


def test_its_queries_do_not_grow_with_what_it_shows(client, troubles, django_assert_max_num_queries):
    client.get(PATH)
    now = timezone.now()
    for number in range(30):
        AgentFactory(name=f"more-{number}", last_seen_at=now)
        at = now - timedelta(minutes=number)
        Task.objects.create(id=f"{number:032d}", name="t", func="f", started=at, stopped=at, success=False)

    with django_assert_max_num_queries(45):
        client.get(PATH)


def test_the_admin_leads_there(client, operator):
    assert f'href="{PATH}"' in client.get("/admin/").content.decode()
