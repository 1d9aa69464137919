"""Files in an S3-compatible bucket. Reads go straight through, part by part; waiting and trying again have limits."""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
#: the first try and three more, with pauses that grow
TRIES = 4
#: read ahead: so much after each seek, then twice as much each time, up to the most
FIRST_WINDOW = 256 << 10
LARGEST_WINDOW = 16 << 20
BUFFER = 128 << 10
#: larger files are sent in parts of so much, so many at once: what one upload takes of memory
PART = 8 << 20
PARTS_AT_ONCE = 2


class StreamingS3Storage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """django-storages, which by itself reads each file whole into memory and waits for a server without end."""

    def get_default_settings(self) -> dict[str, Any]:
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {
            "client_config": Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": TRIES},
                max_pool_connections=20,
                tcp_keepalive=True,
                # Checksums of botocore's newer kind are refused by servers that are a little older. Files of this site
                # are checked by their own SHA-256.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            "transfer_config": TransferConfig(
                multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=PARTS_AT_ONCE
            ),
        }

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode not in ("r", "rb"):
            raise ValueError(f"Files of the storage are opened to read, not with {mode!r}; write them with save().")
        key = self._normalize_name(clean_name(name))
        try:
            raw = RemoteFile(self.connection.meta.client, self.bucket_name, key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(errno.ENOENT, "There is no such file in the storage", name) from error
            raise
        return File(io.BufferedReader(raw, BUFFER), name=name)


class RemoteFile(io.RawIOBase):
    """One object of a bucket: seekable, and only what is read is fetched, a little ahead."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._where = client, {"Bucket": bucket, "Key": key}
        head = client.head_object(**self._where)
        self.size: int = head["ContentLength"]
        # One that is replaced meanwhile must not be read half old, half new.
        self._version = head["ETag"]
        self._at = 0
        self._window = FIRST_WINDOW
        self._body: Any = None
        self._left = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        goal = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if goal < 0:
            raise ValueError(f"{goal} lies before the file")
        if goal != self._at:
            self._drop()
            self._at, self._window = goal, FIRST_WINDOW
        return goal

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer).cast("B")
        if self._at >= self.size or not len(room):
            return 0
        part = self._part(len(room))
        room[: len(part)] = part
        self._at += len(part)
        self._left -= len(part)
        return len(part)

    def close(self) -> None:
        self._drop()
        super().close()

    def _part(self, most: int) -> bytes:
        """botocore tries requests again, but not a body that breaks off."""
        for tried in range(1, TRIES + 1):
            try:
                if self._left <= 0:
                    self._ask()
                part: bytes = self._body.read(min(most, self._left))
            except (HTTPClientError, IncompleteReadError) as error:
                self._drop()
                if tried == TRIES:
                    raise OSError(errno.EIO, f"The storage broke off {self._where['Key']}") from error
            else:
                return part
        raise AssertionError("unreachable")

    def _ask(self) -> None:
        self._drop()
        last = min(self._at + self._window, self.size) - 1
        stale = OSError(errno.ESTALE, f"{self._where['Key']} was deleted or replaced while it was read")
        try:
            answer = self._client.get_object(**self._where, Range=f"bytes={self._at}-{last}", IfMatch=self._version)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 412):
                raise stale from error
            raise
        if answer["ETag"] != self._version:  # a server that knows no If-Match
            answer["Body"].close()
            raise stale
        self._body, self._left = answer["Body"], last + 1 - self._at
        self._window = min(self._window * 2, LARGEST_WINDOW)

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
        self._body, self._left = None, 0
