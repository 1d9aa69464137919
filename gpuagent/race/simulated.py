"""A model server that never was: it answers the suites' own cases as fast as a data sheet would have it.

For `lem-agent run --simulate` and for tests. It listens on loopback and speaks what the client speaks. The answers are
the suites' references, some of them cut short, so that the scores are neither all full nor by chance.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gpuagent.gpu import fake
from gpuagent.race.suites import Suite

#: of one request: a large model, so that there is time to watch
TOKENS_PER_S = 14.0
FIRST_TOKEN_S = 0.25
#: characters of a token, about as those of real tokenisers
TOKEN_CHARS = 4
#: of a hundred answers
CUT_SHORT, WRONG = 18, 7
MAX_BODY_BYTES = 1 << 20


class SimulatedServer:
    """GET /v1/models and POST /v1/chat/completions, streamed."""

    def __init__(self, *, model: str, lane: str, suites: Sequence[Suite], speed: float = 1.0) -> None:
        self._model, self._lane = model, lane
        # Two simulated hosts are not equally fast, or their race would be a tie.
        self._speed = speed * (0.85 + 0.3 * _share(lane))
        self._cases = {case.prompt: case for suite in suites for case in suite.cases}
        self._asked = 0

    @asynccontextmanager
    async def running(self, load_folder: Path | None = None) -> AsyncIterator[str]:
        """Yields the base URL; the GPUs of `load_folder` are under load meanwhile."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        if load_folder:
            # With a few requests at a time an A100 is far from its limit.
            fake.put_load(load_folder, power_w=291.0, util=93, mem_mib=68_210)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.close()
            if load_folder:
                fake.take_load_off(load_folder)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            if method == "GET":
                body = json.dumps({"object": "list", "data": [{"id": self._model, "object": "model"}]}).encode()
                writer.write(_head("application/json", len(body)) + body)
            elif path.endswith("/chat/completions"):
                asked = json.loads(await reader.readexactly(min(_length(head), MAX_BODY_BYTES)))
                writer.write(_head("text/event-stream"))
                await self._stream(asked, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _stream(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self._asked += 1
        text = self._answer(asked["messages"][-1]["content"])
        pieces = [text[at : at + TOKEN_CHARS] for at in range(0, len(text), TOKEN_CHARS)][: asked["max_tokens"]]
        await asyncio.sleep(FIRST_TOKEN_S / self._speed)
        for place, piece in enumerate(pieces):
            if place:
                await asyncio.sleep(1 / (TOKENS_PER_S * self._speed))
            _event(writer, {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
            await writer.drain()
        _event(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        _event(writer, {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": len(pieces)}})
        writer.write(b"data: [DONE]\n\n")

    def _answer(self, prompt: str) -> str:
        """The same on every simulated host but for few: the model is the same, only its server is not."""
        case = self._cases.get(prompt)
        if case is None:
            return "OK"
        percent = 100 * _share(f"{self._model} {case.id}")
        if percent < WRONG:
            return "I am not sure about this one."
        return case.reference[: len(case.reference) // 2] if percent < WRONG + CUT_SHORT else case.reference


def _share(text: str) -> float:
    """0 to 1, the same for the same text."""
    return hashlib.sha256(text.encode()).digest()[0] / 255


def _event(writer: asyncio.StreamWriter, data: dict[str, Any]) -> None:
    writer.write(b"data: " + json.dumps(data).encode() + b"\n\n")


def _length(head: str) -> int:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def _head(content_type: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", "Connection: close"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
