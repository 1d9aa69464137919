from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ

from lemsite import __version__, health


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
def test_health_tells_how_long_tasks_have_been_due(client):
    now = timezone.now()
    OrmQ.objects.create(key="lemsite", payload="", lock=now - timedelta(seconds=90))
    OrmQ.objects.create(key="lemsite", payload="", lock=now + timedelta(seconds=90))
    OrmQ.objects.create(key="gpu", payload="", lock=now - timedelta(seconds=900))

    queue = client.get("/health/").json()["queue"]

    assert queue["waiting"] == 1
    assert 90 <= queue["oldest_waiting_s"] < 100


def test_health_is_503_without_the_database(client, monkeypatch):
    def broken():
        raise DatabaseError("no connection")

    monkeypatch.setattr(health, "_background_queue", broken)

    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["database"] is False
    assert "no connection" not in response.text


@pytest.mark.django_db
def test_health_is_read_only_and_leaves_no_cookie(client):
    assert client.post("/health").status_code == 405
    assert not client.get("/health").cookies
