"""/health is whether this process lives, /ready whether visitors are to be sent to it."""

import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ

from lemsite import __version__
from lemsite.lib import draining
from lemsite.observing import probes
from lemsite.observing.probes import Probe
from tests.operations.asking import ask
from tests.operations.conftest import _as_just_started  # noqa: F401 - it is used by all tests here


def broken():
    raise DatabaseError("no connection for postgresql://user:word@host")


@pytest.mark.django_db
def test_health_answers_while_the_database_does(client):
    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": __version__,
        "database": True,
        "queue": {"waiting": 0, "oldest_waiting_s": 0.0},
    }


@pytest.mark.django_db
def test_the_report_tells_how_long_tasks_have_been_due():
    now = timezone.now()
    OrmQ.objects.create(key="lemsite", payload="", lock=now - timedelta(seconds=90))
    OrmQ.objects.create(key="lemsite", payload="", lock=now + timedelta(seconds=90))
    OrmQ.objects.create(key="gpu", payload="", lock=now - timedelta(seconds=900))

    queue = probes.queue_report()

    assert queue["waiting"] == 1
    assert 90 <= queue["oldest_waiting_s"] < 100


def test_no_restart_brings_a_database_back(client, monkeypatch):
    monkeypatch.setattr(probes, "database", Probe("The database", broken))

    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {"status": "degraded", "version": __version__, "database": False, "queue": None}
    assert "no connection" not in response.text


def test_health_does_not_wait_for_a_database_that_hangs(client, monkeypatch):
    never = threading.Event()
    monkeypatch.setattr(probes, "database", Probe("The database", lambda: {"waiting": float(never.wait(30))}))
    monkeypatch.setattr("lemsite.health.HEALTH_WITHIN_S", 0.05)

    answers = [client.get("/health").json()["database"] for _ in range(3)]
    never.set()

    assert answers == [False] * 3
    assert [thread.name for thread in threading.enumerate()].count("probe-The database") <= 1


@pytest.mark.django_db
def test_health_is_read_only_and_leaves_no_cookie(client):
    assert client.post("/health").status_code == 405
    assert not client.get("/health").cookies


@pytest.mark.django_db
def test_ready_names_each_service(client):
    response = client.get("/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "version": __version__,
        "checks": {"database": True, "migrations": True, "redis": True, "storage": True},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["database", "migrations", "redis", "storage"])
def test_ready_is_503_without_each_of_them(client, monkeypatch, name):
    monkeypatch.setitem(probes.SERVICES, name, Probe(name, broken))

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert [one for one, is_well in response.json()["checks"].items() if not is_well] == [name]
    assert "postgresql" not in response.text


@pytest.mark.django_db
def test_a_proxy_that_keeps_readers_reading_asks_for_less(client, monkeypatch):
    monkeypatch.setitem(probes.SERVICES, "storage", Probe("storage", broken))

    response = client.get("/ready?needs=database,migrations")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["storage"] is False


def test_a_proxy_asks_only_whether_the_process_stops(client, monkeypatch):
    for name in probes.SERVICES:
        monkeypatch.setitem(probes.SERVICES, name, Probe(name, broken))

    assert client.get("/ready?needs=nothing").json() == {"status": "ready", "version": __version__, "checks": {}}
    draining.begin()
    assert client.get("/ready?needs=nothing").status_code == 503


def test_ready_refuses_what_it_does_not_know(client):
    response = client.get("/ready?needs=database,coffee")

    assert response.status_code == 400
    assert "coffee" in response.json()["error"]["message"]


def test_ready_is_503_while_the_process_stops(client):
    draining.begin()

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json() == {"status": "draining"}


@pytest.mark.django_db
def test_missing_migrations_are_found_and_remembered_once_applied(monkeypatch):
    monkeypatch.setattr(probes, "pending_migrations", lambda: ["runs.0002_more"])
    with pytest.raises(probes.MigrationsMissing, match=r"runs\.0002_more"):
        probes.require_migrations()
    monkeypatch.setattr(probes, "pending_migrations", list)
    probes.require_migrations()
    monkeypatch.setattr(probes, "pending_migrations", lambda: ["runs.0003_later"])

    probes.require_migrations()


def test_a_service_is_asked_once_a_second_by_however_many():
    asked = []
    probe = Probe("It", lambda: asked.append(1))

    for _ in range(20):
        probe.is_well()

    assert len(asked) == 1


def test_a_service_is_asked_again_when_the_answer_is_old(monkeypatch):
    monkeypatch.setattr(probes, "KEEP_S", -1)
    asked = []
    probe = Probe("It", lambda: asked.append(1))

    probe.is_well()
    probe.is_well()

    assert len(asked) == 2


def test_that_a_service_went_and_came_back_is_logged_once_each(monkeypatch, caplog):
    monkeypatch.setattr(probes, "KEEP_S", -1)
    caplog.set_level("INFO", "lemsite.observing.probes")
    wells = iter([False, False, True, True])

    def sometimes():
        if not next(wells):
            raise DatabaseError("gone")

    probe = Probe("The database", sometimes)
    for _ in range(4):
        probe.is_well()

    assert caplog.messages == ["The database is away: DatabaseError: gone", "The database is back"]


class RefusedByStorage(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.mark.parametrize(("status", "is_there"), [(403, True), (500, False), (503, False)])
def test_a_storage_that_refuses_is_there(monkeypatch, status, is_there):
    def refuse(name):
        raise RefusedByStorage(status)

    monkeypatch.setattr(default_storage, "exists", refuse, raising=False)

    assert Probe("The storage", probes.look_into_storage).is_well() is is_there


async def test_a_probe_inside_the_network_may_use_any_host_name(monkeypatch):
    for name in ("database", "migrations"):
        monkeypatch.setitem(probes.SERVICES, name, Probe(name, dict))

    answer = await ask("/ready", headers={"host": "10.0.0.7:8000"})

    assert answer.status == 200
    assert (await ask("/ready", method="POST")).headers["allow"] == "GET, HEAD"
    assert (await ask("/ready/", method="HEAD")).body == b""
