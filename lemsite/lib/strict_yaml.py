"""YAML from strangers: plain mappings, lists and scalars within limits; what could run, refer or repeat is refused."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml
from yaml import events, nodes

from lemsite.lib.strict_json import BIGGEST_INTEGER, BadJson, check_text

MAX_BYTES = 256 << 10
MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_KEY = 200

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
MAX_DIGITS = 20
#: writers of YAML 1.2 leave out the point that YAML 1.1 wants: 1e-05. An unsigned 1e10 may be part of a hash.
_EXPONENT = re.compile(r"[+-]?[0-9]{1,20}[eE][+-][0-9]{1,3}")
_DECIMAL = "0123456789."
_WORDS = {"true": True, "false": False}


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that `loads` would read as something else."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("+-0123456789"))


class BadYaml(BadJson):
    """The bytes are not YAML that this site reads; the message is a plain phrase that says why and where."""


def loads(
    raw: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_nodes: int = MAX_NODES,
    max_key: int = MAX_KEY,
) -> Any:
    """Return the value, or raise BadYaml and nothing else.

    Refused: more than `max_bytes` bytes, `max_nodes` values or `max_depth` levels, keys that are no text, longer than
    `max_key` characters or given twice, anchors, aliases, merge keys and tags, several documents, numbers beyond a
    double or a signed 64-bit integer, NUL and lone surrogates. Dates stay text, and so do `.inf` and `.nan`: where a
    number is needed they are no number. Limits are checked as the parser goes, before any object is built.
    """
    if len(raw) > max_bytes:
        raise BadYaml(f"it is larger than the {max_bytes} bytes that are read")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadYaml("it is not UTF-8 text") from None
    builder = _Builder(max_depth, max_nodes, max_key)
    try:
        # The parser's own events: no loader ever constructs an object from them.
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYaml(f"it is not valid YAML{_at(mark)}") from None
    except (yaml.YAMLError, UnicodeError):
        raise BadYaml("it holds characters that YAML does not allow") from None
    if builder.documents == 0:
        raise BadYaml("it is empty")
    return builder.root


def dumps(value: Any) -> bytes:
    """Return block YAML that a person can read and `loads` reads back."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


def _at(mark: Any) -> str:
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _Builder:
    """Builds the value from the parser's events, without recursion."""

    def __init__(self, max_depth: int, max_nodes: int, max_key: int) -> None:
        self.max_depth, self.max_nodes, self.max_key = max_depth, max_nodes, max_key
        self.resolver = yaml.resolver.Resolver()
        self.root: Any = None
        self.documents = self.values = 0
        #: open lists and mappings, and for each mapping the key that waits for its value
        self.stack: list[list[Any] | dict[str, Any]] = []
        self.keys: list[str | None] = []

    def take(self, event: events.Event) -> None:
        if isinstance(event, events.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.refuse(event, "it holds more than one YAML document")
        elif isinstance(event, events.AliasEvent):
            raise self.refuse(event, "it refers to another place (an alias)")
        elif isinstance(event, events.CollectionEndEvent):
            self.stack.pop()
            self.keys.pop()
        elif isinstance(event, events.NodeEvent):
            self._check(event)
            self._add(event, self._value(event))

    def refuse(self, event: events.Event, problem: str) -> BadYaml:
        return BadYaml(f"{problem}{_at(event.start_mark)}")

    def _check(self, event: events.NodeEvent) -> None:
        self.values += 1
        if self.values > self.max_nodes:
            raise BadYaml(f"it holds more than {self.max_nodes} values")
        if event.anchor is not None:
            raise self.refuse(event, "it names a place for reference (an anchor)")
        if isinstance(event, events.CollectionStartEvent | events.ScalarEvent) and event.tag is not None:
            raise self.refuse(event, "it states a type with a tag")
        if isinstance(event, events.CollectionStartEvent) and len(self.stack) >= self.max_depth:
            raise self.refuse(event, f"it is nested more than {self.max_depth} levels deep")

    def _value(self, event: events.NodeEvent) -> Any:
        if isinstance(event, events.MappingStartEvent):
            return {}
        if isinstance(event, events.SequenceStartEvent):
            return []
        if not isinstance(event, events.ScalarEvent):
            raise self.refuse(event, "it holds what is no value")
        is_key = bool(self.stack) and isinstance(self.stack[-1], dict) and self.keys[-1] is None
        try:
            check_text(event.value)
            return event.value if is_key else self._scalar(event)
        except BadJson as error:
            raise self.refuse(event, str(error)) from None

    def _scalar(self, event: events.ScalarEvent) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        # The tables of YAML 1.1 by which PyYAML tells plain words, numbers and dates apart.
        plain = (True, False)
        tag: str = self.resolver.resolve(nodes.ScalarNode, text, plain)  # type: ignore[no-untyped-call]  # no types
        kind = tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            # yes, no, on and off stay text: whoever writes them may well mean the word.
            return _WORDS.get(text.lower(), text)
        if kind == "int" and _INTEGER.fullmatch(text):
            return _within(text)
        if (kind == "float" and text[-1] in _DECIMAL and ":" not in text) or _EXPONENT.fullmatch(text):
            return _finite(float(text.replace("_", "")))
        return text

    def _add(self, event: events.NodeEvent, value: Any) -> None:
        if not self.stack:
            self.root = value
        elif isinstance(place := self.stack[-1], list):
            place.append(value)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = self._key(event, value, place)
            return
        else:
            place[key] = value
            self.keys[-1] = None
        if isinstance(value, dict | list):
            self.stack.append(value)
            self.keys.append(None)

    def _key(self, event: events.NodeEvent, key: Any, place: dict[str, Any]) -> str:
        if not isinstance(key, str):
            raise self.refuse(event, "it has a key that is not text")
        if key == "<<":
            raise self.refuse(event, "it merges another mapping (a << key)")
        if len(key) > self.max_key:
            raise self.refuse(event, f"it has a key of more than {self.max_key} characters")
        if key in place:
            raise self.refuse(event, "it gives the same key twice in one mapping")
        return key


def _within(digits: str) -> int:
    # Python refuses to convert thousands of digits.
    number = int(digits) if len(digits) <= MAX_DIGITS else None
    if number is None or abs(number) > BIGGEST_INTEGER:
        raise BadJson("it holds a number out of range")
    return number


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise BadJson("it holds a number out of range")
    return number
