import pytest
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from lemsite.lib.htmx import render_page

TEMPLATE = "{% load partials %}<h1>page</h1>{% partialdef rows inline %}<p>{{ number }}</p>{% endpartialdef %}"


@pytest.fixture(autouse=True)
def template(settings, tmp_path):
    (tmp_path / "numbers.html").write_text(TEMPLATE)
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]


def rendered(**headers: str):
    request = RequestFactory().get("/", headers=headers)
    vars(request)["htmx"] = HtmxDetails(request)
    return render_page(request, "numbers.html", "rows", {"number": 7})


def test_a_visitor_gets_the_page():
    assert rendered().content == b"<h1>page</h1><p>7</p>"


def test_htmx_gets_the_fragment():
    assert rendered(hx_request="true").content == b"<p>7</p>"


@pytest.mark.parametrize("header", ["hx_boosted", "hx_history_restore_request"])
def test_htmx_gets_the_page_for_a_boosted_link_and_for_its_history(header):
    assert b"<h1>" in rendered(hx_request="true", **{header: "true"}).content


def test_caches_keep_page_and_fragment_apart():
    assert "HX-Request" in rendered()["Vary"]


def test_a_request_without_the_middleware_gets_the_page():
    response = render_page(RequestFactory().get("/"), "numbers.html", "rows", {"number": 7})

    assert b"<h1>" in response.content
