"""The database or the channel layer is away: senders are told so at once, and viewers keep their streams."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.db import OperationalError, connection
from redis.exceptions import ConnectionError as RedisConnectionError

from runs import broadcast as broadcast_module
from runs import consumers
from runs import ingest as ingest_module
from runs import stream as stream_module
from runs.broadcast import Broadcaster, Viewer, broadcaster
from runs.wire import parse_message
from runs.writer import Committed, Submission, Writer
from tests.runs.messages import progress
from tests.runs.test_ingest import _shared_secret, post  # noqa: F401 - a fixture, and the sender
from tests.runs.test_stream import next_events, reading, refused, socket

AWAY = OperationalError("connection refused")


class AwayWriter(Writer):
    """Its database is away."""

    def __init__(self, error: Exception = AWAY) -> None:
        super().__init__(lambda committed: None)
        self.error, self.tried = error, 0

    def _commit(self, together: Any) -> Any:
        self.tried += 1
        raise self.error


def submissions(count: int) -> list[Submission]:
    return [Submission([parse_message(progress())], None, Future()) for _ in range(count)]


@pytest.mark.parametrize("error", [AWAY, OperationalError("database or disk is full")], ids=["away", "full"])
def test_all_who_wait_are_told_at_once_that_the_database_is_away(error: Exception, monkeypatch: Any) -> None:
    """Tried one by one, the last of a hundred would wait a hundred times as long."""
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    monkeypatch.setattr(connection, "close", lambda: None)
    writer, together = AwayWriter(error), submissions(100)

    writer._store(together)

    assert writer.tried == 1
    assert all(one.done.exception() is error for one in together)


def test_one_that_spoils_the_others_is_still_found(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "is_usable", lambda: True)
    writer = AwayWriter(ValueError("cannot be stored"))

    writer._store(submissions(3))

    assert writer.tried == 4


def test_what_nobody_waits_for_any_more_is_not_stored() -> None:
    """Its sender was told to send it again."""
    writer = Writer(lambda committed: None)
    given_up, waiting = submissions(2)
    given_up.done.cancel()
    writer._waiting.extend([given_up, waiting])

    assert writer._take() == [waiting]


@pytest.mark.django_db(transaction=True)
def test_a_viewer_that_cannot_be_told_does_not_undo_what_was_stored() -> None:
    def fail(committed: Committed) -> None:
        raise RuntimeError("the event loop is closed")

    writer = Writer(fail)

    assert writer.submit([parse_message(progress())]).result(10) == [None]
    writer.stop()


class Away:
    """Whether the database is, for those who watch."""

    is_now = False

    def begin(self) -> None:
        self.is_now = True
        for channel in broadcaster.channels.values():
            for viewer in channel.viewers:
                viewer.behind = True
                viewer.ready.set()

    def end(self) -> None:
        self.is_now = False


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
class TestTheDatabaseIsAway:
    @pytest.fixture
    def away(self, monkeypatch: Any) -> Any:
        """Reads fail between .begin() and .end()."""

        away = Away()

        def failing(read: Any) -> Any:
            async def checked(*arguments: Any) -> Any:
                if away.is_now:
                    raise AWAY
                return await read(*arguments)

            return checked

        for name in ("find", "read_events"):
            checked = failing(getattr(stream_module, name))
            monkeypatch.setattr(stream_module, name, checked)
            monkeypatch.setattr(consumers, name, checked)
        monkeypatch.setattr(stream_module, "RETRY_S", 0.01)
        monkeypatch.setattr(consumers, "RETRY_S", 0.01)
        return away

    async def test_a_sender_is_told_to_send_again(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(ingest_module, "writer", AwayWriter())

        status, answer, headers = await post(progress())

        assert (status, headers["retry-after"]) == (503, "2")
        assert answer == {"error": "The database does not answer; send again."}

    async def test_a_sender_does_not_wait_for_a_commit_that_hangs(self, monkeypatch: Any) -> None:
        class Silent(Writer):
            def submit(self, messages: Any, owner_id: Any = None) -> Future[Any]:
                return Future()

        monkeypatch.setattr(ingest_module, "writer", Silent(lambda committed: None))
        monkeypatch.setattr(ingest_module, "STORED_WITHIN_S", 0.01)

        assert (await post(progress()))[0] == 503

    async def test_a_new_stream_is_told_to_come_back(self, away: Any) -> None:
        away.begin()

        status, answer = await refused("/api/runs/run-1/stream")

        assert status == 503
        assert "come back" in answer["error"]

    async def test_a_viewer_keeps_its_stream_and_gets_what_it_missed(self, away: Any) -> None:
        await post(progress(eventId="e-1"))
        async with reading() as reader:
            await reader.read(1)
            away.begin()
            await post([progress(eventId="e-2"), progress(eventId="e-3")])
            await asyncio.sleep(0.05)
            away.end()

            events = await reader.read(3)

        assert [body["eventId"] for _, body in events] == ["e-1", "e-2", "e-3"]

    async def test_a_page_keeps_its_socket_and_is_told_to_fetch_the_state(self, away: Any) -> None:
        await post(progress(eventId="e-1"))
        page = await socket("/ws/runs/run-1/?after=0")
        await page.connect()
        await next_events(page)
        away.begin()
        assert json.loads(await page.receive_from(5))["type"] in ("viewers", "resync")
        await asyncio.sleep(0.05)
        away.end()
        await asyncio.sleep(0.1)

        await post(progress(eventId="e-2"))

        assert [event["eventId"] for event in (await next_events(page))["events"]] == ["e-2"]
        await page.disconnect()

    async def test_a_new_page_is_told_to_come_back(self, away: Any) -> None:
        away.begin()
        from lemsite.asgi import application

        page = WebsocketCommunicator(application, "/ws/runs/run-1/", headers=[(b"origin", b"http://testserver")])
        await page.connect(10)

        closed = await page.receive_output(10)

        assert (closed["type"], closed["code"]) == ("websocket.close", consumers.TRY_AGAIN_LATER)


class FakeLayer:
    """A channel layer that several processes could share, and that can go away."""

    def __init__(self) -> None:
        self.is_away = False
        self.joined = asyncio.Event()

    async def new_channel(self) -> str:
        return "channel"

    async def receive(self, channel: str) -> Any:
        await asyncio.sleep(3600)

    async def group_add(self, group: str, channel: str) -> None:
        self._check()
        self.joined.set()

    async def group_discard(self, group: str, channel: str) -> None:
        self._check()

    async def group_send(self, group: str, message: Any) -> None:
        self._check()

    def _check(self) -> None:
        if self.is_away:
            raise RedisConnectionError("connection refused")


@pytest.fixture
def layer(monkeypatch: Any) -> FakeLayer:
    layer = FakeLayer()
    monkeypatch.setattr(broadcast_module, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(broadcast_module, "VIEWERS_EVERY_S", 0.02)
    monkeypatch.setattr(broadcast_module, "READ_AGAIN_S", 0.01)
    return layer


@pytest.fixture
def stored(monkeypatch: Any) -> dict[str, Any]:
    """Stands for the database: .["events"], and an error that it raises, if any."""
    held: dict[str, Any] = {"events": [(1, "{}")], "error": None}

    async def last_seq(key: str) -> int:
        if held["error"]:
            raise held["error"]
        return held["events"][-1][0] if held["events"] else 0

    async def read_after(key: str, seq: int) -> Any:
        if held["error"]:
            raise held["error"]
        return [event for event in held["events"] if event[0] > seq]

    async def run_body(key: str) -> None:
        return None

    monkeypatch.setattr(broadcast_module, "_last_seq", last_seq)
    monkeypatch.setattr(broadcast_module, "_read_after", read_after)
    monkeypatch.setattr(broadcast_module, "_run_body", run_body)
    return held


async def seen(viewer: Viewer, seq: int) -> bool:
    async with asyncio.timeout(5):
        while not any(frame.last_seq == seq for frame in viewer.frames):
            viewer.ready.clear()
            await viewer.ready.wait()
    return True


@pytest.mark.asyncio
class TestTheChannelLayerIsAway:
    async def test_viewers_get_new_events_from_the_database(self, layer: FakeLayer, stored: Any) -> None:
        layer.is_away = True
        hub = Broadcaster()
        viewer = await hub.join("run-1")
        stored["events"].append((2, "{}"))

        assert await seen(viewer, 2)

        await hub.leave("run-1", viewer)

    async def test_it_is_joined_again_when_it_is_back(self, layer: FakeLayer, stored: Any) -> None:
        layer.is_away = True
        hub = Broadcaster()
        viewer = await hub.join("run-1")
        layer.is_away = False
        stored["events"].append((2, "{}"))

        await seen(viewer, 2)
        await asyncio.wait_for(layer.joined.wait(), 5)

        await hub.leave("run-1", viewer)

    async def test_the_log_tells_of_it_once_and_without_a_traceback(
        self, layer: FakeLayer, stored: Any, caplog: Any
    ) -> None:
        layer.is_away = True
        hub = Broadcaster()
        viewer = await hub.join("run-1")
        await asyncio.sleep(0.1)

        assert [record.exc_info for record in caplog.records] == [None]

        await hub.leave("run-1", viewer)

    async def test_a_read_that_failed_is_made_again(self, layer: FakeLayer, stored: Any) -> None:
        hub = Broadcaster()
        viewer = await hub.join("run-1")
        stored["error"] = AWAY
        stored["events"].append((2, "{}"))
        hub.nudged("run-1", run_changed=False)
        await asyncio.sleep(0.05)
        stored["error"] = None

        assert await seen(viewer, 2)

        await hub.leave("run-1", viewer)

    async def test_who_joins_while_the_database_is_away_leaves_nothing_behind(
        self, layer: FakeLayer, stored: Any
    ) -> None:
        """A channel that stayed would never hear of an event, and neither would the next viewer."""
        hub = Broadcaster()
        stored["error"] = AWAY

        with pytest.raises(OperationalError):
            await hub.join("run-1")

        assert hub.channels == {}
