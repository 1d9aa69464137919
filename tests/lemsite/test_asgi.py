import pytest
from channels.testing import WebsocketCommunicator

from lemsite.asgi import application, django
from lemsite.handler import OneHopHandler


def socket_to(path: str, **headers: str) -> WebsocketCommunicator:
    return WebsocketCommunicator(
        application, path, [(name.encode(), value.encode()) for name, value in headers.items()]
    )


def test_pages_go_through_the_one_hop_handler_by_default():
    assert isinstance(django, OneHopHandler)


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_to_an_unknown_path_is_refused():
    connected, _ = await socket_to("/ws/nowhere/", origin="http://localhost", host="localhost").connect()

    assert not connected


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example.org"}, {"origin": "null"}, {"origin": "http://a.testserver"}, {}]
)
async def test_a_websocket_from_elsewhere_is_refused(headers):
    connected, _ = await socket_to("/ws/runs/1/", **headers).connect()

    assert not connected
