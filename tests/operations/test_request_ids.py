"""Each request has an id: in the response, on error pages, in the log, and in the log of the tasks that it causes."""

import json
import logging
import re
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.urls import path
from django_q.models import OrmQ
from django_q.signals import pre_execute
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from lemsite.handler import OneHopHandler
from lemsite.lib import request_ids
from lemsite.lib.logs import JSONFormatter
from lemsite.observing.asgi import Observed
from lemsite.observing.task_ids import KEY
from tests.operations.asking import STRANGER, ask

OURS = re.compile("[0-9a-f]{16}")
PROXIED = ("203.0.113.9", 0)


def fails(request):
    raise RuntimeError("broken")


def tells(request):
    return HttpResponse(request_ids.current())


urlpatterns = [path("fails/", fails), path("api/fails", fails), path("tells/", tells)]
handler500 = "lemsite.views.server_error"


@pytest.fixture
def site(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["lemsite.observing.middleware.note_route"]
    return Observed(OneHopHandler(1))


async def test_each_request_has_an_id_of_its_own(site):
    answers = [await ask("/tells/", app=site) for _ in range(3)]

    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert [answer.text for answer in answers] == ids
    assert all(OURS.fullmatch(one) for one in ids)


async def test_after_a_request_there_is_none(site):
    await ask("/tells/", app=site)

    assert request_ids.current() == ""


async def test_an_error_of_the_api_names_it(site):
    answer = await ask("/api/fails", app=site)

    assert answer.status == 500
    assert json.loads(answer.body)["error"]["request_id"] == answer.headers["x-request-id"]


async def test_an_error_page_names_it():
    answer = await ask("/there-is-no-such-page/")

    assert answer.status == 404
    assert f"<code>{answer.headers['x-request-id']}</code>" in answer.text


async def test_even_the_error_page_that_needs_nothing_names_it(site, monkeypatch, caplog):
    monkeypatch.setattr("lemsite.views.render", fails)

    answer = await ask("/fails/", app=site)

    assert answer.text == f"Server error {answer.headers['x-request-id']}"


async def test_the_log_of_a_request_has_it(site):
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    try:
        answer = await ask("/fails/", app=site)
    finally:
        logging.getLogger().removeHandler(handler)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"]] * len(lines)
    assert any("RuntimeError: broken" in line.get("exception", "") for line in lines)


async def test_live_messages_have_one_too():
    answer = await ask("/api/ingest", method="POST", body=b"{}")

    assert answer.status == 401
    assert OURS.fullmatch(answer.headers["x-request-id"])


async def test_a_trusted_proxy_may_name_it(site, settings):
    settings.TRUSTED_PROXY = ["10.0.0.2"]

    answer = await ask("/tells/", headers={"x-request-id": "proxy-named-it-1"}, client=PROXIED, app=site)

    assert answer.text == answer.headers["x-request-id"] == "proxy-named-it-1"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space in it", "nul\x00nul\x00nul", "line\nline\nline", "ümlaute-ümlaute"]
)
async def test_but_not_as_it_likes(site, settings, given):
    settings.TRUSTED_PROXY = ["10.0.0.2"]

    answer = await ask("/tells/", headers={"x-request-id": given}, client=PROXIED, app=site)

    assert OURS.fullmatch(answer.headers["x-request-id"])


async def test_a_visitor_may_not(site, settings):
    settings.TRUSTED_PROXY = ["10.0.0.2"]

    answer = await ask("/tells/", headers={"x-request-id": "visitor-named-it"}, client=STRANGER, app=site)

    assert OURS.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize("told", ["198.51.100.7", "198.51.100.7, 10.0.0.2"])
async def test_uvicorn_gives_a_told_address_the_port_that_we_look_for(told):
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    seen = []

    async def see(scope, receive, send):
        seen.append(scope["client"])

    scope: Any = {"type": "http", "client": ("10.0.0.2", 4711), "headers": [(b"x-forwarded-for", told.encode())]}
    reading: Any = ProxyHeadersMiddleware(see, ["10.0.0.2"])
    await reading(scope, None, None)

    assert seen == [("198.51.100.7", 0)]


@pytest.mark.django_db
def test_a_task_carries_the_id_of_the_request_that_caused_it():
    token = request_ids.begin("0123456789abcdef")
    try:
        async_task("leaderboard.tasks.read_waiting_batches")
    finally:
        request_ids.end(token)
    task = SignedPackage.loads(OrmQ.objects.get().payload)

    assert task[KEY] == "0123456789abcdef"


@pytest.mark.parametrize(
    ("task", "expected"),
    [({"id": "f" * 32, KEY: "0123456789abcdef"}, "0123456789abcdef"), ({"id": "e" * 32}, "e" * 16)],
    ids=["of-a-request", "of-a-schedule"],
)
async def test_the_worker_takes_it_up(task, expected):
    def work():
        pre_execute.send(sender="django_q", func=None, task=task)
        return request_ids.current()

    assert await sync_to_async(work)() == expected
