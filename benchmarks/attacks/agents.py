"""What a broken or stolen host sends: wrong attempts, offsets out of range, events in any order, pieces that lie."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import Stage
from benchmarks.attacks.words import TEXTS

BASE = "/api/agent/v1"
#: a number of any size and kind, where a count, an offset or a measurement is wanted
ODD: tuple[Any, ...] = (
    0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 1e308, -1e308, 0.5, True, None, "1", "", [], {}, [1], "NaN",
)  # fmt: skip
JSON = {"Content-Type": "application/json"}


def agents(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Calls of one agent whose session lives."""
    makers: tuple[Callable[[Stage, random.Random], Attack], ...] = (
        _log, _events, _telemetry, _artifact, _claim, _heartbeat, _finish, _session, _step, _enrol, _piece,
    )  # fmt: skip
    for _ in range(count):
        yield dice.choice(makers)(stage, dice)


def _attempt(stage: Stage, dice: random.Random) -> str:
    odd = (
        stage.attempts["theirs"],
        str(uuid.UUID(int=dice.getrandbits(128))),
        "0",
        "..",
        stage.attempts["mine"].upper(),
    )
    return stage.attempts["mine"] if dice.random() < 0.7 else dice.choice(odd)


def _posted(path: str, body: Any, role: str = "agent", method: str = "POST") -> Attack:
    return Attack(method, BASE + path, role, json.dumps(body, allow_nan=True).encode("utf-8", "replace"), JSON)


def _log(stage: Stage, dice: random.Random) -> Attack:
    content = dice.choice((b"", b"x", b"\x00\xff" * 50, b"\x1b[2J" * 20, b"a" * 70_000))
    first, last = dice.choice(ODD[:9]), dice.choice(ODD[:9])
    if dice.random() < 0.5:
        first, last = 0, len(content) - 1
    ranges = (
        f"bytes {first}-{last}/*",
        f"bytes {last}-{first}/*",
        "bytes */0",
        "bytes 0-0/1",
        "lines 0-1/*",
        "",
        "bytes \u0661-2/*",
    )
    digests: tuple[dict[str, str], ...] = (
        {},
        {},
        {"Content-Digest": "sha-256=:x:"},
        {"Content-Digest": "sha-256=:" + "A" * 43 + "=:"},
    )
    headers = {"Content-Range": dice.choice(ranges), "Content-Type": "application/octet-stream", **dice.choice(digests)}
    return Attack("PATCH", f"{BASE}/attempts/{_attempt(stage, dice)}/log", "agent", content, headers)


def _events(stage: Stage, dice: random.Random) -> Attack:
    order = [dice.choice((1, 2, 3, 4, *ODD)) for _ in range(dice.randint(0, 8))]
    events = [
        {"seq": seq, "t": dice.choice(ODD), "type": dice.choice(("step", "run", "x", *TEXTS[:20])), "data": _data(dice)}
        for seq in order
    ]
    return _posted(f"/attempts/{_attempt(stage, dice)}/events", dice.choice(({"events": events}, events, {})))


def _data(dice: random.Random) -> Any:
    return dice.choice(
        ({}, {"a": dice.choice(ODD)}, {dice.choice(TEXTS)[:150]: dice.choice(TEXTS)[:500]}, [], None, {"a": {"b": {}}})
    )


def _telemetry(stage: Stage, dice: random.Random) -> Attack:
    length = dice.choice((0, 1, 2, 5))
    columns = {name: _column(dice, length) for name in ("power_w", "energy_mj", "util", "mem_mib", "temp_c")}
    uuids = ("GPU-1", "GPU-3f2a0000-0000-0000-0000-000000000001", "x", "", None)
    body = {
        "first_seq": dice.choice((1, 1, 1, 2, *ODD)),
        "t": _column(dice, length),
        "gpu": [{"uuid": dice.choice(uuids), **columns} for _ in range(dice.choice((0, 1, 2)))],
    }
    return _posted(f"/attempts/{_attempt(stage, dice)}/telemetry", body)


def _column(dice: random.Random, length: int) -> Any:
    if dice.random() < 0.2:
        return dice.choice(ODD)
    return [dice.choice((400.0, 1, *ODD)) for _ in range(length + dice.choice((0, 0, 0, 1)))]


