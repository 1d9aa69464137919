"""Files that may be read in parts: HTTP range requests (RFC 9110), one range each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

CHUNK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def file_response(
    request: HttpRequest,
    stream: IO[bytes],
    *,
    size: int,
    etag: str,
    headers: dict[str, str],
) -> HttpResponseBase:
    """The file, or the one range of it that the request asks for: 206, or 416 where the file has no such part."""
    # Compressed on its way, a file would have other bytes than those that ranges count and checksums name.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    response = _response(request, stream, size, etag)
    for name, value in headers.items():
        response.headers[name] = value
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    return response


def asked_range(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte; None for what is no single range, which is answered with the whole file.

    Raises ValueError for a range that begins behind the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        first, last = size - length, size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= size:
        raise ValueError("The range begins behind the end.")
    return first, last


def _response(request: HttpRequest, stream: IO[bytes], size: int, etag: str) -> HttpResponseBase:
    header = request.headers.get("Range", "")
    # A reader that holds an older file must not put a part of this one into it.
    is_of_this = request.headers.get("If-Range", etag) == etag
    try:
        part = asked_range(header, size) if request.method == "GET" and is_of_this else None
    except ValueError:
        stream.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if part is None:
        return FileResponse(stream, headers={"Content-Length": str(size)})
    first, last = part
    response = StreamingHttpResponse(_part(stream, first, last - first + 1), status=206)
    response._resource_closers.append(stream.close)  # type: ignore[attr-defined]  # as FileResponse does
    response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response.headers["Content-Length"] = str(last - first + 1)
    return response


def _part(stream: IO[bytes], first: int, length: int) -> Iterator[bytes]:
    stream.seek(first)
    while length > 0 and (chunk := stream.read(min(CHUNK_BYTES, length))):
        length -= len(chunk)
        yield chunk
