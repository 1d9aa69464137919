"""A reader's own prices on the leaderboard: theirs alone, in no address, and in no cache."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Preferences
from leaderboard.board import BoardQuery, Prices
from tests.factories import published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
CHIP = "Your prices: $12.5 per GPU-hour"


@pytest.fixture
def result():
    return published_result(gpu_seconds_per_million_tokens=360.0, cost_per_million_tokens_usd=0.2)


@pytest.fixture
def reader(client, owner, result):
    Preferences.objects.create(user=owner, usd_per_gpu_hour=12.5)
    client.force_login(owner)
    return client


def cost(response):
    (row,) = response.context["board"].rows
    heads = [head.name for head in response.context["board"].heads]
    return row.cells[heads.index("cost_per_million_tokens_usd")].text


def test_the_reader_sees_costs_at_their_prices_and_is_told_so(reader):
    response = reader.get("/")

    assert cost(response) == "1.250"
    assert CHIP in text(response)


def test_one_click_goes_back_to_the_catalogue_and_another_returns(reader):
    (off,) = [chip for chip in reader.get("/").context["board"].chips if chip.label == CHIP]

    response = reader.get(off.url)
    (on,) = [chip for chip in response.context["board"].chips if chip.label == "Catalogue prices"]

    assert cost(response) == "0.2000"
    assert "Your prices" not in text(response)
    assert cost(reader.get(on.url)) == "1.250"


def test_what_the_address_says_goes_before_the_settings(reader):
    response = reader.get("/?usd_per_gpu_hour=5")

    assert cost(response) == "0.5000"
    assert "Your prices" not in text(response)


def test_no_address_on_the_page_carries_the_settings_but_the_downloads(reader):
    response = reader.get("/?view=all&sort=cost_per_million_tokens_usd")
    content = response.content.decode()

    assert content.count("usd_per_gpu_hour=12.5") == 3
    assert all("usd_per_gpu_hour=12.5" in link.url for link in response.context["board"].downloads)
    assert 'value="12.5"' not in content


def test_the_address_that_htmx_writes_carries_no_settings(reader):
    response = reader.get("/?view=all", headers={"HX-Request": "true"})

    assert cost(response) == "1.250"
    assert response["HX-Push-Url"] == "/?view=all"


def test_no_cache_keeps_the_page_of_a_reader(reader):
    response = reader.get("/")

    assert "private" in response["Cache-Control"]
    assert "ETag" not in response
    assert "Cookie" in response["Vary"]


@pytest.mark.parametrize("address", ["/", "/?sort=cost_per_million_tokens_usd", "/?cost_per_million_tokens_usd_max=1"])
def test_the_settings_of_one_reader_reach_nobody_else(reader, stranger, address):
    reader.get(address)
    other = Client()
    other.force_login(stranger)

    for browser in (Client(), other):
        response = browser.get(address)
        assert cost(response) == "0.2000"
        assert "12.5" not in text(response)


def test_an_anonymous_reader_s_tag_is_worth_nothing_to_who_signs_in(client, owner, result):
    tag = client.get("/")["ETag"]
    Preferences.objects.create(user=owner, usd_per_gpu_hour=12.5)
    client.force_login(owner)

    response = client.get("/", headers={"If-None-Match": tag})

    assert response.status_code == 200
    assert cost(response) == "1.250"


def test_a_limit_on_cost_holds_at_the_reader_s_prices(reader):
    assert not reader.get("/?cost_per_million_tokens_usd_max=1").context["board"].rows
    assert reader.get("/?cost_per_million_tokens_usd_max=2").context["board"].rows


def test_settings_without_prices_change_nothing():
    query = BoardQuery()

    assert query.with_settings(Prices()) is query


def test_an_odd_choice_of_prices_is_left_out_and_said(client, result):
    assert "prices was left out" in text(client.get("/?prices=mine"))
