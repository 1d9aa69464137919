"""JSON from strangers: what Python's parser lets through, PostgreSQL refuses or memory cannot hold is refused here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

BIGGEST_INTEGER = 2**63 - 1

# The closing quote is optional and the string body is possessive: with a required closing quote the bytes `"\`
# repeated 40,000 times are scanned again from every quote, which costs half a minute.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)

#: files that people send by mistake, by their first bytes
_FOREIGN = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"<", "HTML or XML"),
)


class BadJson(ValueError):
    """The bytes are not JSON that this site reads; the message is a plain phrase that says why."""


def loads(
    raw: bytes,
    *,
    max_bytes: int = 1 << 20,
    max_depth: int = 24,
    max_nodes: int = 50_000,
    max_key: int = 200,
) -> Any:
    """Return the value, or raise BadJson and nothing else.

    Refused: more than `max_bytes` bytes, `max_nodes` values or `max_depth` levels, keys over `max_key` characters or
    given twice, NaN, Infinity, numbers beyond a double or a signed 64-bit integer, NUL and lone surrogates in text.
    Linear in the input: the limits are checked on the raw bytes before any object is built.
    """
    if len(raw) > max_bytes:
        raise BadJson(f"it is larger than the {max_bytes} bytes that are read")
    _check_structure(raw, max_depth=max_depth, max_nodes=max_nodes)
    try:
        value = json.loads(
            _decode(raw),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_duplicates(max_key),
        )
    except BadJson:
        raise
    except json.JSONDecodeError as error:
        raise BadJson(_explain_syntax(raw, error)) from None
    except (ValueError, RecursionError):
        # What is left are integers of thousands of digits.
        raise BadJson("it holds a number out of range") from None
    _check_scalars(value)
    return value


def _check_structure(raw: bytes, *, max_depth: int, max_nodes: int) -> None:
    depth = nodes = 0
    for token in _TOKEN.finditer(raw):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            nodes += 1
            if depth > max_depth:
                raise BadJson(f"it is nested more than {max_depth} levels deep")
        elif first in b"]}":
            depth -= 1
        elif first == b",":
            nodes += 1
        if nodes > max_nodes:
            raise BadJson(f"it holds more than {max_nodes} values")


def _decode(raw: bytes) -> str:
    for start, name in _FOREIGN:
        if raw.startswith(start):
            raise BadJson(f"it is {name}, not JSON")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadJson("it is not UTF-8 text") from None


def _explain_syntax(raw: bytes, error: json.JSONDecodeError) -> str:
    if not raw.strip():
        return "it is empty"
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
        return "it ends in the middle, as if the download or copy was cut off"
    return f"it is not valid JSON at line {error.lineno}, column {error.colno}"


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"it holds {name}, which is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("it holds a number out of range")
    return number


def _without_duplicates(max_key: int) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BadJson("it gives the same key twice in one object")
        if any(len(key) > max_key for key in found):
            raise BadJson(f"it has a key of more than {max_key} characters")
        return found

    return build


def _check_scalars(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        else:
            _check_scalar(item)


def _check_scalar(item: Any) -> None:
    if isinstance(item, str):
        check_text(item)
    elif isinstance(item, int) and abs(item) > BIGGEST_INTEGER:
        raise BadJson("it holds a number out of range")


def check_text(text: str) -> None:
    """Raise BadJson for characters that PostgreSQL cannot store."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadJson("it holds text with a NUL or half a surrogate pair")
