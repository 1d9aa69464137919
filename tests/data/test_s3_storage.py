"""The storage on S3: reads in parts, limits on waiting, and a server that breaks off."""

from __future__ import annotations

import io
import random
import socket
import threading

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages

from lemsite.lib import s3_storage as module
from lemsite.lib import service_urls
from lemsite.lib.s3_storage import TRIES, StreamingS3Storage
from tests.site_process import free_port

SMALL_PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=1)
CONTENT = random.Random(7).randbytes(3 << 20)


@pytest.fixture
def asked(monkeypatch):
    """The ranges that were fetched."""
    ranges = []
    whole = module.RemoteFile._ask

    def _ask(self):
        ranges.append((self._at, self._window))
        whole(self)

    monkeypatch.setattr(module.RemoteFile, "_ask", _ask)
    return ranges


def test_a_file_comes_back_as_it_was_stored(s3_storage):
    name = s3_storage.save("raw/ab/file", ContentFile(CONTENT))

    with s3_storage.open(name, "rb") as stream:
        found = b"".join(stream.chunks())

    assert (name, found == CONTENT, s3_storage.size(name)) == ("raw/ab/file", True, len(CONTENT))


def test_the_end_of_a_file_is_read_without_what_comes_before(s3_storage, asked):
    s3_storage.save("file", ContentFile(CONTENT))

    with s3_storage.open("file", "rb") as stream:
        stream.seek(-10, io.SEEK_END)
        found = stream.read()

    assert found == CONTENT[-10:]
    assert [first for first, _ in asked] == [len(CONTENT) - 10]


def test_windows_grow_while_a_file_is_read_on(s3_storage, asked):
    s3_storage.save("file", ContentFile(CONTENT))

    with s3_storage.open("file", "rb") as stream:
        assert stream.read() == CONTENT

    assert [window for _, window in asked] == [module.FIRST_WINDOW * 2**n for n in range(len(asked))]
    assert len(asked) < 6


def test_a_file_that_is_not_there_is_not_found(s3_storage):
    with pytest.raises(FileNotFoundError):
        s3_storage.open("nothing", "rb")
    assert not s3_storage.exists("nothing")
    s3_storage.delete("nothing")


def test_a_name_that_is_taken_gets_another(s3_storage):
    names = [s3_storage.save("dumps/x.md", ContentFile(content)) for content in (b"one", b"two")]

    assert names[0] == "dumps/x.md" != names[1]
    with s3_storage.open(names[0]) as stream:
        assert stream.read() == b"one"


def test_a_file_that_is_replaced_while_it_is_read_is_not_mixed(s3_storage):
    s3_storage.save("file", ContentFile(CONTENT))
    with s3_storage.open("file", "rb") as stream:
        stream.read(10)
        s3_storage.delete("file")
        s3_storage.save("file", ContentFile(CONTENT[::-1]))

        with pytest.raises(OSError, match="replaced while it was read"):
            stream.read()


def test_a_large_file_is_sent_in_parts(s3_storage, monkeypatch):
    sent = []
    monkeypatch.setattr(storages["default"], "transfer_config", SMALL_PARTS)
    s3_storage.connection.meta.client.meta.events.register(
        "provide-client-params.s3.UploadPart", lambda params, **_: sent.append(params["PartNumber"])
    )

    s3_storage.save("file", File(io.BytesIO(CONTENT * 4)))

    assert sorted(sent) == [1, 2, 3]
    assert s3_storage.size("file") == len(CONTENT) * 4


def test_files_are_written_whole_or_not_at_all(s3_storage):
    with pytest.raises(ValueError, match="opened to read"):
        s3_storage.open("file", "wb")


def test_waiting_and_trying_again_have_limits(s3_storage):
    config = s3_storage.connection.meta.client.meta.config

    assert (config.connect_timeout, config.read_timeout) == (module.CONNECT_TIMEOUT_S, module.READ_TIMEOUT_S)
    assert config.retries["total_max_attempts"] == TRIES


def test_a_server_that_is_away_is_told_soon(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("STORAGE_URL", f"s3://a:b@127.0.0.1:{free_port()}/bucket?insecure=1&region=us-east-1")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    settings.STORAGES = {**settings.STORAGES, "default": service_urls.storage("STORAGE_URL", folder=tmp_path)}

    with pytest.raises(EndpointConnectionError):
        storages["default"].exists("file")


class _BreakingOff(threading.Thread):
    """An HTTP server that promises 1,000 bytes and sends a few of them, the first `faults` times."""

    def __init__(self, faults: int, few: int) -> None:
        super().__init__(daemon=True)
        self.faults, self.few, self.asked = faults, few, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                head = b'HTTP/1.1 200 OK\r\nETag: "v"\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n'
                if request.startswith(b"HEAD"):
                    connection.sendall(head)
                    continue
                self.asked += 1
                first = int(request.lower().split(b"bytes=")[1].split(b"-")[0])
                head = head.replace(b"1000", str(1000 - first).encode()).replace(b"200 OK", b"206 Partial")
                rest = CONTENT[first:1000]
                connection.sendall(head + (rest[: self.few] if self.asked <= self.faults else rest))


@pytest.fixture
def breaking_off(settings, monkeypatch, tmp_path):
    started = []

    def start(faults, few=10):
        server = _BreakingOff(faults, few)
        server.start()
        started.append(server)
        monkeypatch.setenv("STORAGE_URL", f"s3://a:b@127.0.0.1:{server.port}/bucket?insecure=1&region=us-east-1")
        settings.STORAGES = {**settings.STORAGES, "default": service_urls.storage("STORAGE_URL", folder=tmp_path)}
        return server

    yield start
    for server in started:
        server.listener.close()


def test_a_body_that_breaks_off_is_asked_for_again_from_where_it_broke(breaking_off):
    server = breaking_off(faults=2)

    with storages["default"].open("file", "rb") as stream:
        assert stream.read() == CONTENT[:1000]

    assert server.asked == 3


def test_a_body_that_always_breaks_off_is_an_error_after_a_few_tries(breaking_off):
    server = breaking_off(faults=1_000_000, few=0)

    with storages["default"].open("file", "rb") as stream, pytest.raises(OSError, match="broke off"):
        stream.read()

    assert server.asked == TRIES


def test_the_settings_that_django_storages_reads_are_still_its_own():
    storage = StreamingS3Storage(bucket_name="b", client_config=Config(connect_timeout=1))

    assert storage.client_config.connect_timeout == 1
