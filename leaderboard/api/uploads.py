"""What came with a POST: files, stated values and options, from a multipart form or as one raw body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, cast

from django.http import QueryDict
from rest_framework import status as http
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from accounts.models import User
from leaderboard.api.bodies import reading_findings
from leaderboard.api.parameters import read_flag, refuse_unknown
from leaderboard.importers import ImportRefused
from leaderboard.models import Finding, Licence, Provenance, Submission, Visibility
from leaderboard.services.reading import Reading, read_upload
from lemsite.lib.api_errors import ApiError
from lemsite.lib.archives import BadArchive, Entry, unpack_all
from lemsite.lib.parsers import (
    CSVFileParser,
    GzipFileParser,
    JSONFileParser,
    RawBody,
    TarFileParser,
    YAMLFileParser,
    ZipFileParser,
)
from lemsite.lib.strict_json import BadJson, loads

PARSERS: tuple[type[BaseParser], ...] = (
    JSONFileParser,
    MultiPartParser,
    ZipFileParser,
    GzipFileParser,
    TarFileParser,
    CSVFileParser,
    YAMLFileParser,
)
OPTIONS = ("dry_run", "visibility", "licence", "stated", "note", "background")
REPLACE_OPTIONS = ("reason", "stated")
MAX_STATED_BYTES, MAX_NOTE = 64 << 10, 2000


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What to do with an upload."""

    stated: Mapping[str, Any]
    visibility: Visibility
    licence: Licence
    is_dry_run: bool
    in_background: bool
    note: str

    @classmethod
    def of(cls, request: Request) -> UploadOptions:
        given = _given(request, OPTIONS)
        return cls(
            stated=_stated(given.get("stated", "")),
            visibility=_visibility(given.get("visibility", "")),
            licence=_licence(given.get("licence", "")),
            is_dry_run=read_flag("dry_run", given.get("dry_run", "")),
            in_background=read_flag("background", given.get("background", "")),
            note=_note(given.get("note", "")),
        )


@dataclass(frozen=True, slots=True)
class ReplaceOptions:
    """Why files are replaced, and what the new ones lack; without `stated` what was stated before holds."""

    reason: str
    stated: Mapping[str, Any] | None

    @classmethod
    def of(cls, request: Request) -> ReplaceOptions:
        given = _given(request, REPLACE_OPTIONS)
        if not given.get("reason", "").strip():
            _refuse_option("reason", "say why the files are replaced; it stays in the history")
        stated = _stated(given["stated"]) if "stated" in given else None
        return cls(reason=_note(given["reason"], "reason"), stated=stated)


@dataclass(frozen=True, slots=True)
class Sent:
    """The files of a request, and what they hold once unpacked."""

    files: list[tuple[str, BinaryIO]]
    entries: list[Entry]


def unpack_files(request: Request, *, max_entries: int) -> Sent:
    """What was sent, or 400 naming the file."""
    files = list(_files(request))
    try:
        return Sent(files, unpack_all(files, max_entries=max_entries))
    except BadArchive as error:
        message = str(error)
        name = next((name for name, _ in files if message.startswith(name)), "body")
        raise ApiError(http.HTTP_400_BAD_REQUEST, message, {name: message}) from None


def read_sent(sent: Sent, stated: Mapping[str, Any], *, owner: User, replacing: Submission | None = None) -> Reading:
    """Understand what was sent, or 400 naming file and field."""
    try:
        return read_upload(sent.entries, stated=stated, provenance=Provenance.API, owner=owner, replacing=replacing)
    except ImportRefused as error:
        refuse_import(error)


def refuse_import(error: ImportRefused) -> NoReturn:
    """400 with the sentence under the file, and under the field where one is at fault."""
    names = [name for name in (error.file, error.field) if name] or ["body"]
    raise ApiError(http.HTTP_400_BAD_REQUEST, error.message, dict.fromkeys(names, error.message)) from None


def refuse_impossible(reading: Reading) -> None:
    """422 with the findings: what cannot be right is not stored."""
    if not reading.blocked:
        return
    findings = reading_findings(reading)
    first = next(finding for finding in findings if finding["severity"] == Finding.Severity.BLOCK)
    file, reason = reading.results[first["result"]].parsed.file, first["message"]
    raise ApiError(
        http.HTTP_422_UNPROCESSABLE_ENTITY,
        f"{reading.blocked} of {len(reading.results)} results cannot be right. The first, in {file}: {reason} "
        "Nothing was stored.",
        fields={name: reason for name in (file, first["field"]) if name},
        extra={"findings": findings},
    )


def _given(request: Request, options: Sequence[str]) -> dict[str, str]:
    """From the query string and, where the body is a form, from its fields; 400 for anything else there."""
    given: dict[str, str] = {}
    for params in (request.query_params, request.data):
        if isinstance(params, QueryDict):
            names = [name for name in params if name not in request.FILES]
            refuse_unknown(names, options)
            given |= {name: str(params[name]) for name in names}
    return given


def _files(request: Request) -> Iterator[tuple[str, BinaryIO]]:
    body: object = request.data
    if isinstance(body, RawBody):
        yield body.name, body.stream
        return
    if not request.FILES:
        raise ApiError(
            http.HTTP_400_BAD_REQUEST,
            "The request holds no file: send a result as the body, or files as a multipart form.",
            {"body": "it is empty"},
        )
    for _, files in request.FILES.lists():
        for file in files:
            yield file.name, cast(BinaryIO, file)


def _stated(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = loads(text.encode(), max_bytes=MAX_STATED_BYTES, max_depth=3)
    except (BadJson, UnicodeEncodeError) as error:
        _refuse_option("stated", f"it must be a JSON object: {error}")
    if not isinstance(value, dict):
        _refuse_option("stated", 'it must be a JSON object, such as {"hardware": "a100-pcie-40", "gpu_count": 1}')
    return value


def _visibility(text: str) -> Visibility:
    if text and text not in Visibility.values:
        _refuse_option("visibility", f"{text[:40]!r} is not one of {', '.join(Visibility.values)}")
    return Visibility(text or Visibility.PUBLIC)


def _licence(text: str) -> Licence:
    if text and text not in Licence.values:
        _refuse_option("licence", f"{text[:40]!r} is not one of {', '.join(Licence.values)}")
    return Licence(text or Licence.CC_BY)


def _note(text: str, name: str = "note") -> str:
    if len(text) > MAX_NOTE or "\x00" in text:
        _refuse_option(name, f"at most {MAX_NOTE} characters, without NUL")
    return text


def _refuse_option(name: str, message: str) -> NoReturn:
    raise ApiError(http.HTTP_400_BAD_REQUEST, f"{name}: {message}.", {name: message})
