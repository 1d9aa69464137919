"""Redis, PostgreSQL or the storage is away: what stands between them and the pages."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as configured
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.load.cut import CuttableProxy
from lemsite import handler as handler_module
from lemsite import urls
from lemsite.handler import OneHopHandler
from lemsite.lib import database_watch, redis_cache, service_urls
from lemsite.lib.database_watch import DatabaseWatch
from lemsite.lib.file_storage import WholeFileStorage
from lemsite.lib.redis_cache import RedisOrMemoryCache
from tests.factories import normal_file

handler500 = urls.handler500
released = threading.Event()


def slow(request: HttpRequest) -> HttpResponse:
    if "fast" not in request.GET and threading.current_thread().name.startswith("django-0"):
        released.wait(20)
    return HttpResponse(f"{request.method} by {threading.current_thread().name}")


urlpatterns = [path("slow/", csrf_exempt(slow))]


# Redis


@pytest.fixture
def cache_away(monkeypatch: Any) -> Any:
    """A cache whose Redis refuses connections."""
    monkeypatch.setattr(redis_cache._Away, "until", 0.0)
    monkeypatch.setattr(redis_cache._Away, "since", None)
    with CuttableProxy(1) as proxy:
        proxy.cut()
        found = service_urls.cache(f"redis://127.0.0.1:{proxy.port}/0")
        cache = RedisOrMemoryCache(found["LOCATION"], {"KEY_PREFIX": "t", "OPTIONS": found["OPTIONS"]})
        cache._memory.clear()
        yield cache


def test_the_cache_goes_on_in_memory_while_redis_is_away(cache_away: Any) -> None:
    assert cache_away.get("page", "none") == "none"

    cache_away.set("page", "kept", 60)
    cache_away.set_many({"a": 1, "b": 2})

    assert cache_away.get("page") == "kept"
    assert cache_away.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cache_away.has_key("a")
    assert cache_away.touch("a")
    cache_away.delete_many(["a"])
    assert cache_away.delete("b")
    cache_away.clear()
    assert not cache_away.has_key("page")


def test_limits_still_count_while_redis_is_away(cache_away: Any) -> None:
    """Neither open nor closed: each process counts for itself."""
    assert cache_away.add("calls", 0, 60) is True
    assert cache_away.add("calls", 0, 60) is False

    assert [cache_away.incr("calls") for _ in range(3)] == [1, 2, 3]


def test_a_redis_that_is_away_is_asked_every_two_seconds_and_told_of_once(cache_away: Any, caplog: Any) -> None:
    for _ in range(5):
        cache_away.get("page")

    assert len(caplog.records) == 1
    assert redis_cache._Away.until > time.monotonic() + 1


@pytest.mark.skipif(not configured.REDIS_URL, reason="REDIS_URL names no Redis")
def test_redis_is_used_again_once_it_is_back(monkeypatch: Any) -> None:
    from urllib.parse import urlsplit

    monkeypatch.setattr(redis_cache, "LEFT_ALONE_S", 0.0)
    server = urlsplit(configured.REDIS_URL)
    with CuttableProxy(server.port or 6379, host=server.hostname or "127.0.0.1") as proxy:
        location = server._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
        cache = RedisOrMemoryCache(location, {"KEY_PREFIX": "faults", "OPTIONS": {"socket_timeout": 1}})
        cache.set("page", "shared", 60)
        proxy.cut()
        assert cache.get("page") is None
        cache.set("page", "own", 60)
        proxy.mend()

        assert cache.get("page") == "shared"


# PostgreSQL


@pytest.fixture
def answers(monkeypatch: Any) -> Any:
    """Whether the server answers: .is_there."""

    class Server:
        is_there = False

    async def answer(parameters: Any) -> bool:
        return Server.is_there

    monkeypatch.setattr(database_watch, "_answers", answer)
    monkeypatch.setattr(database_watch, "_parameters", dict)
    monkeypatch.setattr(database_watch, "ASK_EVERY_S", 0.01)
    yield Server
    Server.is_there = True


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_the_watch_opens_once_and_closes_with_the_first_answer(answers: Any, caplog: Any) -> None:
    watch = DatabaseWatch()
    watch.went_away("connection refused\nIs it running?")
    watch.went_away("connection refused")
    assert watch.is_away

    answers.is_there = True

    until(lambda: not watch.is_away)
    assert [record.getMessage() for record in caplog.records] == [
        "The database does not answer: connection refused",
        "The database answers again, after 0 s",
    ]


def test_a_process_that_was_forked_asks_for_itself(answers: Any) -> None:
    watch = DatabaseWatch()
    watch.went_away("connection refused")

    watch.forget()

    assert not watch.is_away


@pytest.mark.asyncio
async def test_a_slow_query_alone_is_no_reason_to_refuse_others(answers: Any) -> None:
    watch = DatabaseWatch()
    answers.is_there = True

    assert not await watch.hangs()

    answers.is_there = False
    assert not await watch.hangs()
    watch._answered_at = 0.0
    assert await watch.hangs()
    assert watch.is_away


@pytest.mark.skipif(configured.ON_SQLITE, reason="DATABASE_URL names no PostgreSQL")
def test_connections_are_refused_at_once_until_the_server_is_back(monkeypatch: Any, django_db_blocker: Any) -> None:
    from lemsite.lib.database_watch import watch
    from lemsite.lib.postgresql.base import DatabaseWrapper

    real = connection.settings_dict
    with CuttableProxy(int(real["PORT"] or 5432), host=real["HOST"] or "127.0.0.1") as proxy:
        through = {**real, "NAME": "postgres", "HOST": "127.0.0.1", "PORT": str(proxy.port)}
        through["OPTIONS"] = {name: value for name, value in real["OPTIONS"].items() if name != "pool"}
        wrapper = DatabaseWrapper(through, "default")
        parameters = {"dbname": "postgres", "user": real["USER"], "host": "127.0.0.1", "port": proxy.port}
        monkeypatch.setattr(database_watch, "_parameters", lambda: parameters)
        proxy.cut()
        with django_db_blocker.unblock(), pytest.raises(OperationalError):
            wrapper.ensure_connection()
        assert watch.is_away
        with django_db_blocker.unblock(), pytest.raises(OperationalError, match="is being asked"):
            wrapper.ensure_connection()
        proxy.mend()

        until(lambda: not watch.is_away)
        with django_db_blocker.unblock():
            wrapper.ensure_connection()
            wrapper.close()


def test_a_postgresql_that_vanishes_has_limits(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://site@db.example.org/lemsite?connect_timeout=9")

    found = service_urls.database("DATABASE_URL", default="", folder=tmp_path)

    assert found["ENGINE"] == "lemsite.lib.postgresql"
    assert found["CONN_HEALTH_CHECKS"] is True
    assert found["OPTIONS"]["connect_timeout"] == "9"
    assert found["OPTIONS"]["tcp_user_timeout"] == "10000"
    assert found["OPTIONS"]["pool"]["timeout"] <= 5


# The thread of a request hangs


async def ask(handler: Any, query: str = "", method: str = "GET") -> tuple[int, str]:
    scope = {
        "type": "http", "method": method, "path": "/slow/", "raw_path": b"/slow/", "query_string": query.encode(),
        "headers": [(b"host", b"testserver")], "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    communicator = ApplicationCommunicator(handler, scope)
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await communicator.receive_output(15)
    body = await communicator.receive_output(15)
    return start["status"], body["body"].decode()


@pytest.fixture
def hanging(monkeypatch: Any, settings: Any) -> Any:
    """A handler of one thread, which hangs, and a database that is known to."""

    async def hangs() -> bool:
        return True

    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    monkeypatch.setattr(handler_module, "_database_hangs", hangs)
    monkeypatch.setattr(handler_module, "SLOW_S", 0.05)
    released.clear()
    yield OneHopHandler(threads=1)
    released.set()


@pytest.mark.asyncio
async def test_a_reader_is_answered_while_a_thread_hangs(hanging: Any) -> None:
    assert await ask(hanging) == (200, "GET by django-spare_0")


@pytest.mark.asyncio
async def test_who_waits_for_a_thread_that_hangs_is_answered_too(hanging: Any) -> None:
    first = asyncio.ensure_future(ask(hanging, method="POST"))
    await asyncio.sleep(0.02)

    assert await ask(hanging, "fast", method="POST") == (200, "POST by django-spare_0")

    released.set()
    await first


@pytest.mark.asyncio
async def test_a_write_that_has_begun_is_waited_for(hanging: Any) -> None:
    """Whoever is told to try again would have it done twice."""
    asked = asyncio.ensure_future(ask(hanging, method="POST"))
    await asyncio.sleep(0.2)
    assert not asked.done()

    released.set()

    assert await asked == (200, "POST by django-0_0")


# The storage


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    storage = {"BACKEND": "lemsite.lib.file_storage.WholeFileStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return tmp_path


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        pytest.param(errno.ENOSPC, 507, "disk_full", id="full"),
        pytest.param(errno.EROFS, 503, "storage_down", id="read-only"),
    ],
)
@pytest.mark.parametrize("query", ["", "?background=1"], ids=["read-at-once", "read-later"])
@pytest.mark.django_db
@pytest.mark.usefixtures("small_catalogue")
def test_an_upload_that_cannot_be_stored_leaves_nothing(
    client: Any, owner: Any, folder: Path, monkeypatch: Any, number: int, status: int, code: str, query: str
) -> None:
    from accounts.models import Scope
    from accounts.services.tokens import create_token
    from leaderboard.models import RawFile, Submission, UploadBatch

    def refuse(storage: Any, name: str, content: Any, max_length: Any = None) -> str:
        raise OSError(number, "cannot be written")

    _, plain = create_token(user=owner, name="t", scopes=[Scope.SUBMIT])
    monkeypatch.setattr(WholeFileStorage, "save", refuse)

    response = client.post(
        f"/api/benchmarks{query}",
        normal_file().content,
        content_type="application/json",
        headers={"authorization": f"Bearer {plain}"},
    )

    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response["Retry-After"]
    assert not Submission.objects.exists()
    assert not RawFile.objects.exists()
    assert not UploadBatch.objects.exists()
    assert not [path for path in folder.rglob("*") if path.is_file()]


# The proxy that makes these faults


def ended(channel: Any) -> bool:
    try:
        return channel.recv(1) == b""
    except ConnectionResetError:
        return True


def test_the_proxy_cuts_and_mends() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as target, CuttableProxy(target.getsockname()[1]) as proxy:

        def through(text: bytes) -> bytes:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as near:
                near.sendall(text)
                while True:
                    far, _ = target.accept()
                    with far:
                        far.settimeout(5)
                        # One that was cut before it said anything comes first.
                        if said := far.recv(100):
                            return said

        assert through(b"one") == b"one"
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as open_one:
            proxy.cut()
            open_one.settimeout(5)
            assert ended(open_one)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
        proxy.mend()
        assert through(b"two") == b"two"
