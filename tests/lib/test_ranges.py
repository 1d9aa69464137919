"""Range requests: the bytes asked for, or a plain refusal."""

from __future__ import annotations

import io

import pytest
from django.test import RequestFactory

from lemsite.lib.ranges import asked_range, file_response


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=2-4", (2, 4)),
        ("bytes=7-", (7, 9)),
        ("bytes=7-99", (7, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-99", (0, 9)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 40 + "-", None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_one_range_is_understood_and_all_else_means_the_whole_file(header, part):
    assert asked_range(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=99-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header):
    with pytest.raises(ValueError, match="behind the end"):
        asked_range(header, 10)


def answer(method="GET", **headers):
    request = RequestFactory().generic(method, "/", headers=headers)
    return file_response(request, io.BytesIO(b"0123456789"), size=10, etag='"a"', headers={})


def test_a_range_is_answered_with_its_bytes():
    response = answer(Range="bytes=2-4")

    assert (response.status_code, b"".join(response)) == (206, b"234")
    assert (response["Content-Range"], response["Content-Length"]) == ("bytes 2-4/10", "3")


def test_a_range_of_another_file_is_answered_with_the_whole_one():
    response = answer(Range="bytes=2-4", **{"If-Range": '"b"'})

    assert (response.status_code, b"".join(response)) == (200, b"0123456789")


def test_a_range_that_is_not_there_is_416():
    response = answer(Range="bytes=10-")

    assert (response.status_code, response["Content-Range"]) == (416, "bytes */10")


@pytest.mark.django_db
def test_head_has_the_length_of_the_whole_file():
    response = answer("HEAD", Range="bytes=2-4")

    assert (response.status_code, response["Content-Length"], response["Accept-Ranges"]) == (200, "10", "bytes")
    response.close()


@pytest.mark.django_db
def test_the_file_is_closed_with_the_answer():
    stream = io.BytesIO(b"0123456789")
    request = RequestFactory().get("/", headers={"Range": "bytes=2-4"})
    response = file_response(request, stream, size=10, etag='"a"', headers={})

    response.close()

    assert stream.closed
