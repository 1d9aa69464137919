"""What a web process makes of the signals that it gets; tests/lemsite/test_serve.py starts real ones."""

import asyncio
import signal

import pytest
import uvicorn

from lemsite.lib import draining
from lemsite.web_server import WebServer


@pytest.fixture
def server(settings):
    settings.DRAIN_S = 600
    server = WebServer(uvicorn.Config("lemsite.asgi:application", log_config=None))
    server.started = True
    yield server
    draining.reset()


def stops(server):
    return asyncio.run(server.on_tick(1))


def test_a_web_process_serves_on_while_it_drains(server):
    assert not stops(server)

    server.handle_exit(signal.SIGTERM, None)

    assert draining.is_draining()
    assert not stops(server)


def test_a_second_sigterm_changes_nothing(server):
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)

    assert not stops(server)


def test_ctrl_c_ends_the_wait(server):
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGINT, None)

    assert stops(server)


def test_a_web_process_that_was_never_ready_does_not_wait(server):
    server.started = False

    server.handle_exit(signal.SIGTERM, None)

    assert stops(server)


def test_development_stops_at_once(server, settings):
    settings.DRAIN_S = 0

    server.handle_exit(signal.SIGINT, None)

    assert stops(server)
