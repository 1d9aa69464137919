"""A service that is away is answered with 503 or 507 and a time to come back, and a known page is shown as it was."""

from __future__ import annotations

import errno
import time
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from redis.exceptions import ConnectionError as RedisConnectionError

from lemsite import kept_pages, urls
from lemsite.lib import outages
from lemsite.lib.outages import DATABASE_DOWN, DISK_FULL, REDIS_DOWN, STORAGE_DOWN, outage_of

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


class World:
    """What the pages below meet."""

    error: Exception | None = None
    headers: dict[str, str] | None = None


def page(request: HttpRequest) -> HttpResponse:
    if World.error:
        raise World.error
    return HttpResponse('<body><main id="main">a page</main>', headers=World.headers)


urlpatterns = [*urls.urlpatterns, path("page/", page), path("api/page", page)]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "error", None)
    monkeypatch.setattr(World, "headers", None)
    outages._told_at.clear()


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def s3_error(status: int, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        pytest.param(OperationalError("connection refused"), DATABASE_DOWN, id="no-connection"),
        pytest.param(InterfaceError("the connection is closed"), DATABASE_DOWN, id="broken-connection"),
        pytest.param(caused_by(OperationalError("x"), psycopg.errors.DiskFull()), DISK_FULL, id="postgresql-full"),
        pytest.param(OperationalError("database or disk is full"), DISK_FULL, id="sqlite-full"),
        pytest.param(OperationalError("no such table: runs_run"), None, id="missing-table"),
        pytest.param(ProgrammingError("syntax error"), None, id="wrong-sql"),
        pytest.param(OSError(errno.ENOSPC, "no space"), DISK_FULL, id="full-folder"),
        pytest.param(OSError(errno.EROFS, "read-only"), STORAGE_DOWN, id="read-only-folder"),
        pytest.param(FileNotFoundError(errno.ENOENT, "gone"), None, id="missing-file"),
        pytest.param(EndpointConnectionError(endpoint_url="http://s3"), STORAGE_DOWN, id="s3-away"),
        pytest.param(s3_error(503, "SlowDown"), STORAGE_DOWN, id="s3-busy"),
        pytest.param(s3_error(404, "NoSuchBucket"), STORAGE_DOWN, id="s3-no-bucket"),
        pytest.param(s3_error(507, "XMinioStorageFull"), DISK_FULL, id="s3-full"),
        pytest.param(s3_error(404, "NoSuchKey"), None, id="s3-no-such-file"),
        pytest.param(RedisConnectionError("refused"), REDIS_DOWN, id="redis-away"),
        pytest.param(caused_by(RuntimeError("x"), OperationalError("gone")), DATABASE_DOWN, id="as-the-cause"),
        pytest.param(ValueError("a fault of ours"), None, id="our-own-fault"),
    ],
)
def test_only_what_passes_by_itself_is_an_outage(error: Exception, outage: Any) -> None:
    assert outage_of(error) is outage


def test_a_page_that_needs_what_is_away_is_503_with_a_time_to_come_back(client: Any) -> None:
    World.error = OperationalError("connection refused")

    response = client.get("/page/")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "no-store" in response["Cache-Control"]
    assert "The database does not answer" in response.content.decode()
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_the_api_says_it_in_its_own_form(client: Any) -> None:
    World.error = OSError(errno.ENOSPC, "No space left on device")

    response = client.post("/api/page", {}, content_type="application/json")

    assert response.status_code == 507
    assert response["Retry-After"] == "60"
    assert response.json()["error"]["code"] == "disk_full"


def test_an_outage_is_a_line_in_the_log_and_no_traceback(client: Any, caplog: Any) -> None:
    World.error = OperationalError("connection refused\nIs the server running?")

    client.get("/page/")
    client.get("/page/")

    assert [record.getMessage() for record in caplog.records] == [
        "Requests are answered with 503 database_down: connection refused"
    ]
    assert caplog.records[0].exc_info is None


def test_a_fault_of_ours_is_still_500(client: Any) -> None:
    World.error = ValueError("a fault of ours")
    client.raise_request_exception = False

    assert client.get("/page/").status_code == 500


def test_a_middleware_that_meets_the_outage_is_answered_too(client: Any, monkeypatch: Any) -> None:
    """A session is saved after the view, where no process_exception is asked."""
    from django.contrib.sessions.backends import db

    def load(self: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(db.SessionStore, "load", load)
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32

    response = client.get("/account/settings/")

    assert response.status_code == 503
    assert response["Retry-After"]


def test_a_reader_gets_the_page_as_it_was(client: Any) -> None:
    client.get("/page/?a=1")
    World.error = OperationalError("connection refused")

    response = client.get("/page/?a=1")

    assert response.status_code == 200
    assert "a page" in response.content.decode()
    assert "This is the page as it was 0 seconds ago" in response.content.decode()
    assert response["Warning"] == '110 - "Response is Stale"'
    assert response["Age"] == "0"
    assert "no-store" in response["Cache-Control"]
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_the_page_is_fresh_again_once_the_database_is_back(client: Any) -> None:
    client.get("/page/")
    World.error = OperationalError("connection refused")
    client.get("/page/")
    World.error = None

    response = client.get("/page/")

    assert "Warning" not in response
    assert "as it was" not in response.content.decode()


@pytest.mark.parametrize(
    ("headers", "cookie", "asked_before"),
    [
        pytest.param({"Cache-Control": "private, no-cache"}, "", "/page/", id="a-page-for-one-person"),
        pytest.param({"Cache-Control": "no-store"}, "", "/page/", id="a-page-not-to-be-stored"),
        pytest.param({"Content-Type": "application/json"}, "", "/page/", id="data"),
        pytest.param({}, "sessionid=x", "/page/", id="made-for-somebody-with-a-cookie"),
        pytest.param({}, "", "/page/?other", id="another-address"),
    ],
)
def test_nothing_else_is_kept(client: Any, headers: Any, cookie: str, asked_before: str) -> None:
    World.headers = headers
    client.get(asked_before, headers={"cookie": cookie} if cookie else {})
    World.error = OperationalError("connection refused")

    assert client.get("/page/").status_code == 503


@pytest.mark.parametrize("header", ["Authorization", "HX-Request"])
def test_programs_and_fragments_get_no_old_page(client: Any, header: str) -> None:
    client.get("/page/")
    World.error = OperationalError("connection refused")

    assert client.get("/page/", headers={header: "true"}).status_code == 503


def test_a_page_is_shown_for_an_hour(client: Any, monkeypatch: Any) -> None:
    client.get("/page/")
    later = time.monotonic() + 3601
    monkeypatch.setattr(time, "monotonic", lambda: later)
    World.error = OperationalError("connection refused")

    assert client.get("/page/").status_code == 503


def test_the_memory_for_pages_has_an_end(client: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(kept_pages, "MOST_BYTES", 100)
    for number in range(4):
        client.get(f"/page/?{number}")
    World.error = OperationalError("connection refused")

    found = [client.get(f"/page/?{number}").status_code for number in range(4)]

    assert found == [503, 503, 200, 200]