def _artifact(stage: Stage, dice: random.Random) -> Attack:
    content = dice.choice((b"", b"x" * 100, b"PK\x03\x04"))
    names = ("result.json", "../../etc/passwd", "/etc/passwd", "a\\b", "a/../b", ".", *TEXTS[:30])
    file = {
        "name": dice.choice(names)[:400],
        "size": dice.choice((len(content), *ODD)),
        "sha256": dice.choice((hashlib.sha256(content).hexdigest(), "0" * 64, "x", None)),
        "content": dice.choice((base64.b64encode(content).decode(), "!", "=", "a", None)),
    }
    return _posted(
        f"/attempts/{_attempt(stage, dice)}/artifacts",
        dice.choice((file, {"files": [file]}, {"files": [file, file]}, {"files": []})),
    )


def _piece(stage: Stage, dice: random.Random) -> Attack:
    headers = {"Upload-Offset": str(dice.choice((0, *ODD)))[:60], "Content-Type": "application/octet-stream"}
    return Attack(
        dice.choice(("PATCH", "HEAD")), f"{BASE}/artifacts/{_attempt(stage, dice)}", "agent", b"x" * 10, headers
    )


def _claim(stage: Stage, dice: random.Random) -> Attack:
    gpus = dice.choice((None, [], ["GPU-1"], ["x"], ["GPU-" + "0" * 90], [None], "GPU-1", ["GPU-1"] * 70))
    return _posted("/claim", {"claim_id": dice.choice(("a", "b", *TEXTS[:30]))[:80], "gpus": gpus})


def _heartbeat(stage: Stage, dice: random.Random) -> Attack:
    beat = {
        "id": _attempt(stage, dice),
        "phase": dice.choice(TEXTS)[:300],
        "step_i": dice.choice(ODD),
        "step_n": dice.choice(ODD),
    }
    vitals = {"uuid": "GPU-1", "power_w": dice.choice(ODD), "temp_c": dice.choice(ODD)}
    times = ("2026-11-21T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-13-01", 1e18, None)
    body = {
        "attempts": [beat] * dice.choice((0, 1, 2)),
        "gpus": [vitals],
        "agent_time": dice.choice(times),
        "disk_free_mib": dice.choice(ODD),
    }
    return _posted("/heartbeat", body)


def _finish(stage: Stage, dice: random.Random) -> Attack:
    body = {
        "finish_id": dice.choice(("f1", "f2", "", *TEXTS[:10]))[:80],
        "outcome": dice.choice(("infra_failed", "x", None, "running")),
        "exit_code": dice.choice(ODD),
        "detail": dice.choice(TEXTS),
        "log": {"size": dice.choice(ODD), "sha256": "0" * 64},
        "events": {"last_seq": dice.choice(ODD)},
        "telemetry": {"last_seq": dice.choice(ODD)},
        "energy": [{"uuid": "GPU-1", "counter_j": dice.choice(ODD)}],
    }
    # Only the attempts of others: the own one would be over, and nothing after it would be looked at.
    attempt = dice.choice((stage.attempts["theirs"], str(uuid.UUID(int=dice.getrandbits(128)))))
    return _posted(f"/attempts/{attempt}/finish", {name: value for name, value in body.items() if dice.random() < 0.8})


def _session(stage: Stage, dice: random.Random) -> Attack:
    """Never one that is right: it would end the session of the others."""
    body = {
        "instance_id": dice.choice(("", " ", "a b", "\x00", None)),
        "boot_id": dice.choice(TEXTS)[:80],
        "protocols": dice.choice(([], [0], [2**70], "1", None)),
        "gpus": [{"uuid": "GPU-1", "name": dice.choice(TEXTS)[:200], "memory_mib": dice.choice(ODD)}],
        "labels": [dice.choice(TEXTS)[:60]],
    }
    return _posted("/session", body)


def _step(stage: Stage, dice: random.Random) -> Attack:
    step = dice.choice(("accept", "decline"))
    body = {
        "gpus": dice.choice(([], None, ["x"])),
        "code": dice.choice(("busy", "", "A B")),
        "detail": dice.choice(TEXTS),
    }
    return _posted(f"/attempts/{_attempt(stage, dice)}/{step}", body)


def _enrol(stage: Stage, dice: random.Random) -> Attack:
    return _posted(
        "/enroll", {"code": dice.choice((*TEXTS, "gpe_" + "a" * 36))[:200], "simulated": dice.choice(ODD)}, "anonymous"
    )
