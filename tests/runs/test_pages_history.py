"""/runs/: filters, order, pages."""

import re
from datetime import timedelta

import pytest

from runs import history
from runs.models import RunStatus
from tests.runs.factories import START, LaneFactory, RunFactory, ended

pytestmark = pytest.mark.django_db


def labels(client, address="/runs/"):
    response = client.get(address)
    assert response.status_code == 200
    return re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', response.content.decode())


def run_at(hours, **fields):
    return RunFactory(started_at=START + timedelta(hours=hours), **fields)


def test_the_newest_run_comes_first(client):
    run_at(1, label="first")
    run_at(2, label="second")

    assert labels(client) == ["second", "first"]


def test_simulated_runs_are_hidden_counted_and_one_click_away(client):
    run_at(1, label="measured")
    run_at(2, label="trial", is_simulated=True)

    html = client.get("/runs/").content.decode()

    assert labels(client) == ["measured"]
    assert "1 simulated run is hidden" in html
    assert 'href="/runs/?simulated=on"' in html
    assert labels(client, "/runs/?simulated=on") == ["trial", "measured"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=NIGHT", ["nightly"]),
        ("q=key-b", ["evening"]),
        ("model=qwen", ["evening"]),
        ("model=Zürich", ["nightly"]),
        ("lane=L40S", ["nightly"]),
        ("state=live", ["evening"]),
        ("state=finished", ["nightly"]),
        ("state=failed", []),
        ("q=night&lane=L40S&state=finished", ["nightly"]),
        ("q=night&state=live", []),
    ],
)
def test_filters_leave_what_they_name(client, query, found):
    nightly = run_at(1, key="key-a", label="nightly", models_named=["llama", "Zürich-7b"], last_event_at=START)
    LaneFactory(run=nightly, type="L40S")
    LaneFactory(run=nightly, type="L40S")
    LaneFactory(run=run_at(2, key="key-b", label="evening", models_named=["Qwen3"]), type="H100")
    ended(nightly, RunStatus.FINISHED)

    assert labels(client, f"/runs/?{query}") == found


def test_a_filter_that_matches_nothing_says_so_and_can_be_cleared(client):
    run_at(1)

    html = client.get("/runs/?q=nothing-of-that-name").content.decode()

    assert "No run matches these filters." in html
    assert '<a href="/runs/">Clear</a>' in html


def test_before_the_first_run_the_page_says_so(client):
    assert "No run has been streamed yet." in client.get("/runs/").content.decode()


def test_pages_follow_each_other_without_a_run_missing_or_twice(client, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 2)
    for hours in (1, 2, 2, 2, 3):
        run_at(hours, label=f"race at {hours}")
    address, pages = "/runs/?q=race", []

    while address:
        pages.append(labels(client, address))
        following = re.findall(r'href="([^"]*)" rel="next"', client.get(address).content.decode())
        address = "".join(following).replace("&amp;", "&")

    assert pages == [["race at 3", "race at 2"], ["race at 2", "race at 2"], ["race at 1"]]


@pytest.mark.parametrize(
    "query",
    [
        "after=nonsense",
        "after=2026-01-01T00:00:00~1",
        "after=0001-01-01T00:00:00%2B23:00~1",
        "after=2026-01-01T00:00:00%2B00:00~99999999999999999999999",
        "q=%00",
        "state=odd&lane=odd",
        f"q={'x' * 300}",
    ],
)
def test_a_wrong_parameter_filters_nothing(client, query):
    run_at(1, label="race")

    assert labels(client, f"/runs/?{query}") == ["race"]


def test_the_number_of_queries_does_not_grow_with_the_runs(client, django_assert_max_num_queries):
    for hours in range(20):
        LaneFactory(run=run_at(hours))

    with django_assert_max_num_queries(4):
        client.get("/runs/")


def test_many_lanes_are_counted_behind_the_first(client):
    run = run_at(1)
    for number in range(7):
        LaneFactory(run=run, type=f"type {number}", position=number)

    assert "type 0, type 1, type 2, type 3 and 3 more" in client.get("/runs/").content.decode()
