"""A host that calls the agent API through Django's test client, with a token and a session of its own."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from jobs.models import Agent, AgentSession
from jobs.services.agents import _new_token
from tests.jobs.factories import AgentFactory, SessionFactory

BASE = "/api/agent/v1"
GPU = {"uuid": "GPU-3f2a0000-0000-0000-0000-000000000001", "name": "NVIDIA H100 80GB HBM3", "memory_mib": 81_559}


class Host:
    """One agent, known to the site."""

    def __init__(self, agent: Agent | None = None, *, session: AgentSession | None = None) -> None:
        self.agent: Any = agent or AgentFactory()
        self.token, self.plain = _new_token(self.agent)
        self.session = str((session or SessionFactory(agent=self.agent)).pk)
        self.protocol = "1"

    def headers(self, **others: str) -> dict[str, str]:
        fixed = {
            "Authorization": f"Bearer {self.plain}",
            "X-Agent-Session": self.session,
            "X-Agent-Protocol": self.protocol,
        }
        return {name: value for name, value in (fixed | others).items() if value}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        client = Client(raise_request_exception=False)
        return client.generic(method, BASE + path, sent, "application/json", headers=self.headers(**headers))

    def send(self, method: str, path: str, content: bytes, **headers: str) -> Any:
        client = Client(raise_request_exception=False)
        kind = "application/octet-stream"
        return client.generic(method, BASE + path, content, kind, headers=self.headers(**headers))

    def log(self, attempt: Any, start: int, content: bytes, **headers: str) -> Any:
        span = {"Content-Range": f"bytes {start}-{start + len(content) - 1}/*"}
        return self.send("PATCH", f"/attempts/{attempt.pk}/log", content, **(span | headers))


def session_body(**others: Any) -> dict[str, Any]:
    return {
        "instance_id": "instance-one",
        "boot_id": "boot-one",
        "agent_version": "1.4.0",
        "protocols": [1],
        "host": {"os": "Ubuntu 24.04", "driver": "575.57.08", "toolkit": "1.17.8", "cpus": 32},
        "gpus": [GPU],
        "executors": ["container"],
        "labels": ["quiet-host"],
        "attempts": [],
        **others,
    }
