"""An S3 API server over HTTP on loopback, and the site's storage on it.

S3_TEST_URL (http://key:secret@127.0.0.1:port) names another server to test with, such as MinIO.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import boto3
import pytest

from lemsite.lib import service_urls

KEY, SECRET, REGION = "test-key", "test/secret+of=tests", "us-east-1"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """`http://key:secret@127.0.0.1:port` of a server that lives as long as the process of the tests."""
    if given := os.environ.get("S3_TEST_URL"):
        yield given
        return
    moto = pytest.importorskip("moto.server", reason="the S3 server of the tests (moto[server]) is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{KEY}:{quote(SECRET, safe='')}@{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_server: str) -> str:
    """A STORAGE_URL of a bucket that nobody else has."""
    bucket, parts = f"bucket-{uuid.uuid4().hex[:12]}", urlsplit(s3_server)
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{parts.hostname}:{parts.port}",
        aws_access_key_id=unquote(parts.username or ""),
        aws_secret_access_key=unquote(parts.password or ""),
        region_name=REGION,
    )
    client.create_bucket(Bucket=bucket)
    client.close()
    return f"s3://{parts.netloc}/{bucket}?region={REGION}&insecure=1"


@pytest.fixture
def s3_storage(s3_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """The site's own files are in a bucket of that server for one test."""
    from django.core.files.storage import default_storage

    monkeypatch.setenv("STORAGE_URL", s3_url)
    settings.STORAGES = {**settings.STORAGES, "default": service_urls.storage("STORAGE_URL", folder=tmp_path)}
    return default_storage
