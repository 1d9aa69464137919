"""What the client does with a site's answers, with and without asyncio."""

import asyncio

import httpx2
import pytest

from gpuagent.client import (
    AsyncClient,
    BadReply,
    BadRequest,
    Client,
    Gone,
    NotConfigured,
    NotFound,
    RateLimited,
    Refused,
    ReplyLost,
    ServerError,
    SiteAway,
    Unauthorized,
)
from gpuagent.client.steps import retry_after_s

from .answers import ME, MODEL, Answers, ask_both, error, sync_client


def test_an_answer_is_a_typed_object():
    plain, awaited = ask_both(Answers(MODEL), lambda client: client.models.get("org/m"))

    assert plain == awaited
    assert (plain.name, plain.parameters_total_b, plain.licence) == ("org/m", 8.0, None)


def test_a_list_is_read_page_by_page_as_far_as_it_is_taken():
    def page(request):
        cursor = request.url.params.get("cursor", "")
        following = "" if cursor == "c" else "b" if not cursor else "c"
        url = f"http://elsewhere/api/models?cursor={following}" if following else None
        return httpx2.Response(200, json={"results": [MODEL | {"name": f"org/{cursor or 'a'}"}] * 2, "next": url})

    answers = Answers()
    answers.__class__ = type("Pages", (Answers,), {"__call__": lambda self, r: (self.asked.append(r), page(r))[1]})
    plain, awaited = ask_both(answers, lambda client: client.models.list())

    assert [one.name for one in plain] == ["org/a", "org/a", "org/b", "org/b", "org/c", "org/c"]
    assert plain == awaited
    answers.asked.clear()
    models = sync_client(answers).models.list()
    assert [next(models).name, next(models).name] == ["org/a", "org/a"]
    assert len(answers.asked) == 1
    assert {request.url.host for request in answers.asked} == {"localhost"}


def test_limit_is_how_many_rows_there_are_at_most():
    answers = Answers({"results": [MODEL] * 3, "next": "/api/models?cursor=x"})

    assert len(list(sync_client(answers).models.list(limit=4))) == 4
    assert [request.url.params["limit"] for request in answers.asked] == ["4", "1"]


def test_filters_become_a_query_with_a_name_for_each_value():
    answers = Answers({"results": [], "next": None, "view": "best", "sort": "x"})
    filters = {"hardware": ["h100-sxm", "a100"], "gpu_count": 1, "ttft_ms_p90_max": 500, "q": None}

    list(sync_client(answers).benchmarks.list(sort="-tokens_per_joule", **filters))

    pairs = answers.asked[0].url.params.multi_items()
    assert sorted(pairs) == [
        ("gpu_count", "1"),
        ("hardware", "a100"),
        ("hardware", "h100-sxm"),
        ("sort", "-tokens_per_joule"),
        ("ttft_ms_p90_max", "500"),
    ]


def test_rows_are_plain_dicts_over_all_pages():
    answers = Answers({"results": [{"url": "1"}], "next": "?cursor=z"}, {"results": [{"url": "2"}], "next": None})

    rows = list(sync_client(answers).benchmarks.rows(columns=["tokens_per_joule"]))

    assert rows == [{"url": "1"}, {"url": "2"}]
    assert answers.asked[1].url.params["cursor"] == "z"


def test_fields_of_a_newer_site_are_passed_over_and_its_words_are_text():
    job = MODEL | {"from_the_future": 1, "licence": "Apache-9"}

    assert sync_client(Answers(job)).models.get("org/m").licence == "Apache-9"


def test_a_missing_field_is_named():
    with pytest.raises(BadReply, match="GET /api/models/org/m: family: Field required"):
        sync_client(Answers({name: value for name, value in MODEL.items() if name != "family"})).models.get("org/m")


def test_a_page_that_is_not_of_a_lemsite_is_told_as_such(slept):
    with pytest.raises(BadReply, match="not know"):
        sync_client(Answers(b"<html>Sign in to the hotel")).users.me()
    with pytest.raises(ServerError, match="not a lemsite's: '<html>502"):
        sync_client(Answers(httpx2.Response(502, content=b"<html>502"))).users.me()


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequest), (401, Unauthorized), (404, NotFound), (410, Gone), (422, Refused)]
)
def test_a_refusal_says_which_field_and_what_would_be_right(status, kind):
    fields = {"sort": "perhaps tokens_per_joule"}
    answers = Answers(error(status, "Not right: sort.", fields, findings=[{"code": "X"}], tombstone={"by": "a"}))

    for client in (sync_client(answers),):
        with pytest.raises(kind) as refused:
            client.users.me()

    assert refused.value.fields == fields
    assert str(refused.value) == f"Not right: sort. sort: perhaps tokens_per_joule [{status} code]"
    assert (refused.value.findings, refused.value.tombstone) == ([{"code": "X"}], {"by": "a"})


def test_an_error_of_the_live_endpoints_is_understood():
    with pytest.raises(NotFound, match="There is no such run"):
        sync_client(Answers(httpx2.Response(404, json={"error": "There is no such run."}))).runs.get("x")


def test_a_server_error_names_its_request(slept):
    with pytest.raises(ServerError, match=r"\(request abc\)"):
        sync_client(Answers(error(500, headers={"X-Request-ID": "abc"}))).users.me()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_reading_is_tried_again_while_the_site_is_busy(status, slept):
    answers = Answers(error(status), error(status), ME)

    assert sync_client(answers).users.me().name == "ada"
    assert 0.2 < slept[0] <= 0.5
    assert 0.5 <= slept[1] <= 1.0


