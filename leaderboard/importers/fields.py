"""Typed reading of foreign JSON: a wrong type or an impossible number is refused with the field's full name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from leaderboard.importers.base import ImportRefused
from leaderboard.normal import BIG_INT_MAX, BIGGEST_NUMBER

MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, aware, and whether the file left its zone out."""

    at: datetime
    was_naive: bool


def as_object(value: Any, *, file: str, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ImportRefused.for_field(file, field, f"must be an object, not {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    names = {bool: "true or false", list: "a list", dict: "an object", type(None): "null"}
    return names.get(type(value), f"{value!r:.40}")


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a file. Names may be dotted; a missing or null step gives None, never a default."""

    data: dict[str, Any]
    file: str
    #: what stands before the names in messages, such as "process_results[0]."
    prefix: str = ""

    def refuse(self, name: str, problem: str) -> ImportRefused:
        return ImportRefused.for_field(self.file, self.prefix + name, problem)

    def raw(self, name: str) -> Any:
        value: Any = self.data
        done: list[str] = []
        for step in name.split("."):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self.refuse(".".join(done), f"must be an object, not {_kind(value)}")
            value = value.get(step)
            done.append(step)
        return value

    def object(self, name: str) -> dict[str, Any]:
        return as_object(self.raw(name), file=self.file, field=self.prefix + name)

    def items(self, name: str) -> list[Any]:
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.refuse(name, f"must be a list, not {_kind(value)}")
        return value

    def below(self, name: str) -> Fields:
        return Fields(self.object(name), self.file, f"{self.prefix}{name}.")

    def each(self, name: str) -> list[Fields]:
        found = []
        for place, item in enumerate(self.items(name)):
            label = f"{self.prefix}{name}[{place}]"
            found.append(Fields(as_object(item, file=self.file, field=label), self.file, f"{label}."))
        return found

    def number(self, name: str, *, may_be_negative: bool = False) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(name, f"must be a number, not {_kind(value)}")
        if value < 0 and not may_be_negative:
            raise self.refuse(name, f"is {value!r}, but it cannot be negative")
        if abs(value) > BIGGEST_NUMBER:
            raise self.refuse(name, "is too large to be a measurement")
        return float(value)

    def measured(self, name: str) -> float | None:
        """A figure that llem writes as 0.0 when it could not measure it: zero is None."""
        return self.number(name) or None

    def count(self, name: str) -> int | None:
        value = self.number(name)
        if value is None:
            return None
        if not value.is_integer():
            raise self.refuse(name, f"must be a whole number, not {value!r}")
        if value > BIG_INT_MAX:
            raise self.refuse(name, "is too large to be a count")
        # Not int(value): a double rounds integers above 2**53.
        return int(self.raw(name))

    def tokens(self, name: str) -> int | None:
        """A token count of a whole run: zero means that nothing ran."""
        value = self.count(name)
        if value == 0:
            raise self.refuse(name, "is 0, but a measured run has at least one token")
        return value

    def small(self, name: str, *, least: int = 1) -> int | None:
        """A setting such as a batch size; below `least` it is unset (llem writes 0 and -1 for that)."""
        value = self.number(name, may_be_negative=True)
        if value is None or value < least:
            return None
        if not value.is_integer() or value > 2**31 - 1:
            raise self.refuse(name, f"must be a whole number up to {2**31 - 1}, not {value!r}")
        return int(value)

    def text(self, name: str, *, limit: int = MAX_TEXT) -> str | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refuse(name, f"must be text, not {_kind(value)}")
        stripped = value.strip()
        if len(stripped) > limit:
            raise self.refuse(name, f"must be at most {limit} characters")
        return stripped or None

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(name, f"must be true or false, not {_kind(value)}")
        return value

    def moment(self, name: str) -> Moment | None:
        text = self.text(name, limit=80)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
            aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.refuse(name, f"is {text!r}, but must be a date and time such as 2026-03-14T09:30:00Z") from None
        return Moment(at=aware, was_naive=at.tzinfo is None)

    def texts(self, name: str) -> list[str]:
        """A list of sentences; anything else in it is left out, for nothing is computed from it."""
        return [item.strip() for item in self.items(name) if isinstance(item, str) and item.strip()]
