"""Django's ASGI handler with one thread hop per request instead of one per middleware (docs/adr/0001)."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import IO, Any, cast

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from lemsite.body_limit import Receive, Scope, Send
from lemsite.lib.database_watch import watch

#: a request that takes longer is a reason to ask whether the database hangs; while it is known to, there is no need
SLOW_S, KNOWN_S = 2.0, 0.2
SAFE_METHODS = ("GET", "HEAD")


class OneHopHandler(ASGIHandler):
    """Runs the whole synchronous middleware chain and the view in one hop, on threads that outlive the request.

    Such threads keep their database connections; the stock handler has a new thread, thus connection, per request.
    """

    def __init__(self, threads: int) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        # One executor per thread, so that the parts of one response can be pinned to the thread that began it.
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix=f"django-{number}") for number in range(threads)]
        self._busy: Counter[ThreadPoolExecutor] = Counter()
        # For readers whose own thread waits for a database that hangs.
        self._spare = ThreadPoolExecutor(1, thread_name_prefix="django-spare")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        thread = min(self._threads, key=self._busy.__getitem__)
        self._busy[thread] += 1
        # Held by whoever answers: the thread as soon as it begins, or this coroutine once it waits no longer.
        answers = threading.Lock()
        answering = asyncio.ensure_future(_on(thread, self._respond)(scope, body, answers))
        answering.add_done_callback(partial(self._is_free, thread))
        while not await _is_done(answering):
            if not await _database_hangs():
                continue
            if answers.acquire(blocking=False) or scope["method"] in SAFE_METHODS:
                answering.add_done_callback(_drop)
                thread = self._spare
                answering = asyncio.ensure_future(_on(thread, self._respond)(scope, BytesIO(), threading.Lock()))
                break
        response = await answering
        if isinstance(response, StreamingHttpResponse):
            await self._stream(response, thread, receive, send)
        elif response is not None:
            await self.send_response(response, send)

    def _is_free(self, thread: ThreadPoolExecutor, _: object) -> None:
        self._busy[thread] -= 1

    def _respond(self, scope: Scope, body: IO[bytes], answers: threading.Lock) -> HttpResponseBase | None:
        """None for a request that has been answered while it waited for this thread."""
        if not answers.acquire(blocking=False):
            body.close()
            return None
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        response: Any
        request, response = self.create_request(scope, body)
        if request is None:
            body.close()
        else:
            response = self.get_response(request)
        response._handler_class = self.__class__
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            # The content is complete, so request_finished need not cost a second hop after it has been sent.
            response.close()
        return cast("HttpResponseBase", response)

    async def _stream(
        self, response: StreamingHttpResponse, thread: ThreadPoolExecutor, receive: Receive, send: Send
    ) -> None:
        if not response.is_async:
            response.streaming_content = _pulled(cast("Iterator[bytes]", response.streaming_content), thread)
        sending = asyncio.create_task(self.send_response(response, send))
        # After the body, the only message that can come is that the client has left.
        leaving = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            results = await asyncio.gather(sending, leaving, return_exceptions=True)
            await _on(thread, response.close)()
        if isinstance(results[0], Exception):
            raise results[0]


async def _is_done(answering: asyncio.Future[Any]) -> bool:
    done, _ = await asyncio.wait({answering}, timeout=KNOWN_S if watch.is_away else SLOW_S)
    return bool(done)


async def _database_hangs() -> bool:
    return connection.vendor == "postgresql" and await watch.hangs()


def _drop(late: asyncio.Future[Any]) -> None:
    """What comes after the reader has been answered otherwise; an error is told by its own log line."""
    if not late.cancelled() and late.exception() is None and isinstance(late.result(), StreamingHttpResponse):
        late.result().close()


async def _pulled(parts: Iterator[bytes], thread: ThreadPoolExecutor) -> AsyncIterator[bytes]:
    """A synchronous iterator, each part made on `thread`: its queries belong to that thread's connection."""
    while (part := await _on(thread, next)(parts, None)) is not None:
        yield part


def _on(thread: ThreadPoolExecutor, function: Any) -> Any:
    # Through asgiref, because code in the thread must find its way back to this event loop (channel layer).
    return sync_to_async(function, thread_sensitive=False, executor=thread)
