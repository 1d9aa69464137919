"""/runs/<key>/ and what hangs below it."""

import re
import shutil

import pytest
from django.core.cache import cache

from runs.models import Run, RunStatus
from runs.sealing import seal
from tests.conftest import TEST_HOME
from tests.runs.factories import EvalScoreFactory, RunFactory, ended, race, store, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage():
    shutil.rmtree(TEST_HOME / "files" / "runs", ignore_errors=True)
    yield
    shutil.rmtree(TEST_HOME / "files" / "runs", ignore_errors=True)


def page_of(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def cells(html):
    """Rows of all tables as texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_a_run_shows_state_models_note_and_downloads(client):
    ended(race(key="done", label="Nightly", note="A quiet night.", models_named=["m1", "m2"]), RunStatus.FAILED)

    html = page_of(client, "/runs/done/")

    assert all(text in html for text in ("Nightly", "Failed", "A quiet night.", "m1, m2", "90 events"))
    assert [f"/runs/done/events.{kind}" in html for kind in ("jsonl", "csv", "parquet")] == [True] * 3
    assert "Closing state of the lanes" in html


def test_a_chart_for_every_figure_that_was_sent_with_the_table_behind_it(client):
    ended(race(key="done", seconds=5))

    html = page_of(client, "/runs/done/")

    names = ["tokenPerSec", "latencyMs", "vramUsedMB", "powerW", "temperatureC"]
    assert re.findall(r'data-chart="(\w+)"', html) == names
    assert ["H100", "142", "140", "144", "144", "5"] in cells(html)
    assert ["H100", "42.5", "42.5", "42.5", "42.5", "5"] in cells(html)


def test_a_figure_that_nobody_sent_has_no_chart(client):
    store(RunFactory(key="bare"), tick())

    html = page_of(client, "/runs/bare/")

    assert 'data-chart="tokenPerSec"' in html
    assert 'data-chart="powerW"' not in html
    assert "not measured" in html


def test_scores_are_means_per_model_and_use_case(client):
    run = race(key="done")
    for composite in (0.5, 0.7):
        EvalScoreFactory(run=run, model="m1", use_case="qa", composite=composite)
    EvalScoreFactory(run=run, model="m1", use_case="code", composite=0.9)
    EvalScoreFactory(run=run, model="m2", use_case="qa", composite=0.25)

    rows = cells(page_of(client, "/runs/done/"))

    assert ["Model", "code", "qa", "all"] in rows
    assert ["m1", "0.900", "0.600", "0.700"] in rows
    assert ["m2", "not scored", "0.250", "0.250"] in rows


def test_the_newest_hundred_events_come_newest_first(client):
    run = RunFactory(key="long")
    store(run, *(tick(at=second, tokenPerSec=float(second)) for second in range(150)))

    html = page_of(client, "/runs/long/")

    rows = [row for row in cells(html) if row[0].startswith("12:0")]
    assert len(rows) == 100
    assert rows[0][:6] == ["12:02:29.000", "H100", "llama-3.1-8b", "code-review", "4 of 12", "149.0"]
    assert "The newest 100 of 150 events" in html


def test_other_sites_get_a_picture_and_a_sentence(client):
    ended(race(key="done", label="Nightly", seconds=5))

    html = page_of(client, "/runs/done/")

    assert '<meta property="og:image" content="http://testserver/runs/done/card.png">' in html
    assert '<meta property="og:url" content="http://testserver/runs/done/">' in html
    assert "3 lanes over" in html.split('og:description" content="')[1].split('"')[0]
    assert client.get("/runs/done/card.png")["Content-Type"] == "image/png"


def test_a_live_run_leads_to_the_race_and_a_simulated_one_says_so(client):
    race(key="now", is_simulated=True)

    html = page_of(client, "/runs/now/")

    assert "Lanes as of now" in html
    assert "/live/?run=now" in html
    assert html.count('class="tag simulated"') == 1


def test_a_sealed_run_shows_the_same(client, storage):
    run = ended(race(key="done", seconds=5))
    before = page_of(client, "/runs/done/")

    assert seal(run)
    cache.clear()

    assert page_of(client, "/runs/done/") == before


def test_the_series_of_an_open_and_of_a_sealed_run_are_alike(client, storage):
    run = race(key="done", seconds=5)
    opened = client.get("/runs/done/series.json")

    assert seal(ended(run))
    sealed = client.get("/runs/done/series.json")

    assert opened.json() == sealed.json()
    assert opened.json()["lanes"] == ["H100", "A100", "A6000"]
    assert opened["Cache-Control"] == "no-cache"
    assert "max-age" in sealed["Cache-Control"]


def test_a_run_of_which_nothing_is_known_yet_has_a_page(client):
    RunFactory(key="empty")

    html = page_of(client, "/runs/empty/")

    assert "No lane has reported" in html
    assert "No event has arrived" in html
    assert client.get("/runs/empty/series.json").status_code == 200


@pytest.mark.parametrize("rest", ["", "replay/", "series.json", "card.png", "events.jsonl"])
def test_an_unknown_run_is_not_found(client, rest):
    assert client.get(f"/runs/nobody/{rest}").status_code == 404
    assert client.get(f"/runs/~99999999999999999999/{rest}").status_code == 404


def test_a_download_of_no_known_kind_is_not_found(client):
    RunFactory(key="done")

    assert client.get("/runs/done/events.xml").status_code == 404


def test_a_downloaded_file_is_complete(client):
    race(key="done", seconds=5)

    response = client.get("/runs/done/events.jsonl")

    assert len(b"".join(response).splitlines()) == 15
    assert Run.objects.get().event_count == 15
