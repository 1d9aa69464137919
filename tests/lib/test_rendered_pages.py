"""Pages that are the same for everybody are rendered once in a while, and nobody gets another one's."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from lemsite.lib import rendered_pages
from lemsite.lib.rendered_pages import RenderedPages, kept
from tests.factories import published_result


@pytest.fixture
def keeping(monkeypatch):
    monkeypatch.setattr(rendered_pages, "KEEP_S", 60.0)


@pytest.fixture
def ask():
    """A view that counts its calls, asked through the store; headers are those of the request."""
    calls = []

    def ask(path="/", *, etag='"1"', answer=None, **headers):
        def view(request):
            calls.append(request.path)
            return answer or HttpResponse(f"page {len(calls)}", headers={"Cache-Control": "no-cache"})

        response = kept(lambda request: etag)(view)(RequestFactory().get(path, **headers))
        return response.content.decode()

    return ask


def test_a_page_is_rendered_once(keeping, ask):
    assert [ask(), ask()] == ["page 1", "page 1"]


def test_its_headers_come_with_it(keeping):
    answer = kept(lambda request: '"1"')(lambda request: HttpResponse("x", headers={"HX-Push-Url": "/?a"}))
    request = RequestFactory().get("/")

    assert [answer(request)["HX-Push-Url"] for _ in range(2)] == ["/?a", "/?a"]


@pytest.mark.parametrize(
    "other",
    [{"etag": '"2"'}, {"etag": None}, {"HTTP_COOKIE": "sessionid=x"}, {"HTTP_HOST": "localhost"}],
    ids=["etag", "no-etag", "cookie", "host"],
)
def test_another_state_reader_or_host_is_another_page(keeping, ask, other):
    ask()

    assert ask(**other) == "page 2"


def test_what_must_not_be_stored_is_not(keeping, ask):
    assert ask(answer=HttpResponse("gone", status=404)) == "gone"
    assert ask(answer=HttpResponse("counting", headers={"Cache-Control": "no-store"})) == "counting"
    own = HttpResponse("own")
    own.set_cookie("a", "b")
    assert ask(answer=own) == "own"
    assert ask() == "page 4"


def test_pages_grow_old(monkeypatch, ask):
    monkeypatch.setattr(rendered_pages, "KEEP_S", -1.0)

    assert [ask(), ask()] == ["page 1", "page 2"]


def test_the_pages_of_longest_ago_make_room(keeping):
    store = RenderedPages(max_bytes=10)
    for name in "ab":
        store.put(name, b"12345", {})
    store.get("a")

    store.put("c", b"12345", {})

    assert [name for name in "abc" if store.get(name)] == ["a", "c"]
    store.put("d", b"more than there is room for", {})
    assert not any(store.get(name) for name in "abcd")


@pytest.mark.parametrize("path", ["/", "/analysis/", "/charts/scatter/", "/charts/scatter.json"])
def test_a_published_result_shows_at_once(keeping, client, small_catalogue, path):
    first = client.get(path).content
    assert client.get(path).content == first

    published_result(tokens_per_joule=4.5, itl_ms_p50=20.0)

    assert client.get(path).content != first


def test_who_is_signed_in_never_gets_or_leaves_a_kept_page(keeping, client, owner, small_catalogue):
    anonymous = client.get("/").content
    client.force_login(owner)

    own = client.get("/").content

    assert b"Sign out" in own
    assert b"Sign out" not in anonymous
    client.logout()
    client.cookies.clear()
    assert b"Sign out" not in client.get("/").content
