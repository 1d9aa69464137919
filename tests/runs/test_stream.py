"""Watching a run: server-sent events and the websocket, resumed without a gap and without a repeat."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator

from runs import broadcast as broadcast_module
from runs import consumers
from runs import stream as stream_module
from runs.broadcast import Broadcaster, Frame, Viewer, broadcaster, events_frame
from runs.writer import Committed
from tests.runs.messages import progress
from tests.runs.test_ingest import _shared_secret, post  # noqa: F401 - a fixture, and the sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def scope_of(path: str, headers: dict[str, str] | None = None, query: str = "", method: str = "GET") -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver"), *((k.encode(), v.encode()) for k, v in (headers or {}).items())],
        "client": ("192.0.2.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "http_version": "1.1",
    }


class Reader:
    """A script that reads a stream."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator
        self.text = ""

    async def read(self, events: int) -> list[tuple[int, dict[str, Any]]]:
        """Read on until so many events have come."""
        while len(self.events) < events:
            message = await self.communicator.receive_output(5)
            self.text += message["body"].decode()
        return self.events

    @property
    def events(self) -> list[tuple[int, dict[str, Any]]]:
        return [(int(i), json.loads(d)) for i, d in re.findall(r"^id: (\d+)\ndata: (.*)$", self.text, re.MULTILINE)]


@asynccontextmanager
async def reading(key: str = "run-1", **scope: Any) -> AsyncIterator[Reader]:
    from lemsite.asgi import application

    communicator = ApplicationCommunicator(application, scope_of(f"/api/runs/{key}/stream", **scope))
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await communicator.receive_output(5)
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"].startswith(b"text/event-stream")
    try:
        yield Reader(communicator)
    finally:
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)


async def refused(path: str, **scope: Any) -> tuple[int, Any]:
    from lemsite.asgi import application

    communicator = ApplicationCommunicator(application, scope_of(path, **scope))
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await communicator.receive_output(5)
    body = await communicator.receive_output(5)
    await communicator.wait(5)
    return start["status"], json.loads(body["body"])


async def test_a_stream_begins_with_ready_and_all_that_is_stored() -> None:
    await post([progress(evalProgressIdx=n) for n in range(3)])

    async with reading() as reader:
        events = await reader.read(3)

    assert reader.text.startswith('event: ready\ndata: {"runId":"run-1"}\n\n')
    assert [event["evalProgressIdx"] for _, event in events] == [0, 1, 2]


async def test_live_events_follow_the_stored_ones() -> None:
    await post(progress(evalProgressIdx=0))

    async with reading() as reader:
        await reader.read(1)
        await post(progress(evalProgressIdx=1))
        events = await reader.read(2)

    assert [event["evalProgressIdx"] for _, event in events] == [0, 1]


@pytest.mark.parametrize("scope", [{"headers": {"last-event-id": "2"}}, {"query": "after=2"}])
async def test_a_stream_resumes_behind_the_last_event_seen(scope: dict[str, Any]) -> None:
    await post([progress(evalProgressIdx=n) for n in range(4)])

    async with reading(**scope) as reader:
        events = await reader.read(2)

    assert [seq for seq, _ in events] == [3, 4]


async def test_reconnecting_readers_see_every_event_exactly_once() -> None:
    await post(progress(evalProgressIdx=0))
    seen: list[int] = []
    sender = asyncio.ensure_future(_send_many(60))
    while len(seen) < 61:
        async with reading(headers={"last-event-id": str(seen[-1])} if seen else {}) as reader:
            events = await reader.read(min(7, 61 - len(seen)))
        seen += [seq for seq, _ in events]
    await sender

    assert seen == list(range(1, 62))


async def _send_many(count: int) -> None:
    for number in range(count):
        await post(progress(evalProgressIdx=number))


async def test_an_unknown_run_is_404_in_the_contracts_form() -> None:
    assert await refused("/api/runs/nobody/stream") == (404, {"error": "There is no such run."})


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 30])
async def test_an_odd_place_to_resume_is_400(after: str) -> None:
    status, answer = await refused("/api/runs/run-1/stream", query=f"after={after}")

    assert (status, list(answer)) == (400, ["error"])


async def test_one_address_cannot_hold_every_stream(settings: Any) -> None:
    settings.LEMSITE_STREAMS_PER_ADDRESS = 1
    await post(progress())

    async with reading() as reader:
        await reader.read(1)
        status, answer = await refused("/api/runs/run-1/stream")

    assert (status, list(answer)) == (429, ["error"])


async def test_a_silent_stream_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "KEEPALIVE_S", 0.01)
    await post(progress())

    async with reading() as reader:
        await reader.read(1)
        message = await reader.communicator.receive_output(5)

    assert message["body"] == b": keepalive\n\n"


async def test_a_viewer_that_never_reads_holds_few_frames_and_knows_that_it_is_behind() -> None:
    viewer = Viewer()

    for number in range(10_000):
        viewer.push(events_frame("run-1", [(number + 1, "{}")]))

    assert (len(viewer.frames) <= broadcast_module.MAX_FRAMES, viewer.behind) == (True, True)


