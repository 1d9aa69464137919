"""Live runs, logs and jobs are followed to their end."""

import asyncio
import json

import httpx2
import pytest

from gpuagent.client import AsyncClient, NotFound, WaitedTooLong

from .answers import Answers, error, sync_client


def event(number, gpu="g"):
    body = {"runId": "r", "ts": f"2026-01-01T00:00:{number:02}Z", "gpuId": gpu, "model": "m", "useCase": "qa"}
    body |= {"tokenPerSec": float(number), "latencyMs": 1, "vramUsedMB": 1, "evalProgressIdx": number, "evalTotal": 9}
    return f"id: {number}\ndata: {json.dumps(body)}\n\n"


def run_body(ended):
    run = {"id": "r", "startedAt": "2026-01-01T00:00:00Z", "endedAt": ended, "gpus": [{"name": "g", "vramGB": 80}]}
    return {"run": run, "scores": []}


class Broadcasts:
    """A stream that breaks after two events, is away once, and goes on behind what the reader has."""

    def __init__(self):
        self.after = []

    def __call__(self, request):
        if request.url.path.endswith("/events"):
            left = range(int(request.url.params["after"]) + 1, 5)
            return httpx2.Response(200, json={"events": [json.loads(event(one).split("data: ")[1]) for one in left]})
        if not request.url.path.endswith("/stream"):
            return httpx2.Response(200, json=run_body("2026-01-01T00:01:00Z" if self.after else None))
        self.after.append(int(request.headers["Last-Event-ID"]))
        if len(self.after) == 2:
            raise httpx2.ConnectError("restarting")
        events = [event(number) for number in range(self.after[-1] + 1, 5)][:2]
        # What a site before a restart had sent comes again, and counts once.
        repeated = [event(self.after[-1])] if self.after[-1] else []
        text = "event: ready\ndata: {}\n\n: keepalive\n\n" + "".join(repeated + events)
        return httpx2.Response(200, content=text.encode())


def test_a_watch_goes_on_where_the_connection_broke(slept):
    broadcasts = Broadcasts()

    seen = list(sync_client(broadcasts).runs.watch("r"))

    assert [one.stream_id for one in seen] == [1, 2, 3, 4]
    assert [one.tokens_per_s for one in seen] == [1, 2, 3, 4]
    assert broadcasts.after == [0, 2, 2]

    async def watch():
        async with AsyncClient("http://localhost", "", transport=httpx2.MockTransport(Broadcasts())) as client:
            return [one async for one in client.runs.watch("r")]

    assert asyncio.run(watch()) == seen


def test_a_watch_of_nothing_says_so():
    with pytest.raises(NotFound):
        list(sync_client(Answers(error(404))).runs.watch("x"))


JOB = {
    "id": 3, "kind": "llem", "title": "T", "state": "running", "reason_code": None, "reason": None, "owner": "ada",
    "simulate": False, "config": {}, "priority": 0, "position": None, "starts_in_s": None, "seed": 1, "wall_s": 1,
    "estimate": {"minutes": None, "energy_kwh": None, "usd": None, "co2_g": None, "basis": "b"},
    "created_at": "2026-01-01T00:00:00Z", "started_at": None, "ended_at": None, "cancel_requested_at": None,
    "attempts": [], "submission": None, "url": "u",
}  # fmt: skip


class Working:
    """A job whose log is each time that of the next (attempt, log), and that then is over."""

    def __init__(self, logs, states):
        self.logs, self.states, self.sent = list(logs), list(states), []

    def __call__(self, request):
        if not request.url.path.endswith("/log"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return httpx2.Response(200, json=JOB | {"state": state})
        attempt, log = self.logs.pop(0) if len(self.logs) > 1 else self.logs[0]
        if log is None:
            return error(404)
        self.sent.append(log[int(request.url.params["after"]) :])
        return httpx2.Response(200, content=self.sent[-1], headers={"X-Log-Attempt": str(attempt)})


def test_a_log_is_followed_until_the_job_is_over(slept):
    logs = [(1, None), (1, b"one\n\xe2"), (1, b"one\n\xe2\x82\xac\n")]
    states = ["queued", "running", "succeeded"]

    assert "".join(sync_client(Working(logs, states)).jobs.follow_log(3)) == "one\n\u20ac\n"


@pytest.mark.parametrize("log", [b"two\n", b"a longer one\n"], ids=["shorter", "longer"])
def test_the_log_of_another_attempt_is_read_from_its_beginning(log, slept):
    working = Working([(1, b"one\n\xe2"), (2, log)], ["running", "running", "succeeded"])

    assert "".join(sync_client(working).jobs.follow_log(3)) == "one\n\n" + log.decode()


def test_of_a_log_of_ten_megabytes_each_byte_is_sent_once(slept):
    log = bytes(range(32, 127)) * 110_000
    ends = range(0, len(log), len(log) // 9)
    working = Working([*((1, log[:end]) for end in ends), (1, log)], ["running"] * len(ends) + ["succeeded"])

    assert "".join(sync_client(working).jobs.follow_log(3)) == log.decode()

    assert len(log) > 10_000_000
    assert b"".join(working.sent) == log
    assert len(working.sent) == len(ends) + 1


def test_a_job_is_waited_for(slept):
    seen = []
    client = sync_client(Working([], ["queued", "queued", "running", "failed"]))

    assert client.jobs.wait(3, on_change=lambda job: seen.append(job.state)).state == "failed"
    assert seen == ["queued", "running", "failed"]
    with pytest.raises(WaitedTooLong, match="It goes on"):
        sync_client(Working([], ["running"])).jobs.wait(3, timeout_s=0)


def test_a_loop_that_is_left_early_closes_the_stream():
    closed = []

    class Endless(httpx2.SyncByteStream):
        def __iter__(self):
            while True:
                yield event(1).encode()

        def close(self):
            closed.append(True)

    events = sync_client(Answers(run_body(None), httpx2.Response(200, stream=Endless()))).runs.watch("r")
    next(events)
    events.close()

    assert closed == [True]
