"""Attacks on bodies: JSON and YAML that no parser should take, wrong lengths, wrong types, fields that nobody gave."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator

from benchmarks.attacks.judging import operations
from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import Address, Stage
from benchmarks.attacks.words import NUMBERS, TEXTS

#: operations that read a body: (method, path in the description)
READING = ("POST", "PATCH", "PUT")
JSON = "application/json"
#: fields that belong to the site, put beside what a caller may give
RISE = {
    "id": 1, "pk": 1, "owner": "attacker-0", "owner_id": 1, "user": 1, "status": "published", "state": "published",
    "trust": "T4", "is_staff": True, "is_superuser": True, "is_moderator": True, "verdict": "accepted",
    "published_at": "2026-01-01T00:00:00Z", "check_set": "x", "scopes": ["read", "submit"], "is_simulated": False,
}  # fmt: skip


def _bombs() -> dict[str, bytes]:
    """JSON that is refused wherever it is sent, by name."""
    member = b'{"text":%s,"reason":%s,"name":%s}'
    found = {
        "deep list": b"[" * 100_000,
        "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "closed deep list": b"[" * 5_000 + b"]" * 5_000,
        "wide list": b"[" + b"0," * 200_000 + b"0]",
        "wide object": b"{" + b",".join(b'"k%d":0' % number for number in range(60_000)) + b"}",
        "duplicate keys": b'{"text":"a","text":"b"}',
        "duplicate inner keys": b'{"text":{"a":1,"a":2}}',
        "long key": b'{"' + b"k" * 100_000 + b'":1}',
        "quotes": b'"\\' * 40_000,
        "backslashes": b'"' + b"\\" * 500_001 + b'"',
        "open text": b'{"text":"' + b"a" * 200_000,
        "cut in the middle": b'{"text":"a","reason":',
        "cut in a letter": b'{"text":"\xe2\x82',
        "cut in an escape": b'{"text":"\\u12',
        "NUL": b'{"text":"\\u0000"}',
        "raw NUL": b'{"text":"\x00"}',
        "lone surrogate": b'{"text":"\\ud800"}',
        "reversed surrogates": b'{"text":"\\udc00\\ud800"}',
        "surrogate in UTF-8": b'{"text":"\xed\xa0\x80"}',
        "overlong": b'{"text":"\xc0\xaf"}',
        "invalid UTF-8": b'{"text":"\xff\xfe"}',
        "byte order mark": b'\xef\xbb\xbf{"text":"a"}',
        "UTF-16": '{"text":"a"}'.encode("utf-16"),
        "UTF-32": '{"text":"a"}'.encode("utf-32"),
        "empty": b"",
        "blank": b" \n\t ",
        "two documents": b"{}{}",
        "comment": b'{"text":"a"/**/}',
        "single quotes": b"{'text':'a'}",
        "trailing comma": b'{"text":"a",}',
        "raw newline": b'{"text":"a\nb"}',
        "gzip": gzip.compress(b'{"text":"a"}'),
        "gzip bomb": gzip.compress(b"0" * 20_000_000),
        "zlib": zlib.compress(b"{}"),
        "too large": b'{"text":"' + b"a" * (2 << 20) + b'"}',
        "pickle": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.",
        "XML entities": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    }
    found |= {f"number {number[:12]}": member.replace(b"%s", number.encode()) for number in NUMBERS}
    found |= {
        f"top {name}": text for name, text in (("null", b"null"), ("number", b"1"), ("text", b'"a"'), ("list", b"[]"))
    }
    return found


def _yaml() -> dict[str, bytes]:
    """YAML that could run, refer or repeat; only uploads read YAML at all."""
    laughs = b'a: &a ["x","x"]\n' + b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120))
    head = b'version: "0.1"\nscenario: {}\nmetrics: {}\n'
    return {
        "laughs": head + laughs,
        "python": head + b"x: !!python/object/apply:os.system ['true']\n",
        "tag": head + b"x: !!binary aGk=\n",
        "merge": head + b"x: {<<: {a: 1}}\n",
        "deep": head + b"x: " + b"[" * 5_000,
        "wide": head + b"x: [" + b"0," * 120_000 + b"]",
        "two": head + b"---\na: 1\n",
        "keys": head + b"? [a]\n: 1\n",
        "number": head + b"x: " + b"9" * 5_000,
        "sexagesimal": head + b"x: " + b"1:" * 5_000 + b"1",
        "control": head + b"x: \x07\n",
        "duplicate": head + b"a: 1\na: 2\n",
    }


BOMBS, YAMLS = _bombs(), _yaml()


def bombs(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Each bomb at each operation that reads JSON, as people and as hosts."""
    places = [*_reading_json(stage)]
    names = dice.sample(list(BOMBS), len(BOMBS))
    for number in range(count):
        role, method, path = places[number % len(places)]
        # Each at each place, in the end: neither number divides the other's cycle.
        name = names[(number + number // len(places)) % len(names)]
        kind = (
            JSON if dice.random() < 0.9 else dice.choice(("application/json; charset=utf-7", "APPLICATION/JSON;", JSON))
        )
        headers = {"Content-Type": kind}
        if name.startswith("gzip"):
            headers["Content-Encoding"] = "gzip"
        yield Attack(method, path, role, BOMBS[name], headers)


def _reading_json(stage: Stage) -> Iterator[tuple[str, str, str]]:
    by_path = {address.template.replace("{pk}", "{id}"): address for address in stage.paths}
    for operation in operations():
        if operation.method in READING:
            yield "person", operation.method, by_path[operation.path].filled()
    for address in stage.paths:
        if address.template.startswith("/api/agent/") and "rotate" not in address.template:
            yield "agent", "POST", own_attempt(stage, address)
    yield "ingest", "POST", "/api/ingest"


def own_attempt(stage: Stage, address: Address) -> str:
    """With an attempt of this agent where the path wants one."""
    return address.filled(pk=stage.attempts["mine"]) if "{pk}" in address.template else address.filled()


def uploads(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Bombs as files: in every content type that uploads take, with options that are hostile too."""
    kinds = (JSON, "text/csv", "application/yaml", "application/zip", "application/gzip", "application/x-tar",
             "multipart/form-data; boundary=zq", "multipart/form-data", "text/xml", "", "x" * 300, "*/*")  # fmt: skip
    files = [*BOMBS.values(), *YAMLS.values(), *_tables()]
    for _ in range(count):
        kind, body = dice.choice(kinds), dice.choice(files)
        if kind.endswith("=zq"):
            name = dice.choice(TEXTS)[:300].encode(errors="surrogatepass").replace(b'"', b"")
            body = b'--zq\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\n%s\r\n--zq--\r\n' % (
                name,
                body,
            )
        query = dice.choice(
            ("", "?dry_run=1", "?stated=%7B", "?stated=%5B%5D", "?visibility=x", "?note=%00", "?background=2")
        )
        yield Attack("POST", f"/api/benchmarks{query}", "person", body, {"Content-Type": kind})


def _tables() -> list[bytes]:
    """CSV that a spreadsheet or a program would trip over."""
    head = b"model,hardware,output_tokens,total_energy_j\n"
    rows: tuple[bytes, ...] = (
        b"=cmd|' /C calc'!A0,h100,1,1\n", b"@SUM(A1),h100,1,1\n", b"gpt2,h100,1e999,1\n", b"gpt2,h100,NaN,Infinity\n",
        b'"gpt2,h100,1,1\n', b"gpt2\x00,h100,1,1\n", b"gpt2,h100,1\n", b"," * 100_000, b"a,b,c,d\n" * 5_000,
        b"gpt2,h100," + b"9" * 5_000 + b",1\n", b'"' + b"a" * 200_000 + b'",h100,1,1\n', b"\xff\xfe,h100,1,1\n",
    )  # fmt: skip
    return [head + row for row in rows] + [head * 3, b"model\n" * 2, b"PAR1" + b"\x00" * 2_000 + b"PAR1"]


def rising(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Fields that only the site sets, beside what may be given: they are refused or passed over."""
    given: tuple[Callable[[], dict[str, object]], ...] = (
        dict, lambda: {"text": "x"}, lambda: {"reason": "x"}, lambda: {"username": "owner"}, lambda: {"stated": RISE},
        lambda: {"upto": 1}, lambda: {"model": "org/model-8b", "engine": "vllm"}, lambda: {"name": "x",
        "models": ["a", "b"]},
        lambda: {"visibility": "public"}, lambda: {"claim_id": "x"}, lambda: {"finish_id": "x", "outcome": "succeeded"},
    )  # fmt: skip
    places = [*_reading_json(stage)]
    for number in range(count):
        role, method, path = places[number % len(places)]
        extra = dict(dice.sample(list(RISE.items()), dice.randint(1, 6)))
        yield Attack(method, path, role, json.dumps({**dice.choice(given)(), **extra}).encode(), {"Content-Type": JSON})
