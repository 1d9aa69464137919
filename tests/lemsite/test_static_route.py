"""Collected files are answered past Django, with the headers that WhiteNoise and the site give them."""

import gzip
from typing import Any

import pytest

from lemsite import asgi
from lemsite.observing.noted import KEY, Noted
from lemsite.static_route import StaticFiles

TEXT = b"body { margin: 0 }\n" * 50_000
PATH = "/static/css/site.0123456789ab.css"


@pytest.fixture
def collected(settings, tmp_path, monkeypatch):
    settings.STATIC_ROOT = tmp_path
    sheet = tmp_path / "css" / "site.0123456789ab.css"
    sheet.parent.mkdir()
    sheet.write_bytes(TEXT)
    sheet.with_suffix(".css.gz").write_bytes(gzip.compress(TEXT))
    files = StaticFiles()
    monkeypatch.setattr(asgi, "static_files", files)
    return files


async def asked(path, method="GET", **headers):
    """The status, the headers and the body of an answer of the whole application, which must not reach Django."""
    messages = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        messages.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"type": "http", "method": method, "path": path, "headers": given, "query_string": b"", KEY: Noted()}
    await asgi.application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], dict(messages[0]["headers"]), body


@pytest.fixture
def no_django(monkeypatch):
    async def refused(scope, receive, send):
        raise AssertionError("Django was asked")

    monkeypatch.setattr(asgi, "django", refused)


@pytest.mark.usefixtures("collected", "no_django")
async def test_a_collected_file_comes_whole_and_hardened():
    status, headers, body = await asked(PATH)

    assert (status, body) == (200, TEXT)
    assert headers[b"content-type"] == b'text/css; charset="utf-8"'
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"
    assert headers[b"content-length"] == str(len(TEXT)).encode()
    assert headers[b"x-request-id"]


@pytest.mark.usefixtures("collected", "no_django")
async def test_it_is_compressed_for_who_takes_that():
    _, headers, body = await asked(PATH, accept_encoding="gzip, br")

    assert headers[b"content-encoding"] == b"gzip"
    assert gzip.decompress(body) == TEXT


@pytest.mark.usefixtures("collected", "no_django")
async def test_who_has_it_is_told_so():
    _, headers, _ = await asked(PATH)

    status, _, body = await asked(PATH, if_none_match=headers[b"etag"].decode())

    assert (status, body) == (304, b"")


@pytest.mark.usefixtures("collected", "no_django")
async def test_a_part_is_given():
    status, headers, body = await asked(PATH, range="bytes=2-5")

    assert (status, body) == (206, TEXT[2:6])
    assert headers[b"content-range"] == f"bytes 2-5/{len(TEXT)}".encode()


@pytest.mark.usefixtures("collected", "no_django")
async def test_the_head_has_no_body_and_nothing_is_written():
    head, headers, body = await asked(PATH, "HEAD")
    post, allowed, _ = await asked(PATH, "POST")

    assert (head, body, headers[b"content-length"]) == (200, b"", str(len(TEXT)).encode())
    assert (post, allowed[b"allow"]) == (405, b"GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["/static/css/other.css", "/static/../manage.py", "/static/css/", "/static", "/css/site.0123456789ab.css"],
    ids=["another", "above", "folder", "root", "without-prefix"],
)
def test_nothing_else_is_a_static_file(collected, path):
    assert path not in collected


def test_in_development_files_are_looked_up_by_django(settings, tmp_path):
    settings.DEBUG = True
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "site.css").write_bytes(TEXT)

    assert "/static/site.css" not in StaticFiles()
