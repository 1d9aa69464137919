"""A small OpenAI-compatible server on loopback that streams what a test wrote down, at the pace it asks for."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

MODEL = "org/model-8b"


def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]}


def usage(tokens: Any) -> dict[str, Any]:
    return {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": tokens}}


class FakeModelServer:
    """`stream` is sent to every question: objects as events, bytes as they are, numbers as a pause in seconds."""

    def __init__(self) -> None:
        self.models: Any = {"data": [{"id": MODEL}]}
        self.stream: list[Any] = [chunk("Answer: "), chunk("11:20"), chunk("", "stop"), usage(5), b"data: [DONE]\n\n"]
        self.status = 200
        #: answered to the first questions, before `status`
        self.first_statuses: list[int] = []
        self.knows_stream_options = True
        self.questions: list[dict[str, Any]] = []
        self.headers: list[str] = []

    @asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.headers.append(head)
            if head.startswith("GET"):
                body = self.models if isinstance(self.models, bytes) else json.dumps(self.models).encode()
                writer.write(_head(200, len(body)) + body)
            else:
                length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
                await self._answer(json.loads(await reader.readexactly(length)), writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, question: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.questions.append(question)
        status = self.first_statuses.pop(0) if self.first_statuses else self.status
        if not self.knows_stream_options and "stream_options" in question:
            status = 400
        if status != 200:
            writer.write(_head(status, 0))
            return
        writer.write(_head(200))
        for part in self.stream:
            if isinstance(part, int | float):
                await writer.drain()
                await asyncio.sleep(part)
            else:
                writer.write(part if isinstance(part, bytes) else b"data: " + json.dumps(part).encode() + b"\n\n")
                await writer.drain()


def _head(status: int, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Any", "Content-Type: text/event-stream", "Connection: close"]
    if status in (301, 302):
        lines.append("Location: http://127.0.0.1:9/elsewhere")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
