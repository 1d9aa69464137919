"""Both handlers are driven through the ASGI interface with the same requests: what a client sees must not differ."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.db import connection, connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from lemsite.handler import OneHopHandler

closed: list[str] = []


def connection_view(request: HttpRequest) -> HttpResponse:
    connection.ensure_connection()
    return HttpResponse(str(id(connection.connection)))


@csrf_exempt
def echo_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type=request.content_type)


@csrf_exempt
def upload_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST["name"] + ": " + request.FILES["file"].read().decode())


def broken_view(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault in a view")


async def coroutine_view(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("from a coroutine")


def parts_view(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number} "

    return StreamingHttpResponse(parts())


def rows_view(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        for _ in range(3):
            connection.ensure_connection()
            yield f"{id(connection.connection)} "

    return StreamingHttpResponse(rows())


def endless_view(request: HttpRequest) -> StreamingHttpResponse:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick "
                await asyncio.sleep(0.01)
        finally:
            closed.append("ticks")

    return StreamingHttpResponse(ticks())


def breaking_view(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield "begun "
        raise RuntimeError("a fault after the first part")

    return StreamingHttpResponse(parts())


def file_view(request: HttpRequest) -> FileResponse:
    return FileResponse(BytesIO(b"x" * 200_000), filename="x.bin")


def publish_view(request: HttpRequest) -> HttpResponse:
    async_to_sync(get_channel_layer().group_send)("group", {"type": "note"})
    return HttpResponse("published")


urlpatterns = [
    path("connection", connection_view),
    path("echo", echo_view),
    path("upload", upload_view),
    path("broken", broken_view),
    path("coroutine", coroutine_view),
    path("parts", parts_view),
    path("rows", rows_view),
    path("endless", endless_view),
    path("breaking", breaking_view),
    path("file", file_view),
    path("publish", publish_view),
]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The stock handler collects a synchronous stream before it sends it, and says so.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
]


@pytest.fixture
def one_hop(settings):
    settings.ROOT_URLCONF = __name__
    handler = OneHopHandler(threads=2)
    yield handler
    for thread in handler._threads:
        thread.submit(connections.close_all).result()
        thread.shutdown()


@pytest.fixture(params=["one-hop", "stock"])
def handler(request, settings):
    settings.ROOT_URLCONF = __name__
    return request.getfixturevalue("one_hop") if request.param == "one-hop" else ASGIHandler()


def scope(url: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> dict:
    return {
        "type": "http",
        "method": method,
        "path": url,
        "query_string": b"",
        "headers": [
            (name.encode(), value.encode()) for name, value in {"host": "testserver", **(headers or {})}.items()
        ],
    }


async def ask(handler, request_scope, *body: bytes) -> tuple[int, bytes]:
    """Send the body in as many messages as there are parts, and collect the whole answer."""
    client = ApplicationCommunicator(handler, request_scope)
    parts = body or (b"",)
    for number, part in enumerate(parts, start=1):
        await client.send_input({"type": "http.request", "body": part, "more_body": number < len(parts)})
    start = await client.receive_output(timeout=10)
    content, more = b"", True
    while more:
        message = await client.receive_output(timeout=10)
        content += message.get("body", b"")
        more = message.get("more_body", False)
    await client.wait()
    return start["status"], content


async def test_a_body_in_several_messages_arrives_whole(handler):
    status, content = await ask(handler, scope("/echo", method="PUT"), b"one ", b"two ", b"three")

    assert (status, content) == (200, b"one two three")


async def test_a_body_that_is_larger_than_memory_should_hold_arrives_whole(handler, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10

    _, content = await ask(handler, scope("/echo", method="PUT"), b"a" * 1000, b"b" * 1000)

    assert content == b"a" * 1000 + b"b" * 1000


async def test_a_form_with_a_file_is_parsed(handler):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nreport\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(len(body))}

    _, content = await ask(handler, scope("/upload", method="POST", headers=headers), body)

    assert content == b"report: hello"


async def test_a_fault_in_a_view_is_a_500(handler):
    status, content = await ask(handler, scope("/broken"))

    assert status == 500
    assert b"a fault in a view" not in content


async def test_a_query_string_that_is_no_text_is_a_400(handler):
    status, _ = await ask(handler, scope("/echo") | {"query_string": b"\xff"})

    assert status == 400


async def test_a_coroutine_view_answers(handler):
    assert await ask(handler, scope("/coroutine")) == (200, b"from a coroutine")


async def test_an_asynchronous_stream_is_sent_part_by_part(handler):
    assert await ask(handler, scope("/parts")) == (200, b"0 1 2 ")


async def test_a_file_is_sent_whole(handler):
    _, content = await ask(handler, scope("/file"))

    assert content == b"x" * 200_000


async def test_a_stream_ends_when_its_client_leaves(handler):
    closed.clear()
    client = ApplicationCommunicator(handler, scope("/endless"))
    await client.send_input({"type": "http.request"})
    await client.receive_output(timeout=10)
    await client.receive_output(timeout=10)

    await client.send_input({"type": "http.disconnect"})
    await client.wait(timeout=10)

    assert closed == ["ticks"]


async def test_a_client_that_leaves_during_its_upload_gets_no_answer(handler):
    client = ApplicationCommunicator(handler, scope("/echo", method="PUT"))
    await client.send_input({"type": "http.request", "body": b"half", "more_body": True})

    await client.send_input({"type": "http.disconnect"})
    await client.wait(timeout=10)

    assert await client.receive_nothing()


async def test_a_view_reaches_the_event_loop_through_the_channel_layer(handler):
    layer = get_channel_layer()
    await layer.group_add("group", "listener")
    listening = asyncio.create_task(layer.receive("listener"))
    await asyncio.sleep(0)

    await ask(handler, scope("/publish"))

    assert (await asyncio.wait_for(listening, 5))["type"] == "note"


async def test_each_request_is_finished_once(handler):
    finished: list[object] = []
    receiver = finished.append
    request_finished.connect(lambda sender, **_: receiver(sender), weak=False, dispatch_uid="count")

    for url in ("/connection", "/rows", "/parts", "/broken"):
        await ask(handler, scope(url))

    request_finished.disconnect(dispatch_uid="count")
    assert finished == [type(handler)] * 4


async def test_one_hop_keeps_the_connection_over_two_requests(one_hop):
    _, first = await ask(one_hop, scope("/connection"))

    _, second = await ask(one_hop, scope("/connection"))

    if connection.vendor == "sqlite":
        assert first == second


async def test_one_hop_makes_all_rows_of_a_stream_on_one_connection(one_hop):
    _, content = await ask(one_hop, scope("/rows"))

    assert len(set(content.split())) == 1


async def test_one_hop_reports_a_fault_in_the_middle_of_a_stream_to_the_server(one_hop):
    client = ApplicationCommunicator(one_hop, scope("/breaking"))
    await client.send_input({"type": "http.request"})

    with pytest.raises(RuntimeError, match="after the first part"):
        await client.wait(timeout=10)


async def test_one_hop_gives_a_request_to_an_idle_thread(one_hop):
    one_hop._busy[one_hop._threads[0]] = 1

    _, first = await ask(one_hop, scope("/connection"))
    one_hop._busy[one_hop._threads[0]] = 0
    one_hop._busy[one_hop._threads[1]] = 1
    _, second = await ask(one_hop, scope("/connection"))

    assert first != second
