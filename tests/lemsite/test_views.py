"""What a visitor and a program get when something is wrong, and the headers of every answer."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from lemsite import urls

FAULTS = {
    "forbidden": (PermissionDenied(), 403),
    "malformed": (SuspiciousOperation("a detail"), 400),
    "large": (RequestDataTooBig(), 413),
    "broken": (RuntimeError("a detail"), 500),
}


def fault_view(request: HttpRequest, fault: str) -> HttpResponse:
    raise FAULTS[fault][0]


def form_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
urlpatterns = [
    path("api/<slug:fault>", fault_view),
    path("<slug:fault>/", fault_view),
    path("form", form_view),
    *urls.urlpatterns,
]


@pytest.fixture
def visitor(settings):
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_a_visitor_gets_a_page_that_tells_no_details(visitor, fault):
    response = visitor.get(f"/{fault}/")

    assert response.status_code == FAULTS[fault][1]
    assert response["Content-Type"].startswith("text/html")
    assert "a detail" not in response.text


@pytest.mark.parametrize("fault", FAULTS)
def test_a_program_gets_json(visitor, fault):
    response = visitor.get(f"/api/{fault}")

    assert response.status_code == FAULTS[fault][1]
    assert set(response.json()["error"]) == {"code", "message", "fields"}


@pytest.mark.django_db
def test_an_unknown_page_is_a_404_page(visitor):
    response = visitor.get("/no/such/page/")

    assert response.status_code == 404
    assert "There is nothing here" in response.text


def test_an_unknown_api_path_is_a_404_in_json(visitor):
    assert visitor.get("/api/no/such").json()["error"]["code"] == "not_found"


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_and_says_what_to_do(settings):
    settings.ROOT_URLCONF = __name__

    response = Client(enforce_csrf_checks=True).post("/form")

    assert response.status_code == 403
    assert "Reload the page" in response.text


def test_a_broken_error_page_still_answers(visitor, monkeypatch):
    monkeypatch.setattr("lemsite.views.render", lambda *args, **kwargs: 1 / 0)

    response = visitor.get("/broken/")

    assert (response.status_code, response.text) == (500, "Server error")


@pytest.mark.django_db
def test_every_answer_carries_the_security_headers(client):
    headers = client.get("/health").headers

    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
