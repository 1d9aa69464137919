"""Attacks on addresses: paths, query parameters, verbs, other people's ids."""

from __future__ import annotations

import random
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from benchmarks.attacks.judging import described
from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import ROLES, Address, Stage
from benchmarks.attacks.words import METHODS, PARTS, TEXTS

#: calls of an agent after which it could make no other
FINAL = ("/api/agent/v1/token/rotate", "/api/agent/v1/session", "/accounts/logout/")
FEW_NAMES = (
    "page", "limit", "cursor", "sort", "q", "next", "format", "view", "columns", "min_trust", "after", "result",
    "model",
    "hardware", "metric", "resolution", "attempt", "state", "owner", "unread", "url", "width", "at", "x", "y", "title",
)  # fmt: skip
ODD_NAMES = (
    "",
    "[]",
    "a[b]",
    "a.b",
    "__proto__",
    "constructor",
    "a" * 2000,
    "\u202e",
    "&",
    "=",
    "%",
    "limit ",
    "LIMIT",
)


def shuffled(stage: Stage, dice: random.Random) -> list[Address]:
    """All addresses, so that few requests meet all parts of the site."""
    return dice.sample(stage.paths, len(stage.paths))


def paths(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Every parameter of every path with what climbs, cuts or confuses."""
    places = [(address, name) for address in shuffled(stage, dice) for name in address.values]
    for number in range(count):
        address, name = places[number % len(places)]
        yield Attack(_method(dice, "GET"), address.filled(**{name: dice.choice(PARTS)}), dice.choice(ROLES))


def queries(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Every page and list with parameters of its own and of nobody, once and many times."""
    own, addresses = _documented_parameters(), shuffled(stage, dice)
    for number in range(count):
        address = addresses[number % len(addresses)]
        names = own.get(address.template, ()) or FEW_NAMES
        chosen = [_pair(dice, names) for _ in range(dice.choice((1, 1, 1, 2, 3, 40)))]
        yield Attack("GET", f"{address.filled()}?{'&'.join(chosen)}", dice.choice(ROLES))


def _pair(dice: random.Random, names: tuple[str, ...]) -> str:
    name = dice.choice(names) if dice.random() < 0.85 else dice.choice(ODD_NAMES)
    value = dice.choice(TEXTS)
    return f"{quote_plus(name)}={quote_plus(value[:4000], errors='surrogatepass')}"


def _documented_parameters() -> dict[str, tuple[str, ...]]:
    found = {}
    for path, methods in described()["paths"].items():
        names = (one["name"] for one in methods.get("get", {}).get("parameters", ()) if one["in"] == "query")
        found[path.replace("{id}", "{pk}")] = tuple(names)
    return found


def verbs(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Every path with every method, and with headers that claim another."""
    overriding: tuple[dict[str, str], ...] = (
        {},
        {},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Method-Override": "PUT"},
        {"X-HTTP-Method": "PATCH"},
    )
    addresses = shuffled(stage, dice)
    for number in range(count):
        address = addresses[number % len(addresses)]
        method = dice.choice(METHODS)
        headers = {**dice.choice(overriding), "Content-Type": dice.choice(("application/json", "text/plain"))}
        body = dice.choice((b"", b"{}", b"_method=DELETE", b"[]"))
        yield Attack(*_without_end(method, address), _role(dice, address), body, headers)


def others(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """The owner's rows by their true ids, and ids near them, as all others: no mark is seen, nothing is changed."""
    bodies = (
        b"{}",
        b'{"stated":{"model":"x"}}',
        b'{"visibility":"public"}',
        b'{"text":"x"}',
        b'{"username":"attacker-0"}',
    )
    addresses = shuffled(stage, dice)
    for number in range(count):
        address = addresses[number % len(addresses)]
        path = address.filled()
        if dice.random() < 0.3:
            path = address.filled(**{name: _near(dice, value) for name, value in address.values.items()})
        method = dice.choice(METHODS[:6])
        headers = {"Content-Type": "application/json"}
        if path.startswith(FINAL):
            continue
        yield Attack(method, path, _role(dice, address), dice.choice(bodies), headers)


def texts(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Forms and JSON whose every text is hostile, signed in where there is a session."""
    forms = [address for address in shuffled(stage, dice) if not address.template.startswith("/api/agent")]
    names = ("text", "reason", "note", "name", "username", "login", "password", "email", "url", "next", "title", "q",
             "model", "hardware", "visibility", "state", "stated", "licence", "evidence_url", "config",
             "action")  # fmt: skip
    for number in range(count):
        address = forms[number % len(forms)]
        given = {dice.choice(names): dice.choice(TEXTS) for _ in range(6)}
        role = "person" if address.template.startswith("/api/") else "session"
        kind, body = _encoded(dice, given)
        if not address.filled().startswith(FINAL):
            yield Attack("POST", address.filled(), role, body, {"Content-Type": kind})


def _encoded(dice: random.Random, given: dict[str, str]) -> tuple[str, bytes]:
    if dice.random() < 0.5:
        pairs = (f"{quote(name)}={quote_plus(value, errors='surrogatepass')}" for name, value in given.items())
        return "application/x-www-form-urlencoded", "&".join(pairs).encode()
    parts = (
        f'--zq\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in given.items()
    )
    return "multipart/form-data; boundary=zq", ("".join(parts) + "--zq--\r\n").encode(errors="surrogatepass")


def _method(dice: random.Random, usual: str) -> str:
    return usual if dice.random() < 0.8 else dice.choice(METHODS[:7])


def _without_end(method: str, address: Address) -> tuple[str, str]:
    """What would end the attacker's own session is asked with GET."""
    path = address.filled()
    return ("GET" if path.startswith(FINAL) and method in ("POST", "DELETE") else method), path


def _role(dice: random.Random, address: Address) -> str:
    if address.template.startswith("/api/agent"):
        return dice.choice(("agent", "agent", "agent", "person", "wrong"))
    return dice.choice(ROLES)


def _near(dice: random.Random, value: str) -> str:
    if value.isdigit():
        return str(max(int(value) + dice.randint(-3, 3), 0))
    place = dice.randrange(len(value))
    return value[:place] + dice.choice("0123456789abcdef") + value[place + 1 :]
