"""The streaming client against a real server on loopback: what it times, what it counts, what it refuses."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from gpuagent.race import client as client_module
from gpuagent.race.client import Answer, Client, ServerProblem
from tests.gpuagent.openai_server import MODEL, FakeModelServer, chunk, usage

DONE = b"data: [DONE]\n\n"


@asynccontextmanager
async def connected(server: FakeModelServer, **options):
    async with server.running() as base_url:
        client = Client(base_url, **options)
        yield client
        await client.close()


async def ask(server: FakeModelServer, *, max_tokens: int = 32, **options) -> Answer:
    async with connected(server, **options) as client:
        return await client.ask(model=MODEL, messages=[{"role": "user", "content": "When?"}], max_tokens=max_tokens)


async def problem_of(server: FakeModelServer, **options) -> str:
    with pytest.raises(ServerProblem) as caught:
        await ask(server, **options)
    return str(caught.value)


async def test_the_text_of_all_pieces_is_the_answer():
    assert (await ask(FakeModelServer())).text == "Answer: 11:20"


async def test_tokens_are_those_that_the_server_counted():
    answer = await ask(FakeModelServer())

    assert (answer.tokens, answer.counted_by) == (5, "usage")


async def test_without_usage_pieces_are_counted_and_it_says_so():
    server = FakeModelServer()
    server.stream = [chunk("a"), chunk("b"), chunk("c"), chunk("", "stop"), DONE]

    answer = await ask(server)

    assert (answer.tokens, answer.counted_by) == (3, "chunks")


@pytest.mark.parametrize("count", [-1, True, "5", 1e9, None], ids=["negative", "bool", "text", "float", "null"])
async def test_usage_that_is_no_count_is_not_believed(count):
    server = FakeModelServer()
    server.stream = [chunk("a"), chunk("b"), usage(count), DONE]

    assert (await ask(server)).counted_by == "chunks"


async def test_time_to_first_token_ends_with_the_first_text_not_with_the_role():
    server = FakeModelServer()
    role = {"choices": [{"delta": {"role": "assistant"}}]}
    server.stream = [role, 0.2, chunk("a"), 0.1, chunk("b"), chunk("", "stop"), usage(2), DONE]

    answer = await ask(server)

    assert answer.ttft_s is not None
    assert answer.ttft_s >= 0.19
    assert answer.latency_s >= answer.ttft_s + 0.09


def test_the_figures_follow_from_the_times_of_the_pieces():
    answer = Answer(asked_at=10.0, piece_times=[10.5, 10.7, 11.0], pieces=["a", "b", "c"], ended_at=11.5)
    answer.usage_tokens = 6

    assert answer.ttft_s == pytest.approx(0.5)
    assert answer.itl_s == pytest.approx(0.1)  # 0.5 s over the five tokens after the first
    assert answer.latency_s == pytest.approx(1.5)
    assert answer.tokens_per_s == pytest.approx(4.0)


def test_one_piece_has_no_time_between_tokens():
    assert Answer(asked_at=0.0, piece_times=[1.0], pieces=["a"], ended_at=1.0).itl_s is None


async def test_each_piece_is_told_as_it_comes():
    told = []
    async with connected(FakeModelServer()) as client:
        await client.ask(model=MODEL, messages=[], max_tokens=9, on_piece=lambda: told.append(1))

    assert len(told) == 2


async def test_a_server_that_knows_no_stream_options_is_asked_without():
    server = FakeModelServer()
    server.knows_stream_options = False

    answer = await ask(server)

    assert answer.text == "Answer: 11:20"
    assert ["stream_options" in question for question in server.questions] == [True, False]


async def test_the_question_is_greedy_streamed_and_bounded():
    server = FakeModelServer()

    await ask(server, max_tokens=77)

    asked = server.questions[0]
    assert (asked["model"], asked["max_tokens"], asked["temperature"], asked["stream"]) == (MODEL, 77, 0, True)


async def test_the_key_goes_to_the_server():
    server = FakeModelServer()

    await ask(server, api_key="sk-secret")

    assert "Bearer sk-secret" in server.headers[0]


async def test_models_are_listed():
    async with connected(FakeModelServer()) as client:
        assert await client.models() == [MODEL]


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"data": 3}', b"[" * 5000, b"{}"], ids=["html", "number", "deep", "empty"]
)
async def test_a_list_of_models_that_is_none_is_a_problem(body):
    server = FakeModelServer()
    server.models = body

    async with connected(server) as client:
        with pytest.raises(ServerProblem, match="does not list"):
            await client.models()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "wants a key"), (404, "model is wrong"), (500, "500"), (302, "302"), (429, "429")]
)
async def test_another_status_is_a_problem_and_a_redirect_is_not_followed(status, words):
    server = FakeModelServer()
    server.status = status

    assert words in await problem_of(server)


async def test_a_server_that_is_away_is_a_problem():
    async with FakeModelServer().running() as base_url:
        pass
    client = Client(base_url)

    with pytest.raises(ServerProblem, match="cannot be reached"):
        await client.ask(model=MODEL, messages=[], max_tokens=5)
    await client.close()


async def test_a_stream_that_says_nothing_for_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(client_module, "SILENCE_S", 0.2)
    server = FakeModelServer()
    server.stream = [chunk("a"), 3.0]

    assert "said nothing" in await problem_of(server)


HOSTILE = {
    "no JSON": [b"data: {broken\n\n"],
    "deep JSON": [b"data: " + b"[" * 100_000 + b"\n\n"],
    "an error": [{"error": {"message": "\x1b[31mCUDA out of memory"}}],
    "no completion": [b"hello\n\n"],
    "a line without end": [b"x" * 700_000, b"x" * 700_000],
    "more pieces than asked": [chunk("a") for _ in range(200)],
    "a huge piece": [chunk("a" * 150_000)],
}


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_stream_is_a_problem_without_its_words(stream):
    server = FakeModelServer()
    server.stream = stream

    sentence = await problem_of(server, max_tokens=32)

    assert sentence.startswith("The model server")
    assert "\x1b" not in sentence


@pytest.mark.parametrize("data", [{"choices": 3}, {"choices": [4]}, {"choices": [{"delta": "x"}]}, [1], {"usage": 5}])
async def test_events_of_other_shapes_are_passed_over(data):
    server = FakeModelServer()
    server.stream = [data, chunk("a"), chunk("", "stop"), DONE]

    assert (await ask(server)).text == "a"


@pytest.mark.parametrize(
    "address", ["", "file:///etc/passwd", "http://", "http://user:pw@host/v1", "http://host/v1?x=1", "gopher://host"]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ServerProblem, match="must look like"):
        Client(address)
