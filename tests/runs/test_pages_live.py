"""/live/, the strip of the front page and the replay, as the server sends them."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from runs.models import RunStatus
from runs.sealing import seal
from tests.runs.factories import EvalScoreFactory, LaneFactory, RunFactory, ended, race, store, tick

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>{{ 7|add:7 }}"


def page_of(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def texts(html, name):
    return re.findall(rf'data-value="{name}">([^<]*)<', html.split("<template")[0])


def data_of(html, name="race-data"):
    return json.loads(html.split(f'<script id="{name}" type="application/json">')[1].split("</script>")[0])


def test_without_a_run_the_page_says_so_and_leads_to_the_last_one(client):
    ended(race(label="Evening race"))

    html = page_of(client, "/live/")

    assert "No run is live" in html
    assert "Evening race" in html


def test_a_streaming_run_shows_every_lane_with_its_figures(client):
    race(label="Nightly race")

    html = page_of(client, "/live/")

    assert "Nightly race" in html
    assert texts(html, "name") == ["H100", "A100", "A6000"]
    assert texts(html, "tokens_per_s") == ["144.0", "94.0", "35.0"]
    assert texts(html, "state_words") == ["Streaming"] * 3
    assert texts(html, "power_w") == ["420", "270", "93.0"]
    assert texts(html, "latency_ms") == ["28.6", "44.4", "129"]
    assert texts(html, "vram_gb") == ["42.5", "42.5", "42.5"]
    assert texts(html, "usd") == ["4.80", "3.81", "3.97"]
    assert texts(html, "co2_g") == ["462", "455", "421"]
    assert texts(html, "progress") == ["4 of 12"] * 3
    assert texts(html, "price") == ["$2.49/h", "$1.29/h", "$0.50/h"]


def test_the_fastest_lane_leads_and_full_memory_is_hot(client):
    race()

    html = page_of(client, "/live/").split("<template")[0]

    assert re.findall(r'class="lane s\d( lead)?"', html) == [" lead", "", ""]
    assert html.count('class="hot"') == 1


def test_what_the_figures_assume_is_on_the_page(client):
    race()

    html = page_of(client, "/live/")

    assert "475 g/kWh (world average, IEA 2019) and PUE 1.2" in html


def test_a_lane_and_a_run_that_fell_silent_are_stalled(client):
    run = race(seconds=30)
    store(run, tick(at=10**8, gpuId="H100"))

    html = page_of(client, "/live/")
    assert texts(html, "state_words") == ["Streaming", *["Stalled: no event for 10 s"] * 2]

    run.last_event_at = timezone.now() - timedelta(seconds=11)
    run.save()
    assert texts(page_of(client, "/live/"), "state_words") == ["Stalled: no event for 10 s"] * 3


def test_a_run_without_events_waits(client):
    run = RunFactory(label="Soon")
    LaneFactory(run=run, name="H100")

    html = page_of(client, "/live/")

    assert texts(html, "state_words") == ["Waiting for the first event"]
    assert texts(html, "tokens_per_s") == ["–"]


def test_a_finished_run_shows_its_closing_state(client):
    run = ended(race(), RunStatus.STOPPED)

    html = page_of(client, f"/live/?run={run.key}")

    assert texts(html, "tokens_per_s") == ["142.0", "92.0", "33.0"]
    assert texts(html, "rate_unit") == ["tok/s on average"] * 3
    assert texts(html, "state_words") == ["Stopped"] * 3
    assert reverse("runs:replay", args=[run.key]) in html


def test_a_simulated_run_says_so_in_its_heading(client):
    race(label="Trial", is_simulated=True)

    html = page_of(client, "/live/")

    assert re.search(r"<h1>Trial <span[^>]*>simulated</span></h1>", html)
    assert "no GPU ran" in html


def test_a_measured_run_comes_before_a_simulated_one_and_the_others_are_named(client):
    race(label="Measured")
    race(label="Trial", is_simulated=True)

    html = page_of(client, "/live/")

    assert "<h1>Measured</h1>" in html
    assert "Trial" in html.split("Other open runs")[1]


def test_the_script_gets_the_state_that_the_page_shows(client):
    run = race(seconds=5)

    data = data_of(page_of(client, "/live/"))

    assert (data["seq"], data["is_over"], data["socket"]) == (15, False, f"/ws/runs/{run.key}/")
    assert [lane["figures"]["tokenPerSec"]["last"] for lane in data["lanes"]] == [144.0, 94.0, 35.0]


def test_an_unknown_run_is_not_found(client):
    assert client.get("/live/?run=nobody").status_code == 404


@pytest.mark.parametrize("name", ["live", "detail", "replay", "list"])
def test_no_text_of_a_sender_becomes_markup(client, name):
    run = RunFactory(key="hostile", label=HOSTILE, note=HOSTILE, models_named=[HOSTILE])
    LaneFactory(run=run, name=HOSTILE, type=HOSTILE)
    store(run, tick(gpuId=HOSTILE, model=HOSTILE, useCase=f"</script>{HOSTILE}"))
    EvalScoreFactory(run=run, model=HOSTILE, use_case=HOSTILE)

    html = page_of(client, reverse(f"runs:{name}", args=[] if name in ("live", "list") else [run.key]))

    assert "onerror" in html
    assert "<img" not in html
    assert html.count("</script>") == html.count("<script")


def test_any_number_of_lanes_has_a_card(client):
    run = RunFactory()
    store(run, *(tick(gpuId=f"gpu-{number}") for number in range(9)))

    html = page_of(client, "/live/").split("<template")[0]

    assert re.findall(r'class="lane s(\d)', html) == ["1", "2", "3", "4", "5", "6", "1", "2", "3"]


def test_the_number_of_queries_does_not_grow_with_lanes_and_events(client, django_assert_max_num_queries):
    race(seconds=60)
    RunFactory()

    with django_assert_max_num_queries(6):
        page_of(client, "/live/")


def test_the_strip_is_empty_while_nothing_is_live(client):
    ended(race())

    response = client.get("/live/strip/")

    assert (response.status_code, response.content) == (204, b"")


def test_the_strip_names_the_run_and_its_lanes(client):
    run = race(label="Nightly race", is_simulated=True)

    html = page_of(client, "/live/strip/")

    assert f"/live/?run={run.key}" in html
    assert all(text in html for text in ("Nightly race", "simulated", "H100", "144.0", "A6000"))


def test_the_front_page_stays_the_same_while_a_run_is_live(client):
    before = client.get("/")
    race(label="Nightly race")

    after = client.get("/", headers={"If-None-Match": before["ETag"]})

    assert after.status_code == 304
    assert not client.cookies
    assert 'data-strip="/live/strip/"' in before.content.decode()


def test_a_replay_holds_the_lanes_and_where_their_series_are(client):
    run = ended(race(key="done"))

    html = page_of(client, "/runs/done/replay/")

    data = data_of(html, "replay-data")
    assert data["series_url"] == "/runs/done/series.json"
    assert [lane["name"] for lane in data["lanes"]] == ["H100", "A100", "A6000"]
    assert texts(html, "tokens_per_s") == ["142.0", "92.0", "33.0"]
    assert run.key in html


@pytest.mark.parametrize("address", ["/live/", "/live/strip/", "/runs/", "/compare/"])
def test_pages_are_read_only(client, address):
    assert client.post(address).status_code == 405


def test_a_key_that_a_path_cannot_carry_has_an_address_of_its_own(client):
    run = race(key="a/b c", label="Odd key")

    html = page_of(client, "/live/?run=a/b%20c")

    assert f'href="/runs/~{run.pk}/"' in html
    assert data_of(html)["socket"] == ""
    assert "Odd key" in page_of(client, f"/runs/~{run.pk}/")


@pytest.mark.parametrize(
    "address", ["/live/?run={key}", "/runs/{key}/", "/runs/{key}/replay/"], ids=["live", "run", "replay"]
)
def test_figures_that_nobody_reviewed_say_so_and_lead_to_why(client, address):
    run = ended(race())

    html = page_of(client, address.format(key=run.key))

    assert '<a class="trust T0" href="/methodology/#live">Live, not reviewed</a>' in html
    assert 'id="live"' in page_of(client, "/methodology/")


@pytest.mark.parametrize(
    "address", ["/live/?run={key}", "/runs/{key}/", "/runs/{key}/replay/"], ids=["live", "run", "replay"]
)
def test_figures_of_a_simulated_run_are_never_called_reported(client, address):
    run = ended(race(is_simulated=True))

    html = page_of(client, address.format(key=run.key))

    assert "This race is simulated: no GPU ran." in html
    assert "Live, not reviewed" not in html


def test_means_over_live_runs_say_so_too(client):
    seal(ended(race()))

    assert '<a class="trust T0" href="/methodology/#live">Live, not reviewed</a>' in page_of(client, "/compare/")


@pytest.mark.parametrize(("simulated", "words"), [(False, "not reviewed"), (True, "simulated")])
def test_the_strip_says_what_its_figures_are(client, simulated, words):
    race(is_simulated=simulated)

    assert words in page_of(client, "/live/strip/")
