"""docs/agent-protocol.md says what the site does."""

import re
from dataclasses import asdict
from pathlib import Path

from jobs.times import Times
from tests.permissions.routes import all_routes

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "agent-protocol.md").read_text(encoding="utf-8")


def test_every_time_stands_there_with_its_value():
    rows = dict(re.findall(r"^\| `(\w+_s)` \| ([\d.]+) \|", DOCUMENT, re.MULTILINE))

    assert {name: float(value) for name, value in rows.items()} == asdict(Times())


def test_every_call_stands_there():
    base = "/api/agent/v1/"
    calls = {route.path.removeprefix(base) for route in all_routes() if route.path.startswith(base)}
    told = {path for _, path in re.findall(r"`(GET|POST|PATCH|HEAD|DELETE) ([a-z/<>]+)`", DOCUMENT)}

    assert {call.replace("<uuid:pk>", "<id>") for call in calls} == told