async def test_many_commits_become_few_frames() -> None:
    await post(progress())
    viewer = await broadcaster.join("run-1")

    await asyncio.gather(*(post(progress()) for _ in range(200)))
    frames: list[Frame] = []
    try:
        while sum(len(frame.events) for frame in frames) < 200:
            await asyncio.wait_for(viewer.ready.wait(), 5)
            viewer.ready.clear()
            frames += [frame for frame in viewer.frames if frame.events]
            viewer.frames.clear()
    finally:
        await broadcaster.leave("run-1", viewer)

    assert [seq for frame in frames for seq, _ in frame.events] == list(range(2, 202))
    assert len(frames) < 100


async def test_ending_the_streams_waits_until_each_reader_has_left() -> None:
    closing = Broadcaster()
    viewer = await closing.join("run-1")

    ended = asyncio.ensure_future(closing.end_streams())
    await asyncio.wait_for(viewer.ready.wait(), 5)
    waited = not ended.done()
    await closing.leave("run-1", viewer)
    await asyncio.wait_for(ended, 5)

    assert viewer.closed
    assert waited


async def test_a_reader_that_does_not_read_does_not_hold_up_the_end(monkeypatch) -> None:
    monkeypatch.setattr(broadcast_module, "STREAMS_END_WITHIN_S", 0.01)
    closing = Broadcaster()
    viewer = await closing.join("run-1")

    await asyncio.wait_for(closing.end_streams(), 5)
    await closing.leave("run-1", viewer)

    assert viewer.closed


async def test_who_comes_after_the_end_is_sent_away() -> None:
    closing = Broadcaster()
    await closing.end_streams()

    viewer = await closing.join("run-1")
    await closing.leave("run-1", viewer)

    assert viewer.closed


async def test_the_other_processes_hear_of_the_last_commit_before_the_end(monkeypatch) -> None:
    class SlowLayer:
        sent: list[str] = []

        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            await asyncio.sleep(0.05)
            self.sent.append(message["key"])

    monkeypatch.setattr(broadcast_module, "get_channel_layer", SlowLayer)
    stopping = Broadcaster()
    stopping.attach()

    await asyncio.to_thread(stopping.publish, Committed(events={"run-1": [(1, "{}")]}, runs={"run-2"}))
    await stopping.finish()

    assert sorted(SlowLayer.sent) == ["run-1", "run-2"]


async def socket(path: str) -> WebsocketCommunicator:
    from lemsite.asgi import application

    return WebsocketCommunicator(application, path, headers=[(b"origin", b"http://testserver")])


async def next_events(communicator: WebsocketCommunicator) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(await communicator.receive_from(5))
        if frame["type"] == "events":
            return frame


async def test_a_page_gets_frames_over_its_websocket() -> None:
    await post(progress(evalProgressIdx=0))
    communicator = await socket("/ws/runs/run-1/")
    assert (await communicator.connect())[0]

    await post(progress(evalProgressIdx=1))
    frame = await next_events(communicator)
    await communicator.disconnect()

    assert (frame["run"], frame["seq"], [event["evalProgressIdx"] for event in frame["events"]]) == ("run-1", 2, [1])


async def test_a_page_gets_what_happened_since_it_was_rendered() -> None:
    await post([progress(evalProgressIdx=n) for n in range(3)])
    communicator = await socket("/ws/runs/run-1/?after=1")
    await communicator.connect()

    frame = await next_events(communicator)
    await communicator.disconnect()

    assert [event["evalProgressIdx"] for event in frame["events"]] == [1, 2]


async def test_a_page_is_told_to_come_back_when_the_site_stops(monkeypatch) -> None:
    await post(progress())
    stopping = Broadcaster()
    monkeypatch.setattr(consumers, "broadcaster", stopping)
    communicator = await socket("/ws/runs/run-1/")
    await communicator.connect()

    await stopping.end_streams()
    message = await communicator.receive_output(5)
    while message["type"] == "websocket.send":
        message = await communicator.receive_output(5)

    assert message == {"type": "websocket.close", "code": 1012}


async def test_garbage_from_a_page_changes_nothing() -> None:
    await post(progress())
    communicator = await socket("/ws/runs/run-1/")
    await communicator.connect()
    await communicator.send_to(text_data='{"type": "nonsense"')
    await communicator.send_to(bytes_data=b"\x00\xff" * 100)

    await post(progress(evalProgressIdx=9))
    frame = await next_events(communicator)
    await communicator.disconnect()

    assert frame["events"][0]["evalProgressIdx"] == 9


async def test_the_websocket_of_an_unknown_run_is_closed() -> None:
    communicator = await socket("/ws/runs/nobody/")
    await communicator.connect()

    message = await communicator.receive_output(5)

    assert message["type"] == "websocket.close"
