"""Bodies of API requests: JSON from strangers, and whole files whose content says what they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from django.conf import settings
from rest_framework import status as http
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from lemsite.lib.api_errors import ApiError
from lemsite.lib.strict_json import BadJson, loads

MAX_JSON_BYTES = 1 << 20


class StrictJSONParser(BaseParser):
    """JSON within limits of size, depth and number of values, checked before any object is built."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = read_limited(stream, MAX_JSON_BYTES)
        try:
            return loads(raw, max_bytes=MAX_JSON_BYTES)
        except BadJson as error:
            raise ParseError(f"The body cannot be read: {error}.") from None


@dataclass(frozen=True, slots=True)
class RawBody:
    """A request body that is one file. `name` stands for it in messages."""

    name: str
    stream: BinaryIO


class RawBodyParser(BaseParser):
    """Hands the body on as it came; what it is decides the reader of the file."""

    name = "body"

    def parse(  # type: ignore[override]  # request.data is then a RawBody, which the view expects
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> RawBody:
        return RawBody(self.name, io.BytesIO(read_limited(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)))


class JSONFileParser(RawBodyParser):
    media_type, name = "application/json", "body.json"


class CSVFileParser(RawBodyParser):
    media_type, name = "text/csv", "body.csv"


class YAMLFileParser(RawBodyParser):
    media_type, name = "application/yaml", "body.yaml"


class ZipFileParser(RawBodyParser):
    media_type, name = "application/zip", "body.zip"


class GzipFileParser(RawBodyParser):
    media_type, name = "application/gzip", "body.json.gz"


class TarFileParser(RawBodyParser):
    media_type, name = "application/x-tar", "body.tar"


def read_limited(stream: IO[Any], max_bytes: int) -> bytes:
    """The whole stream, or 413 when it is longer than `max_bytes`."""
    raw: bytes = stream.read(max_bytes + 1)
    if len(raw) > max_bytes:
        size = f"{max_bytes >> 20} MiB" if max_bytes >= 1 << 20 else f"{max_bytes} bytes"
        raise ApiError(http.HTTP_413_REQUEST_ENTITY_TOO_LARGE, f"The body is larger than the {size} that are read.")
    return raw
