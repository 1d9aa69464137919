"""A reader's own grid on the live page: theirs alone."""

from __future__ import annotations

from html import unescape

import pytest

from accounts.models import Preferences
from runs.models import Run
from tests.runs.factories import race
from tests.runs.test_pages_live import data_of, page_of, texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client, owner):
    race()
    Preferences.objects.create(user=owner, co2_g_per_kwh=47.5)
    client.force_login(owner)
    return client


def test_the_live_page_reckons_with_the_reader_s_grid_and_says_so(reader):
    html = page_of(reader, "/live/")

    assert texts(html, "co2_g") == ["46.2", "45.5", "42.1"]
    assert "47.5 g/kWh (from your settings) and PUE 1.2" in html
    assert data_of(html)["definitions"]["co2_g_per_kwh"] == 47.5


def test_their_pue_goes_with_it(reader):
    Preferences.objects.update(pue=2.4)

    assert texts(page_of(reader, "/live/"), "co2_g") == ["92.4", "91.0", "84.1"]


def test_one_click_goes_back_to_the_world_average(reader):
    html = page_of(reader, "/live/?prices=catalogue")

    assert "prices=catalogue" in page_of(reader, "/live/")
    assert texts(html, "co2_g") == ["462", "455", "421"]
    assert "475 g/kWh (world average, IEA 2019)" in html


def test_a_pue_without_a_grid_changes_nothing(reader):
    Preferences.objects.update(co2_g_per_kwh=None, pue=2.0)

    assert "world average" in page_of(reader, "/live/")


def test_others_see_the_world_average_and_no_cache_keeps_the_reader_s_page(reader, client):
    response = reader.get("/live/")
    reader.logout()

    assert "private" in response["Cache-Control"]
    assert texts(page_of(client, "/live/"), "co2_g") == ["462", "455", "421"]


@pytest.mark.parametrize("path", ["/live/", "/runs/{key}/", "/runs/{key}/replay/"], ids=["live", "run", "replay"])
def test_dollars_are_the_reader_s_own_price_and_the_page_says_so(reader, path):
    Preferences.objects.update(usd_per_gpu_hour=3.6)

    html = page_of(reader, path.format(key=Run.objects.get().key))

    assert set(texts(html, "price")) == {"$3.60/h"}
    assert "3.6 $ per GPU-hour (from your settings), counting one GPU a lane" in html
    assert "47.5 g/kWh (from your settings)" in html
    assert "Use everyone&#x27;s figures" in html or "Use everyone's figures" in html


@pytest.mark.parametrize("path", ["/live/", "/runs/{key}/", "/runs/{key}/replay/"], ids=["live", "run", "replay"])
def test_everyone_s_figures_are_one_click_away(reader, path):
    Preferences.objects.update(usd_per_gpu_hour=3.6)

    html = page_of(reader, path.format(key=Run.objects.get().key) + "?prices=catalogue")

    assert "$3.60/h" not in texts(html, "price")
    assert "$ is the lane's price per hour" in unescape(html)


def test_a_price_in_the_address_goes_first_and_is_said_to_be_from_there(reader, client):
    Preferences.objects.update(usd_per_gpu_hour=3.6)
    reader.logout()

    html = page_of(client, "/live/?usd_per_gpu_hour=1.5")

    assert set(texts(html, "price")) == {"$1.50/h"}
    assert "1.5 $ per GPU-hour (from the address)" in html
    assert data_of(html)["definitions"]["usd_per_gpu_hour"] == 1.5


@pytest.mark.parametrize("price", ["", "x", "-1", "nan", "inf", "1e9"])
def test_what_is_no_price_in_the_address_counts_for_nothing(reader, client, price):
    reader.logout()

    assert "$ is the lane's price per hour" in unescape(page_of(client, f"/live/?usd_per_gpu_hour={price}"))
