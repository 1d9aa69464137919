"""The headers of every address of the site, as the resolver knows them."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from tests.lemsite import test_views as faults
from tests.permissions.cast import Cast, fill
from tests.permissions.routes import ADMIN, all_routes

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: what other sites may show: embeds in a frame, badges and cards as images
FRAMED, SHOWN = "/embed/", ("/embed/", "/badges/", "/oembed")


@pytest.fixture
def cast(db, small_catalogue, stored_files, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    return Cast.assemble()


def got(cast: Cast, route: Any, role: str) -> Any:
    path = route.path.removesuffix("?")
    for parameter in route.parameters:
        path = fill(path, parameter, str(cast.value(route.path, parameter)))
    client = Client(raise_request_exception=False)
    if role in cast.sessions:
        client.cookies[settings.SESSION_COOKIE_NAME] = cast.sessions[role]
    response = client.get(path)
    if response.streaming:
        b"".join(response)
    return response


def faults_of(path: str, response: Any) -> list[str]:
    headers, policy = response.headers, response.headers.get("Content-Security-Policy", "")
    found = [f"{name}: {headers.get(name)}" for name, value in FIXED.items() if headers.get(name) != value]
    if "default-src 'none'" not in policy or "unsafe" in policy:
        found.append(f"policy {policy}")
    if headers.get("X-Frame-Options") != (None if _is_framed(path, response) else "DENY"):
        found.append(f"X-Frame-Options: {headers.get('X-Frame-Options')}")
    if "sandbox" not in policy and ("frame-ancestors *" in policy) != _is_framed(path, response):
        found.append(f"frames {policy}")
    is_shown = path.startswith(SHOWN) or path.endswith("card.png")
    resource = "cross-origin" if is_shown and response.status_code < 400 else "same-origin"
    if headers.get("Cross-Origin-Resource-Policy") != resource:
        found.append(f"CORP {headers.get('Cross-Origin-Resource-Policy')}")
    if path.startswith(FRAMED) and (response.cookies or "Cookie" in headers.get("Vary", "")):
        found.append("a cookie in an embed")
    return found


def _is_framed(path: str, response: Any) -> bool:
    return path.startswith(FRAMED) and response.status_code < 400


#: of the admin's pages those that need no row, since all are made by the same code
PAGES = [route for route in all_routes() if not route.path.startswith(ADMIN)]
ADMIN_PAGES = [route for route in all_routes() if route.path.startswith(ADMIN) and not route.parameters]


@pytest.mark.parametrize(("routes", "role"), [(PAGES, "owner"), (ADMIN_PAGES, "moderator")], ids=["site", "admin"])
def test_every_address_has_them(routes, role, cast):
    found = {}
    for route in routes:
        response = got(cast, route, role)
        if problems := faults_of(route.path, response):
            found[route.path, response.status_code] = problems

    assert found == {}


@pytest.mark.django_db
@pytest.mark.parametrize("fault", faults.FAULTS)
@pytest.mark.parametrize("path", ["/{}/", "/api/{}"])
def test_so_has_every_error(settings, fault, path):
    settings.ROOT_URLCONF = faults.__name__

    response = Client(raise_request_exception=False).get(path.format(fault))

    assert faults_of("/", response) == []
    assert "Traceback" not in response.text
    assert not response.cookies


@pytest.mark.django_db
def test_so_has_a_host_name_that_is_not_ours(client):
    response = client.get("/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_so_has_a_refused_form(settings):
    response = Client(enforce_csrf_checks=True).post("/account/settings/")

    assert (response.status_code, faults_of("/account/settings/", response)) == (403, [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/ingest", 401),
        ("GET", "/api/ingest", 405),
        ("GET", "/api/runs/nothing/stream", 404),
        ("POST", "/submit/", 413),
        ("POST", "/api/benchmarks", 413),
    ],
)
@pytest.mark.django_db(transaction=True)
async def test_so_has_what_django_never_sees(method, path, status):
    from lemsite.asgi import application

    length = str(settings.LEMSITE_MAX_BODY_BYTES + 1 if status == 413 else 2).encode()
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        "headers": [(b"host", b"testserver"), (b"content-length", length), (b"expect", b"100-continue")],
    }  # fmt: skip
    call = ApplicationCommunicator(application, scope)
    await call.send_input({"type": "http.request", "body": b"{}"})

    start = await call.receive_output(timeout=30)

    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert start["status"] == status
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    await call.receive_output(timeout=30)
    await call.wait(timeout=30)
