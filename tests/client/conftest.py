"""Nobody waits."""

import pytest


@pytest.fixture
def slept(monkeypatch):
    """How long was waited; nobody waits."""
    waits = []

    async def nap(seconds):
        waits.append(seconds)

    monkeypatch.setattr("gpuagent.client.transport.time.sleep", waits.append)
    monkeypatch.setattr("gpuagent.client.transport.asyncio.sleep", nap)
    return waits
