from __future__ import annotations

import io

import pytest
from rest_framework.exceptions import ParseError

from lemsite.lib.api_errors import ApiError
from lemsite.lib.parsers import MAX_JSON_BYTES, JSONFileParser, StrictJSONParser, ZipFileParser


def parse(raw: bytes) -> object:
    return StrictJSONParser().parse(io.BytesIO(raw))


def test_json_is_parsed():
    assert parse(b'{"stated": {"gpu_count": 2}}') == {"stated": {"gpu_count": 2}}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"{", "cut off"),
        (b"[" * 100_000, "nested"),
        (b"[" + b"0," * 60_000 + b"0]", "values"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e400}', "range"),
        (b'{"a": 9999999999999999999}', "range"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'"\\u0000"', "NUL"),
        (b'"\\ud800"', "surrogate"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b'{"a": "\xff"}', "UTF-8"),
    ],
)
def test_what_is_no_plain_json_is_refused_with_the_reason(raw, reason):
    with pytest.raises(ParseError, match=reason):
        parse(raw)


def test_a_body_over_the_limit_is_413():
    with pytest.raises(ApiError) as refused:
        parse(b" " * (MAX_JSON_BYTES + 1))

    assert refused.value.status_code == 413


def test_a_file_is_handed_on_as_it_came():
    body = ZipFileParser().parse(io.BytesIO(b"PK..."))

    assert (body.name, body.stream.read()) == ("body.zip", b"PK...")


def test_a_file_over_the_limit_is_413(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    with pytest.raises(ApiError) as refused:
        JSONFileParser().parse(io.BytesIO(b"x" * 11))

    assert refused.value.status_code == 413
