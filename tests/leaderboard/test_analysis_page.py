"""/analysis/ as readers see it, the way to it from the leaderboard, and the short link that brings it back."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Preferences
from leaderboard.models import Result, ShortLink, Trust
from leaderboard.services.short_links import NotAPageToLinkTo, check_url, short_link
from leaderboard.views import links
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result
from tests.leaderboard.browsing import text

ASKED = "/analysis/?model=org%2Fa&itl_ms_p50_max=25&usd_per_kwh=0.36&pue=1&goal=electricity"


@pytest.fixture
def results(db):
    """One model at three batches on one GPU; a self-reported one besides."""
    model = LanguageModelFactory(name="org/a", title="Model A")
    shared = {
        "model": model,
        "hardware": HardwareFactory(slug="h100", name="H100", price_source="A list", price_date="2026-03"),
        "backend": BackendFactory(name="vLLM"),
    }
    figures = [(2.0, 10.0, 1), (4.0, 20.0, 16), (5.0, 40.0, 64)]
    found = [published_result(tokens_per_joule=t, itl_ms_p50=i, batch_size=b, **shared) for t, i, b in figures]
    return [*found, published_result(tokens_per_joule=9.0, trust=Trust.SELF_REPORTED, **shared)]


def test_the_answer_has_figure_unit_scope_trust_and_runs(client, results):
    page = client.get(ASKED).context["page"]

    # 0.25 J per token are 0.0694 kWh per million, at $0.36.
    assert page.best.sentence == (
        "Model A on 1 x H100 with vLLM, bf16, batch 16: $0.025 per million tokens "
        "(GPU energy; runs not stated; ITL p50 20.00 ms)."
    )
    assert page.best.trust.code == "T2"


def test_the_page_says_what_would_change_what_was_left_out_and_what_it_assumes(client, results):
    seen = text(client.get(ASKED))

    assert "ITL p50 40.00 ms instead of 25: 20 % cheaper, with Model A on 1 x H100" in seen
    assert "3 results considered: they pass the filters, with GPU energy." in seen
    assert "1 result hidden by trust. Show them" in seen
    assert "At $0.36 per kWh and PUE 1." in seen


def test_gpu_time_at_the_catalogues_price_names_its_source_and_date(client, results):
    Result.objects.update(cost_per_million_tokens_usd=0.5)

    assert "H100: $2 per GPU-hour (A list, 2026-03)." in text(client.get("/analysis/?goal=gpu_time"))


def test_the_limit_that_emptied_the_answer_is_named_with_a_way_on(client, results):
    response = client.get("/analysis/?itl_ms_p50_max=5")
    page = response.context["page"]

    assert page.why_none == ["No result keeps ITL p50 at most 5 ms: the best reaches 10.00 ms."]
    assert page.closest.limits == ["ITL p50 10.00 ms"]
    assert client.get(page.ways_on[0].url).context["page"].best.limits == ["ITL p50 10.00 ms"]


def test_the_filter_that_emptied_the_answer_is_named(client, results):
    page = client.get("/analysis/?model=org%2Fa&precision=fp8").context["page"]

    assert page.why_none == ["No result passes the filters."]
    assert "Any precision" in [way.label for way in page.ways_on]


def test_a_latency_that_nobody_states_is_answered_by_the_nearest_and_said(client, results):
    Result.objects.update(tpot_ms_mean=12.0, itl_ms_p50=None)

    response = client.get("/analysis/?itl_ms_p50_max=20")

    assert "None of the 3 results states its ITL p50" in text(response)
    assert "The nearest that some state is TPOT mean, which is not the same as ITL p50" in text(response)
    assert response.context["page"].best.limits == ["TPOT mean 12.00 ms"]


def test_a_parameter_that_is_wrong_is_left_out_and_said(client, results):
    response = client.get("/analysis/?goal=nonsense&itl_ms_p50_max=25")

    assert "goal was left out: 'nonsense' is not one of" in text(response)
    assert response.context["page"].best is not None


def test_the_form_keeps_what_it_has_no_input_for(client, results):
    page = client.get("/analysis/?model=org%2Fa&model=org%2Fb&min_trust=T1&e2e_ms_p50_max=9&goal=co2").context["page"]

    assert page.kept == [("model", "org/b"), ("min_trust", "T1"), ("e2e_ms_p50_max", "9")]


def test_htmx_gets_the_answer_alone_and_the_short_address(client, results):
    response = client.get("/analysis/?q=&goal=tokens_per_joule&itl_ms_p50_max=25", headers={"HX-Request": "true"})

    assert b"<html" not in response.content
    assert response["HX-Push-Url"] == "/analysis/?itl_ms_p50_max=25"


def test_an_anonymous_page_is_kept_until_the_data_change(client, results):
    first = client.get(ASKED)

    assert client.get(ASKED, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert not first.cookies


def test_readers_prices_count_and_stand_in_no_address_but_the_one_for_it(client, owner, results):
    Preferences.objects.create(user=owner, usd_per_kwh=1.25, pue=1.0)
    client.force_login(owner)

    response = client.get("/analysis/?goal=electricity")
    page = response.context["page"]

    assert page.best.figure == f"${0.2 / 3.6 * 1.25:.5f} per million tokens"
    assert page.private_share_url == "/analysis/?usd_per_kwh=1.25&pue=1&goal=electricity"
    addresses = re.findall(r'"([^"]*usd_per_kwh(?:=|%3D)1\.25[^"]*)"', response.content.decode())
    # Downloads are told the prices, as on the leaderboard.
    assert {address.split("?")[0] for address in addresses if not address.startswith("/api/benchmarks.")} == {
        "/analysis/",
        "/l/",
    }
    assert page.chart.csv_url == page.chart.permalink == page.chart.embed == ""
    assert "ETag" not in response


def test_the_leaderboard_leads_there(client, results):
    content = client.get("/").content.decode()
    (form,) = re.findall(r'<form class="quick-ask".*?</form>', content, re.DOTALL)

    assert 'action="/analysis/"' in form
    assert set(re.findall(r'name="(\w+)"', form)) == {"goal", "q", "itl_ms_p50_max", "usd_per_kwh"}


def test_a_short_link_gives_anyone_the_same_answer(client, owner, results):
    client.force_login(owner)
    address = client.post("/l/", {"url": ASKED}, headers={"Accept": "application/json"}).json()["url"]

    stranger = Client().get(address.removeprefix("http://testserver"), follow=True)

    assert stranger.redirect_chain == [(ASKED, 302)]
    assert stranger.context["page"].best == client.get(ASKED).context["page"].best


def test_the_same_view_has_the_same_link(db):
    first, second = short_link(ASKED), short_link(ASKED)

    assert first.code == second.code
    assert re.fullmatch("[a-z2-7]{10}", first.code)
    assert ShortLink.objects.count() == 1


def test_two_views_whose_hashes_begin_alike_have_two_links(db):
    code = short_link(ASKED).code
    ShortLink.objects.filter(code=code).update(url="/analysis/?q=other")

    assert short_link(ASKED).code.startswith(code)
    assert len(short_link(ASKED).code) == len(code) + 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/analysis/",
        "//evil.example/analysis/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/analysis/\r\nLocation: https://evil.example",
        "https:/analysis/",
        "javascript:alert(1)",
        "/analysis/#fragment",
        "/account/",
        "/accounts/logout/",
        "/admin/",
        "/l/abcdefghij/",
        "/analysis",
        "/analysis//evil.example/",
        "/models/no/such/page/",
        "/analysis/?q=" + "a" * 4000,
        "",
    ],
)
def test_only_pages_of_public_data_are_linked_to(client, db, url):
    with pytest.raises(NotAPageToLinkTo):
        check_url(url)

    assert client.post("/l/", {"url": url}).status_code == 422
    assert not ShortLink.objects.exists()


def test_a_stored_address_elsewhere_leads_nowhere(client, db):
    ShortLink.objects.create(code="evil", url="https://evil.example/")

    assert client.get("/l/evil/").status_code == 404


def test_without_javascript_a_page_makes_the_link(client, db):
    before = client.get("/l/", {"url": ASKED})
    after = client.post("/l/", {"url": ASKED})

    assert "Make the link" in text(before)
    assert f"http://testserver/l/{ShortLink.objects.get().code}/" in text(after)
    assert f"/l/{ShortLink.objects.get().code}/" in text(client.get("/l/", {"url": ASKED}))


def test_a_loop_gone_wild_is_stopped(client, db, monkeypatch):
    monkeypatch.setattr(links, "ASKED", 2)

    answers = [client.post("/l/", {"url": f"/analysis/?q={n}"}).status_code for n in range(4)]

    assert answers == [200, 200, 429, 429]


def test_the_chart_has_an_address_of_its_own_with_the_same_parameters(client, results):
    response = client.get("/charts/frontier.csv" + ASKED.removeprefix("/analysis/"))

    lines = response.content.decode().splitlines()
    assert len(lines) == 4
    assert "0.025" in lines[2]
