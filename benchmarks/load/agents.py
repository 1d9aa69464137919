"""Hosts that only talk: each enrols, begins a session and calls the site, and no process of theirs exists."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import Any

GPUS = [f"GPU-simulated-{number}" for number in range(8)]


def ask(
    connection: http.client.HTTPConnection, call: str, body: dict[str, Any], headers: dict[str, str]
) -> tuple[int, Any]:
    connection.request("POST", f"/api/agent/v1/{call}", json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{call}: HTTP {answer.status}: {text[:300].decode()}")
    return answer.status, json.loads(text) if text else {}


def open_session(connection: http.client.HTTPConnection, code: str) -> dict[str, str]:
    """Enrol a host with eight GPUs and begin its session; returns the headers of its calls."""
    headers = {"Content-Type": "application/json", "X-Agent-Protocol": "1"}
    _, agent = ask(connection, "enroll", {"code": code, "simulated": True}, headers)
    headers["Authorization"] = f"Bearer {agent['token']}"
    gpus = [{"uuid": name, "name": "NVIDIA A100-SXM4-80GB", "memory_mib": 81920} for name in GPUS]
    said: dict[str, Any] = {
        "instance_id": uuid.uuid4().hex,
        "boot_id": uuid.uuid4().hex,
        "agent_version": "0",
        "protocols": [1],
    }
    said |= {"host": {}, "gpus": gpus, "executors": ["simulate"], "attempts": [], "simulated": True}
    _, session = ask(connection, "session", said, headers)
    return headers | {"X-Agent-Session": session["session"]}
