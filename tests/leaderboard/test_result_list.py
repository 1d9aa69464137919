"""The leaderboard's page: whole and as a fragment, in every state that its address can say."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from leaderboard.metrics import SORTABLE
from leaderboard.models import Trust
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def board() -> dict[str, Any]:
    """Two models on two GPUs: the smaller is better on both, and one result is self-reported."""
    small, large = LanguageModelFactory(name="org/small", title="Small"), LanguageModelFactory(
        name="org/large", title="Large", family="Big", parameters_total_b=70.0)  # fmt: skip
    h100, a10 = HardwareFactory(slug="h100", name="H100 SXM"), HardwareFactory(slug="a10", name="A10")
    vllm = BackendFactory(slug="vllm", name="vLLM")
    return {
        "first": published_result(model=small, hardware=h100, backend=vllm, tokens_per_joule=4.5, itl_ms_p50=8.0),
        "second": published_result(model=small, hardware=a10, backend=vllm, tokens_per_joule=3.5, itl_ms_p50=20.0),
        "third": published_result(model=large, hardware=h100, backend=vllm, tokens_per_joule=1.5, precision="fp8"),
        "reported": published_result(
            model=large, hardware=a10, backend=vllm, tokens_per_joule=9.5, trust=Trust.SELF_REPORTED
        ),
    }


def ranks(response: Any) -> list[str]:
    """The ids of the results in the table, from the top."""
    table = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return list(dict.fromkeys(re.findall(r'href="/results/([0-9a-f-]{36})/"', table)))


def ids(board: dict[str, Any], *names: str) -> list[str]:
    return [str(board[name].pk) for name in names]


def test_the_page_lists_what_is_published_best_first(client, board):
    response = client.get("/")

    assert response.status_code == 200
    assert ranks(response) == ids(board, "first", "second", "third")


def test_a_row_shows_model_hardware_backend_precision_figures_and_trust(client, board):
    shown = text(client.get("/?hardware=h100&model=org/large"))

    for part in ("Large", "1 x H100 SXM", "vLLM", "fp8", "1.500", "tok/J", "Checks passed"):
        assert part in shown


def test_hidden_self_reported_results_are_counted_and_one_click_away(client, board):
    content = client.get("/").content.decode()

    assert "1 self-reported result hidden" in content
    assert 'href="/?min_trust=T1"' in content
    assert ranks(client.get("/?min_trust=T1"))[0] == str(board["reported"].pk)
    assert "hidden" not in text(client.get("/?min_trust=T1")).replace("visually-hidden", "")


def test_htmx_gets_the_table_alone(client, board):
    fragment = client.get("/", headers=HTMX)

    content = fragment.content.decode().strip()
    assert content.startswith('<div id="board">')
    assert "<html" not in content
    assert ranks(fragment) == ids(board, "first", "second", "third")


@pytest.mark.parametrize("extra", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}])
def test_boosted_links_and_restored_history_get_the_whole_page(client, board, extra):
    assert b"<html" in client.get("/", headers={**HTMX, **extra}).content


def test_page_and_fragment_are_kept_apart_by_caches(client, board):
    page, fragment = client.get("/"), client.get("/", headers=HTMX)

    assert "HX-Request" in page["Vary"]
    assert "HX-Request" in fragment["Vary"]
    assert page["ETag"] != fragment["ETag"]


def test_an_anonymous_reader_gets_no_cookie_and_a_page_that_may_be_cached(client, board):
    response = client.get("/")

    assert not response.cookies
    assert response["Cache-Control"] == "no-cache"


def test_a_signed_in_readers_page_is_their_own(client, board, owner):
    etag = client.get("/")["ETag"]
    client.force_login(owner)

    response = client.get("/", headers={"If-None-Match": etag})

    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-cache"
    assert "owner" in text(response)


def test_an_unchanged_page_is_answered_with_304_and_one_query(client, board, django_assert_num_queries):
    etag = client.get("/")["ETag"]

    with django_assert_num_queries(1):
        response = client.get("/", headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response.content == b""


def test_a_publication_changes_the_etag(client, board):
    etag = client.get("/")["ETag"]
    published_result()

    assert client.get("/", headers={"If-None-Match": etag}).status_code == 200


def test_headers_forbid_inline_scripts_framing_and_guessing_types(client, board):
    response = client.get("/")

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (response["X-Frame-Options"], response["X-Content-Type-Options"]) == ("DENY", "nosniff")


def test_no_inline_script_style_or_external_address_is_on_the_page(client, board):
    content = client.get("/").content.decode()

    assert not re.search(r"<script(?![^>]*\ssrc=)", content)
    assert not re.search(r"\sstyle=|\son[a-z]+=", content)
    fetched = content.replace(f'<link rel="canonical" href="{settings.SITE_URL}/">', "")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", fetched)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("hardware=h100", ["first", "third"]),
        ("hardware=h100&hardware=a10", ["first", "second", "third"]),
        ("model=org/large", ["third"]),
        ("family=Big", ["third"]),
        ("size=35b-80b", ["third"]),
        ("precision=fp8", ["third"]),
        ("backend=vllm&gpu_count=1&batch_size=8&energy_scope=gpu", ["first", "second", "third"]),
        ("trust=T1", ["reported"]),
        ("q=small", ["first", "second"]),
        ("q=h100+large", ["third"]),
        ("itl_ms_p50_max=10", ["first"]),
        ("tokens_per_joule_min=2&tokens_per_joule_max=4", ["second"]),
        ("view=all&sort=tokens_per_joule", ["third", "second", "first"]),
        ("sort=itl_ms_p50", ["first", "second"]),
        ("sort=-itl_ms_p50", ["second", "first"]),
    ],
)
def test_filters_and_sort_choose_the_rows(client, board, query, expected):
    assert ranks(client.get(f"/?{query}")) == ids(board, *expected)


@pytest.mark.parametrize("metric", SORTABLE, ids=lambda metric: metric.name)
def test_the_page_answers_with_every_sort_in_both_directions(client, board, metric):
    for sort in (metric.name, f"-{metric.name}"):
        response = client.get(f"/?sort={sort}&min_trust=T1")

        assert response.status_code == 200
        assert metric.label in text(response)


def test_results_without_the_sorted_figure_are_counted(client, board):
    assert "1 result has no ITL p50 and is not listed" in text(client.get("/?sort=itl_ms_p50"))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sort=colour", "sort was left out: 'colour' is not a metric to sort by"),
        ("gpu_count=two", "gpu_count was left out: a whole number, or unknown."),
        ("ttft_ms_p90_max=fast", "ttft_ms_p90_max was left out: 'fast' is not a number."),
        ("cursor=%5B%5B%5B", "cursor was left out"),
        ("limit=100000", "limit was left out"),
        ("min_trust=T7", "min_trust was left out"),
        ("trust=T0", "trust was left out"),
        ("view=worst&q=%00", "view was left out"),
    ],
)
def test_a_wrong_parameter_is_left_out_and_the_page_says_so(client, board, query, says):
    response = client.get(f"/?{query}&hardware=h100")

    assert response.status_code == 200
    assert says in text(response)
    assert ranks(response) == ids(board, "first", "third")


def test_unknown_parameters_are_ignored(client, board):
    assert ranks(client.get("/?utm_source=x&sorting=y")) == ids(board, "first", "second", "third")


@pytest.mark.parametrize(
    ("query", "chip"),
    [
        ("q=nothing", "“nothing”"),
        ("hardware=nowhere", "Hardware: nowhere"),
        ("precision=fp8&hardware=a10", "Precision: fp8"),
        ("itl_ms_p50_max=1", "ITL p50 at most 1 ms"),
        ("min_trust=T4", "Trust: Reproduced and up"),
    ],
)
def test_an_empty_table_names_the_filters_that_emptied_it(client, board, query, chip):
    response = client.get(f"/?{query}")

    assert response.status_code == 200
    empty = text(response).partition("No result fits these filters.")[2]
    assert chip in empty


def test_values_that_are_not_known_are_a_choice_of_their_own(client, board):
    known = board["first"]
    published_result(model=known.model, hardware=known.hardware, gpu_count=None, batch_size=None, precision="")

    content = client.get("/").content.decode()

    for name in ("gpu_count", "batch_size", "precision"):
        assert re.search(rf'name="{name}" value="unknown"', content)


def test_an_empty_site_says_so(client):
    assert "Nothing has been published yet" in text(client.get("/"))


def test_own_prices_and_grid_change_cost_and_carbon(client):
    published_result(tokens_per_joule=4.5, gpu_seconds_per_million_tokens=3600.0, cost_per_million_tokens_usd=2.0)

    shown = text(client.get("/?usd_per_gpu_hour=7.77&co2_g_per_kwh=400&pue=1&sort=cost_per_million_tokens_usd"))

    assert "7.770" in shown
    assert "24.69" in shown, "1/4.5 J per token x 10^6 / 3.6e6 x 400 g"


def test_columns_are_chosen_in_the_address(client, board):
    content = client.get("/?columns=avg_power_w&columns=itl_ms_p50").content.decode()

    head = content.partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r'<a [^>]+ title="[^"]+">([^<]+)<', head) == ["Tokens/J", "Power", "ITL p50"]


def test_pages_of_a_table_join_without_gap(client, board):
    first = client.get("/?limit=2")
    (link,) = set(re.findall(r'href="(/\?limit=2&amp;cursor=[^"]+)"', first.content.decode()))
    second = client.get(unescape(link))

    assert ranks(first) + ranks(second) == ids(board, "first", "second", "third")
    assert re.findall(r'<td class="n rank">(\d+)</td>', second.content.decode()) == ["3"]
    assert "Next page" not in text(second)


def test_the_number_of_queries_does_not_grow_with_rows(client, board, django_assert_num_queries):
    cache.clear()
    with django_assert_num_queries(100, exact=False) as few:
        client.get("/?view=all&limit=500")
    for _ in range(20):
        published_result()
    cache.clear()

    with django_assert_num_queries(len(few.captured_queries)):
        response = client.get("/?view=all&limit=500")

    assert len(ranks(response)) == 23


def test_the_page_can_be_asked_for_without_its_body(client, board):
    assert client.head("/").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_sent_to_the_page(method, board):
    assert getattr(Client(), method)("/").status_code == 405