def test_asyncio_programs_try_again_too(slept):
    answers = Answers(httpx2.ReadTimeout("slow"), error(503), ME)

    async def ask():
        async with AsyncClient("http://localhost", "", transport=httpx2.MockTransport(answers)) as client:
            return await client.users.me()

    assert asyncio.run(ask()).name == "ada"
    assert len(slept) == 2


def test_the_site_says_how_long_to_wait(slept):
    sync_client(Answers(error(429, headers={"Retry-After": "7"}), ME)).users.me()

    assert 7 < slept[0] < 8


def test_a_site_that_wants_to_be_left_alone_for_hours_is_not_waited_for(slept):
    with pytest.raises(RateLimited) as limited:
        sync_client(Answers(error(429, headers={"Retry-After": "7200"}))).users.me()

    assert (limited.value.retry_after_s, slept) == (7200, [])


def test_it_gives_up_in_the_end(slept):
    answers = Answers(httpx2.ConnectError("refused"))

    with pytest.raises(SiteAway, match="cannot be reached"):
        sync_client(answers).users.me()

    assert len(answers.asked) == 5


CHANGES = [
    lambda client: client.jobs.cancel(3),
    lambda client: client.comments.create("r", "Well measured."),
]


@pytest.mark.parametrize("change", CHANGES, ids=["cancelling", "commenting"])
def test_a_change_without_a_key_is_sent_again_only_where_it_cannot_have_arrived(change, slept):
    answers = Answers(httpx2.ConnectError("refused"), error(503), error(429), error(404))

    with pytest.raises(NotFound):
        change(sync_client(answers))
    for lost in (httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut")):
        answers = Answers(lost)
        with pytest.raises(ReplyLost, match="may have happened"):
            change(sync_client(answers))
        assert len(answers.asked) == 1
    answers = Answers(error(500))
    with pytest.raises(ServerError):
        change(sync_client(answers))
    assert len(answers.asked) == 1


def test_what_is_gone_when_a_deletion_is_repeated_was_deleted(slept):
    answers = Answers(httpx2.ReadTimeout("slow"), error(404))

    assert sync_client(answers).comments.delete(3) is None
    with pytest.raises(NotFound):
        sync_client(Answers(error(404))).comments.delete(3)


def test_a_redirect_does_not_carry_the_token_elsewhere():
    to_itself = httpx2.Response(307, headers={"Location": "/api/users/me?x=1"})
    away = httpx2.Response(302, headers={"Location": "http://elsewhere.example/me"})
    answers = Answers(to_itself, away, ME)

    sync_client(answers).users.me()

    assert [request.headers.get("Authorization") for request in answers.asked] == ["Bearer lem_1_secret"] * 2 + [None]
    with pytest.raises(BadReply, match="sent on to http://elsewhere.example/me"):
        sync_client(Answers(away)).comments.create("r", "text")


def test_redirects_end(slept):
    answers = Answers(httpx2.Response(302, headers={"Location": "/again"}, json={"error": "moved"}))

    with pytest.raises(Exception, match="moved"):
        sync_client(answers).users.me()

    assert len(answers.asked) == 6


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("", "", "No address"),
        ("bench.example.org", "", "not a site's address"),
        ("ftp://x", "", "not a site's address"),
        ("http://[", "", "no address"),
        ("http://x:99999", "", "no address"),
        ("https://a:b@x", "", "user name"),
        ("http://bench.example.org", "lem_1_x", "in the clear"),
        ("https://x", "lem_1 x", "characters"),
        ("https://x", "lem_1_\u00fc", "characters"),
        ("https://x", "a\nX-Admin: 1", "characters"),
    ],
)
def test_a_client_that_cannot_be_right_is_not_made(url, token, words):
    with pytest.raises(NotConfigured, match=words):
        Client(url, token)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://[::1]:1", "http://localhost", "http://x.localhost"])
def test_a_token_may_go_to_this_machine_in_the_clear(url):
    Client(url, "lem_1_x").close()


def test_address_and_token_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LEM_URL", "https://bench.example.org/sub/api/")
    monkeypatch.setenv("LEM_TOKEN", "lem_1_env")
    answers = Answers(ME)

    with Client(transport=httpx2.MockTransport(answers)) as client:
        client.users.me()

    assert str(answers.asked[0].url) == "https://bench.example.org/sub/api/users/me"
    assert answers.asked[0].headers["Authorization"] == "Bearer lem_1_env"
    assert answers.asked[0].headers["User-Agent"].startswith("gpuagent-client/")
    assert "lem_1_env" not in repr(client) + repr(client._transport.target)


def test_names_in_a_path_are_only_names():
    answers = Answers(error(404))

    with pytest.raises(NotFound):
        sync_client(answers).users.get("../agents?x=1#y")

    assert answers.asked[0].url.raw_path == b"/api/users/..%2Fagents%3Fx%3D1%23y"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("7", 7, 7), ("-3", 0, 0), ("nan", 0, 0), ("soon", 0, 0), ("Fri, 01 Jan 2100 00:00:00 GMT", 1e9, 9e9)],
)
def test_retry_after_is_seconds_or_a_date(text, low, high):
    assert low <= retry_after_s(text) <= high
