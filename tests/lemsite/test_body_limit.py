import json

import pytest
from asgiref.testing import ApplicationCommunicator

from lemsite.body_limit import BodyLimit

from .test_handler import scope


class Reader:
    """An application that reads its whole body and answers with the length."""

    def __init__(self):
        self.received = 0

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.received += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(self.received).encode()})


async def ask(parts, *, url="/api/benchmarks", headers=None, max_bytes=100):
    application = Reader()
    client = ApplicationCommunicator(
        BodyLimit(application, max_bytes=max_bytes), scope(url, method="POST", headers=headers)
    )
    for number, part in enumerate(parts, start=1):
        await client.send_input({"type": "http.request", "body": part, "more_body": number < len(parts)})
    start, end = await client.receive_output(), await client.receive_output()
    return application.received, start, end["body"]


async def test_a_body_within_the_limit_passes():
    _, start, body = await ask([b"x" * 60, b"x" * 40])

    assert (start["status"], body) == (200, b"100")


async def test_a_body_that_says_it_is_too_long_is_refused_unread():
    received, start, _ = await ask([b"x" * 101], headers={"content-length": "101"})

    assert (start["status"], received) == (413, 0)


async def test_a_body_that_grows_too_long_is_refused_on_the_way():
    received, start, _ = await ask([b"x" * 60] * 5)

    assert (start["status"], received) == (413, 60)


async def test_a_client_that_waits_for_a_go_ahead_is_refused_at_once():
    _, start, _ = await ask([], headers={"content-length": "101", "expect": "100-continue"})

    assert start["status"] == 413


async def test_an_endless_body_is_not_read_to_its_end():
    _, start, _ = await ask([b"x" * 90] * 50)

    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]


async def test_the_api_is_refused_in_json():
    _, _, body = await ask([b"x" * 101])

    assert json.loads(body)["error"]["code"] == "too_large"


async def test_a_form_is_refused_with_a_page(settings):
    settings.LEMSITE_MAX_UPLOAD_MB = 64

    _, start, body = await ask([b"x" * 101], url="/submit/")

    assert (b"content-type", b"text/html; charset=utf-8") in start["headers"]
    assert b"up to 64 MB" in body


@pytest.mark.parametrize("value", ["", "-5", "many"])
async def test_a_length_that_is_no_number_is_counted_instead(value):
    _, start, _ = await ask([b"x" * 101], headers={"content-length": value})

    assert start["status"] == 413
