"""Django's ASGI handler with one thread hop per request instead of one per middleware (docs/adr/0001)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from lemsite.body_limit import Receive, Scope, Send


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        thread = min(self._threads, key=self._busy.__getitem__)
        self._busy[thread] += 1
        try:
            response = await _on(thread, self._respond)(scope, body)
        finally:
            self._busy[thread] -= 1
        if isinstance(response, StreamingHttpResponse):
            await self._stream(response, thread, receive, send)
        else:
            await self.send_response(response, send)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
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


async def _pulled(parts: Iterator[bytes], thread: ThreadPoolExecutor) -> AsyncIterator[bytes]:
    """A synchronous iterator, each part made on `thread`: its queries belong to that thread's connection."""
    while (part := await _on(thread, next)(parts, None)) is not None:
        yield part


def _on(thread: ThreadPoolExecutor, function: Any) -> Any:
    # Through asgiref, because code in the thread must find its way back to this event loop (channel layer).
    return sync_to_async(function, thread_sensitive=False, executor=thread)
