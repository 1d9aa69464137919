"""/health, /ready and /metrics past Django: they answer while its threads wait for a database that is away, and to
whatever host name a probe inside the network uses."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lemsite.body_limit import Receive, Scope, Send
from lemsite.health import Answer, Asked, answer

#: of their own, so that nothing else fills them; each answer takes two seconds at most
_threads = ThreadPoolExecutor(4, thread_name_prefix="watching")


async def watching(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of these paths."""
    if scope["method"] not in ("GET", "HEAD"):
        found = Answer(405, b'{"error": {"code": "method_not_allowed", "message": "Only GET.", "fields": {}}}')
    else:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        address = scope["client"][0] if scope.get("client") else ""
        asked = Asked(scope["path"], scope.get("query_string", b"").decode("latin-1"), headers, address)
        found = await asyncio.get_running_loop().run_in_executor(_threads, answer, asked)
    head = [
        (b"content-type", found.content_type.encode()),
        (b"content-length", str(len(found.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *([(b"allow", b"GET, HEAD")] if found.status == 405 else []),
    ]
    await send({"type": "http.response.start", "status": found.status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else found.body})
