"""What an answer to an attack may not be, and how answers are counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.attacks.request import Answer, Attack

OPENAPI = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
#: what a program says of its inside; none of it stands in any attack
INSIDES = (
    b"Traceback (most recent call last)",
    b'File "/',
    b"site-packages/",
    b"django.db.",
    b"psycopg.",
    b"sqlite3.",
    b"OperationalError",
    b"IntegrityError",
    b"DataError",
    b"DoesNotExist",
    b"SECRET_KEY",
    b" object at 0x",
)
#: attacks send this element, this sum and this header; no answer may hold the first as markup, the second as computed
#: or the third as a header
ELEMENT, PRODUCT, HEADER = "<zqx ", "{{1301*1303}}", "zqx-injected"
COMPUTED = b"1695203"
#: of a request and of its answer, where something was found
MOST_TOLD = 300
#: refused before there is an operation: what is no HTTP, and what names another host or 3,000 cookies (docs/api.md)
NO_OPERATION = (b"Invalid HTTP request received.", b"The request is malformed.")
MARKUP = ("text/html", "image/svg+xml", "application/xml", "application/atom+xml", "application/rss+xml")
#: findings of one kind and family that are told in full
TOLD = 8


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API's description."""

    method: str
    path: str
    statuses: frozenset[int]
    pattern: re.Pattern[str]


@cache
def described() -> dict[str, Any]:
    """docs/openapi.yaml."""
    read: dict[str, Any] = yaml.load(OPENAPI.read_bytes(), Loader=yaml.CSafeLoader)
    return read


@cache
def operations() -> tuple[Operation, ...]:
    # A path without parameters comes first: /api/users/me is no /api/users/{name}.
    paths = sorted(described()["paths"].items(), key=lambda item: item[0].count("{"))
    return tuple(
        Operation(
            method.upper(),
            path,
            frozenset(map(int, operation["responses"])),
            re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(path)) + r"/?(\?.*)?", re.DOTALL),
        )
        for path, methods in paths
        for method, operation in methods.items()
    )


def operation_of(method: str, path: str) -> Operation | None:
    """None where the path is not described; one that is described as it stands is no parameter of another."""
    plain = path.partition("?")[0].rstrip("/")
    as_it_stands = [operation for operation in operations() if operation.path == plain]
    for operation in as_it_stands or operations():
        if operation.method == method and operation.pattern.fullmatch(path):
            return operation
    return None


@dataclass
class Tally:
    """What came of one family."""

    requests: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    grown_kb: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    #: kind -> (what, answer's status and beginning)
    findings: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, what: str) -> None:
        self.findings.setdefault(kind, []).append(what)

    def count(self, kind: str) -> int:
        return len(self.findings.get(kind, ()))


class Judge:
    """Looks at each answer; knows what no answer may hold, and which statuses are documented and were seen."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets if secret]
        #: (method, path, status) of documented operations
        self.seen: set[tuple[str, str, int]] = set()

    def look(self, attack: Attack, answer: Answer, tally: Tally) -> None:
        tally.requests += 1
        tally.statuses[answer.status] += 1
        if answer.ms > tally.slowest_ms:
            tally.slowest_ms, tally.slowest = answer.ms, str(attack)
        told = f"{str(attack)[:MOST_TOLD]} -> {answer.status} {answer.body[:MOST_TOLD]!r}"
        if answer.status >= 500:
            tally.note("5xx", told)
        for leak in self._leaks(answer):
            tally.note("leak", f"{leak!r} in {told}")
        if self._is_undocumented(attack, answer):
            tally.note("undocumented", told)
        if attack.right and answer.status not in attack.right:
            tally.note("wrong", f"{told}, should be {sorted(attack.right)}")

    def _leaks(self, answer: Answer) -> list[bytes]:
        found = [secret for secret in (*self._secrets, *INSIDES) if secret in answer.body]
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items()).encode()
        found += [secret for secret in self._secrets if secret in head]
        if answer.headers.get("content-type", "").startswith(MARKUP):
            found += [text for text in (ELEMENT.encode(), COMPUTED) if text in answer.body]
        return found + ([HEADER.encode()] if HEADER in answer.headers else [])

    def _is_undocumented(self, attack: Attack, answer: Answer) -> bool:
        operation = None if attack.raw else operation_of(attack.method, attack.path)
        if operation is None or not answer.status:
            return False
        if answer.status == 400 and any(text in answer.body for text in NO_OPERATION):
            return False
        self.seen.add((operation.method, operation.path, answer.status))
        return answer.status not in operation.statuses


def unseen(seen: set[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Documented statuses that no answer had."""
    known = {(one.method, one.path, status) for one in operations() for status in one.statuses}
    return sorted(known - seen)


def total(tallies: Mapping[str, Tally]) -> Tally:
    """All families together."""
    whole = Tally()
    for tally in tallies.values():
        whole.requests += tally.requests
        whole.statuses.update(tally.statuses)
        whole.grown_kb += tally.grown_kb
        if tally.slowest_ms > whole.slowest_ms:
            whole.slowest_ms, whole.slowest = tally.slowest_ms, tally.slowest
        for kind, found in tally.findings.items():
            whole.findings.setdefault(kind, []).extend(found)
    return whole
