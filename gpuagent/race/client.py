"""Streams one chat completion from an OpenAI-compatible server and notes when each piece of it came.

The server belongs to the host's operator, and is still not trusted with this process: lines, answers and times are
bounded, redirects are not followed, proxies of the environment are not used.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

MAX_LINE_BYTES = 1 << 20
MAX_ANSWER_CHARS = 100_000
#: chunks of one answer per token that was asked for; a server that sends more does not stop by itself
CHUNKS_PER_TOKEN = 4
CONNECT_S = 5.0
#: between two pieces of an answer, the first one included
SILENCE_S = 60.0


class ServerProblem(Exception):
    """The model server did not do its part; one sentence, without anything that it sent beyond plain text."""


@dataclass(slots=True)
class Answer:
    """One streamed answer; times are seconds on this process's monotonic clock."""

    asked_at: float
    #: when each piece with text came
    piece_times: list[float] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    chars: int = 0
    ended_at: float = 0.0
    #: as the server counted them, if it did
    usage_tokens: int | None = None
    prompt_tokens: int | None = None
    finish_reason: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        return len(self.pieces) if self.usage_tokens is None else self.usage_tokens

    @property
    def counted_by(self) -> Literal["usage", "chunks"]:
        """Whether the server said how many tokens there were, or pieces of the stream stand for them."""
        return "chunks" if self.usage_tokens is None else "usage"

    @property
    def latency_s(self) -> float:
        """From the request to the end of the stream."""
        return self.ended_at - self.asked_at

    @property
    def ttft_s(self) -> float | None:
        """Time to first token: from the request to the first piece with text."""
        return self.piece_times[0] - self.asked_at if self.piece_times else None

    @property
    def itl_s(self) -> float | None:
        """Mean inter-token latency: first to last piece, over the tokens after the first."""
        if len(self.piece_times) < 2 or self.tokens < 2:
            return None
        return (self.piece_times[-1] - self.piece_times[0]) / (self.tokens - 1)

    @property
    def tokens_per_s(self) -> float | None:
        """Generated tokens over the whole time of the request, its first token included."""
        return self.tokens / self.latency_s if self.latency_s > 0 else None


def refuse_bad_address(base_url: str) -> None:
    """Raises ServerProblem for what is no plain http(s) address."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ServerProblem("The address of the model server must look like http://127.0.0.1:8000/v1.")


class Client:
    """A connection to one model server."""

    def __init__(
        self, base_url: str, *, api_key: str = "", concurrency: int = 1, now: Callable[[], float] = time.monotonic
    ) -> None:
        refuse_bad_address(base_url)
        self._now = now
        headers = {"User-Agent": "gpuagent-race", "Accept": "text/event-stream"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx2.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers=headers,
            timeout=httpx2.Timeout(SILENCE_S, connect=CONNECT_S),
            limits=httpx2.Limits(max_connections=concurrency + 1),
            follow_redirects=False,
            trust_env=False,
        )
        #: not every server knows `stream_options`
        self._asks_for_usage = True

    async def close(self) -> None:
        await self._http.aclose()

    async def models(self) -> list[str]:
        """Names that the server answers to. Raises ServerProblem."""
        try:
            async with self._http.stream("GET", "models") as response:
                _refuse_status(response.status_code)
                body = b"".join([part async for part in _bounded(response, MAX_LINE_BYTES)])
            return [str(model["id"]) for model in json.loads(body)["data"]]
        except (httpx2.HTTPError, OSError) as error:
            raise ServerProblem(_sentence(error)) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise ServerProblem("The model server does not list its models as an OpenAI-compatible one does.") from None

    async def ask(
        self,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        on_piece: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Stream one answer to its end. `on_piece` is called as each piece comes. Raises ServerProblem."""
        body: dict[str, Any] = {
            "model": model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
            "stream": True,
        }
        try:
            return await self._ask(body, on_piece)
        except _NoStreamOptions:
            self._asks_for_usage = False
            return await self._ask(body, on_piece)

    async def _ask(self, body: dict[str, Any], on_piece: Callable[[], None]) -> Answer:
        if self._asks_for_usage:
            body = {**body, "stream_options": {"include_usage": True}}
        answer = Answer(asked_at=self._now())
        most = body["max_tokens"] * CHUNKS_PER_TOKEN
        try:
            async with self._http.stream("POST", "chat/completions", json=body) as response:
                if response.status_code in {400, 422} and self._asks_for_usage:
                    raise _NoStreamOptions
                _refuse_status(response.status_code)
                async for data in _events(response):
                    if _take(answer, data, self._now()):
                        on_piece()
                    if len(answer.pieces) > most or answer.chars > MAX_ANSWER_CHARS:
                        raise ServerProblem("The model server sends more than was asked for.")
        except (httpx2.HTTPError, OSError) as error:
            raise ServerProblem(_sentence(error)) from None
        answer.ended_at = self._now()
        if not answer.finish_reason and not answer.pieces:
            raise ServerProblem("The model server's answer is no stream of completions.")
        return answer


class _NoStreamOptions(Exception):
    """The server may have refused only what not every server knows."""


def _take(answer: Answer, data: Mapping[str, Any], at: float) -> bool:
    """Note one event of the stream; whether it brought text."""
    usage = data.get("usage")
    if isinstance(usage, Mapping):
        answer.usage_tokens = _count(usage.get("completion_tokens"), answer.usage_tokens)
        answer.prompt_tokens = _count(usage.get("prompt_tokens"), answer.prompt_tokens)
    if isinstance(data.get("error"), Mapping | str):
        raise ServerProblem("The model server broke off with an error.")
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return False
    answer.finish_reason = str(choices[0].get("finish_reason") or answer.finish_reason)[:40]
    delta = choices[0].get("delta")
    text = delta.get("content") if isinstance(delta, Mapping) else None
    if not isinstance(text, str) or not text:
        return False
    answer.pieces.append(text)
    answer.chars += len(text)
    answer.piece_times.append(at)
    return True


def _count(value: Any, otherwise: int | None) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000
    return value if is_count else otherwise


async def _events(response: httpx2.Response) -> AsyncIterator[Mapping[str, Any]]:
    """The JSON objects of a stream of server-sent events, up to [DONE]."""
    async for line in _lines(response):
        if not line.startswith(b"data:"):
            continue
        content = line[5:].strip()
        if content == b"[DONE]":
            return
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            raise ServerProblem("The model server's stream holds what is no JSON.") from None
        if isinstance(data, Mapping):
            yield data


async def _lines(response: httpx2.Response) -> AsyncIterator[bytes]:
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r")
        if len(rest) > MAX_LINE_BYTES:
            raise ServerProblem("The model server sends a line without end.")
    if rest:
        yield rest


async def _bounded(response: httpx2.Response, most: int) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            raise ServerProblem("The model server's answer is too long.")
        yield part


def _refuse_status(status: int) -> None:
    if status != 200:
        hint = {401: "it wants a key", 403: "it refuses the key", 404: "the address or the model is wrong"}.get(status)
        raise ServerProblem(f"The model server answered HTTP {status}{f': {hint}' if hint else ''}.")


def _sentence(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return "The model server cannot be reached."
    if isinstance(error, httpx2.TimeoutException):
        return f"The model server said nothing for {SILENCE_S:.0f} s."
    return f"The connection to the model server broke ({type(error).__name__})."
