"""/data/ and /api/dumps: the files of the dumps, whole and in parts."""

from __future__ import annotations

import hashlib
import logging

import pytest
from django.core.files.storage import default_storage

from leaderboard.models import Dump
from leaderboard.services.dumps import make_dump
from tests.factories import published_result
from tests.leaderboard.test_dumps import NIGHT, _own_storage  # noqa: F401 - a fixture for all tests here

pytestmark = pytest.mark.django_db


@pytest.fixture
def dump() -> Dump:
    published_result()
    return make_dump(NIGHT)


def body(response) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_the_page_lists_each_version_with_its_files(client, dump):
    page = client.get("/data/").content.decode()

    for path in ("parquet", "md", "schema.json", "sha256"):
        assert f'href="/data/2026-11-21.{path}"' in page
    assert dump.sha256 in page
    assert "http://testserver/data/2026-11-21.parquet" in page


def test_the_page_is_there_before_the_first_dump(client, db):
    assert "The first file is written in the coming night" in client.get("/data/").content.decode()


def test_the_file_comes_with_its_checksum_as_etag(client, dump):
    response = client.get("/data/2026-11-21.parquet", headers={"Accept-Encoding": "gzip"})

    content = body(response)
    assert hashlib.sha256(content).hexdigest() == dump.sha256
    assert response["ETag"] == f'"{dump.sha256}"'
    assert response["Content-Length"] == str(dump.size_bytes)
    assert "immutable" in response["Cache-Control"]


def test_a_part_of_the_file_can_be_read(client, dump):
    whole = body(client.get("/data/2026-11-21.parquet"))

    response = client.get("/data/2026-11-21.parquet", headers={"Range": "bytes=4-11", "Accept-Encoding": "gzip"})

    assert (response.status_code, body(response)) == (206, whole[4:12])
    assert response["Content-Range"] == f"bytes 4-11/{dump.size_bytes}"


def test_the_latest_leads_to_the_newest_version(client, dump):
    newer = make_dump(NIGHT)

    assert client.get("/data/latest.parquet")["Location"] == f"/data/{newer.version}.parquet"
    assert client.get("/data/latest.sha256")["Location"] == f"/data/{newer.version}.sha256"


@pytest.mark.parametrize(
    "path", ["latest.parquet", "latest.exe", "2026-01-01.parquet", "..%2f..%2fetc%2fpasswd.md", "nothing.sha256"]
)
def test_what_is_not_there_is_404(client, db, path):
    assert client.get(f"/data/{path}").status_code == 404


def test_a_file_that_the_storage_lost_is_404_and_in_the_log(client, dump, caplog):
    default_storage.delete(dump.file)

    with caplog.at_level(logging.ERROR):
        assert client.get("/data/2026-11-21.parquet").status_code == 404
    assert "2026-11-21 is not in the storage" in caplog.text


def test_the_checksum_file_is_what_sha256sum_reads(client, dump):
    assert client.get("/data/2026-11-21.sha256").content.decode() == f"{dump.sha256}  2026-11-21.parquet\n"


def test_the_card_is_shown_as_text(client, dump):
    response = client.get("/data/2026-11-21.md")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.startswith(b"# lemsite: all public results")


def test_the_schema_is_json(client, dump):
    assert client.get("/data/2026-11-21.schema.json").json()["title"] == "lemsite result, dump 2026-11-21"


def test_the_api_lists_the_dumps_newest_first(client, dump):
    make_dump(NIGHT)

    found = client.get("/api/dumps").json()

    assert [row["version"] for row in found["results"]] == ["2026-11-21.2", "2026-11-21"]
    assert found["results"][1]["sha256"] == dump.sha256
    assert found["results"][1]["parquet_url"] == "http://testserver/data/2026-11-21.parquet"
    assert found["next"] is None
