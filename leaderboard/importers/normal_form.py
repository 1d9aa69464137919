"""This site's own form: objects or CSV rows whose names are the fields of NormalResult."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from leaderboard.importers.base import Document, ImportRefused, Measurement, Sides
from leaderboard.importers.draft import NAIVE_TIME, Draft, refusal
from leaderboard.importers.fields import Fields
from leaderboard.importers.llem_common import identity_of
from leaderboard.normal import NormalResult
from lemsite.lib.strict_json import BadJson, check_text

#: what the hosts of this site measure; a file that says it would be believed more than it should
NEVER_GIVEN = "host_energy_j"
FIELDS = frozenset(NormalResult.model_fields) - {NEVER_GIVEN}
#: fewer shared names than this may be a coincidence
MIN_SHARED = 3
MAX_ROWS = 2000
_TIMES = ("started_at", "ended_at")
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")


class NormalForm:
    """Results that carry our own names and units; every name must be known, so that a typing error is seen."""

    shapes = ("normal", "normal_csv")

    def detect(self, keys: frozenset[str]) -> str | None:
        return "normal" if "model" in keys and len(keys & FIELDS) >= MIN_SHARED else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        draft = Draft(document.path)
        for name, value in _validated(document).items():
            is_naive = isinstance(value, datetime) and value.tzinfo is None
            draft.given(name, value.replace(tzinfo=UTC) if is_naive else value, NAIVE_TIME if is_naive else None)
        started, ended = draft.values.get("started_at"), draft.values.get("ended_at")
        if started and ended and ended < started:
            raise ImportRefused.for_field(document.path, "ended_at", "is before started_at")
        for name in ("output_tokens", "requests", "runs"):
            if draft.values.get(name) == 0:
                raise ImportRefused.for_field(document.path, name, "is 0, but must be at least 1")
        shape = "normal_csv" if document.source.lower().endswith(".csv") else "normal"
        identity = identity_of(draft) if draft.values.get("config_hash") else _digest(document.data)
        return [Measurement(draft.finish(identity=identity), shape)]


def _digest(data: dict[str, Any]) -> str:
    """Without a configuration hash only a row that is equal in everything is the same measurement."""
    return f"sha256:{hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()}"


def _validated(document: Document) -> dict[str, Any]:
    """Return the given values. Strict: text is no number and a number is no date; CSV cells were converted before."""
    fields = Fields(document.data, document.path)
    for name in _TIMES:
        fields.moment(name)
    if NEVER_GIVEN in document.data:
        raise fields.refuse(NEVER_GIVEN, "is what hosts of this site measure, and no file can give it: leave it out")
    try:
        return NormalResult.model_validate_json(json.dumps(document.data), strict=True).model_dump(exclude_none=True)
    except ValidationError as error:
        raise refusal(document.path, error.errors(include_url=False)[0]) from None


def csv_documents(path: str, content: bytes) -> list[Document]:
    """Return one document per row of a CSV file with a header of field names; an empty cell is None."""
    try:
        text = content.decode("utf-8-sig")
        check_text(text)
        rows = list(_limited(path, csv.reader(io.StringIO(text, newline=""), strict=True)))
    except UnicodeDecodeError:
        raise ImportRefused(f"{path}: it is not UTF-8 text; save the table as CSV in UTF-8.", file=path) from None
    except (csv.Error, BadJson):
        raise ImportRefused(f"{path}: it is not a CSV table with commas and double quotes.", file=path) from None
    if len(rows) < 2:
        raise ImportRefused(f"{path}: it needs a header row of field names and at least one row.", file=path)
    header = _header(path, rows[0])
    return [
        Document(f"{path}: row {number}", _row(f"{path}: row {number}", header, row), path)
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]


def _limited(path: str, rows: Any) -> Any:
    for number, row in enumerate(rows):
        if number > MAX_ROWS:
            raise ImportRefused(f"{path}: it has more than {MAX_ROWS} rows; split it.", file=path)
        yield row


def _header(path: str, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    unknown = next((name for name in names if name not in FIELDS), None)
    if unknown is not None:
        problem = "is not a field of this site's own form; the header must hold its field names, separated by commas"
        raise ImportRefused.for_field(path, f"column {unknown[:60]!r}", problem)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ImportRefused.for_field(path, f"column {twice!r}", "is given twice")
    return names


def _row(path: str, header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise ImportRefused(f"{path}: it has {len(cells)} cells, but the header has {len(header)}.", file=path)
    return {name: _cell(path, name, cell.strip()) for name, cell in zip(header, cells, strict=True) if cell.strip()}


def _cell(path: str, name: str, text: str) -> Any:
    """Convert one cell to what the same field would be in JSON."""
    if text[0] == "'" and text[1:].startswith(_FORMULA_STARTS):
        # Exports put a quote before text that a spreadsheet would run as a formula.
        text = text[1:]
    kind = _KINDS.get(name)
    if kind is bool:
        words = {"true": True, "false": False, "1": True, "0": False}
        if text.lower() not in words:
            raise ImportRefused.for_field(path, name, f"must be true or false, not the text {text[:40]!r}")
        return words[text.lower()]
    if kind is None:
        return text
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ImportRefused.for_field(path, name, f"must be {what}, not the text {text[:40]!r}") from None


def _kind_of(schema: dict[str, Any]) -> type | None:
    types = {option.get("type") for option in schema.get("anyOf", [schema])}
    return next(
        (kind for word, kind in (("integer", int), ("number", float), ("boolean", bool)) if word in types), None
    )


_KINDS = {name: _kind_of(schema) for name, schema in NormalResult.model_json_schema()["properties"].items()}
