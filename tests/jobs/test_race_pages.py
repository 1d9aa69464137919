"""Pages of races, and the countdown on /live/."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import JobState, Race
from jobs.services.cancelling import cancel_job
from runs.models import Run
from tests.factories import UserFactory
from tests.jobs.queueing import finish
from tests.jobs.racing import MODEL, begun, lanes, ordered, racing_host, settle, started

pytestmark = pytest.mark.django_db


def form_of(*hosts: Any, **fields: Any) -> dict[str, Any]:
    return {
        "label": "Evening race",
        "model": MODEL,
        "use_cases": ["extraction", "code-review"],
        "agents": [str(one.agent.pk) for one in hosts],
        "max_tokens": "128",
        "concurrency": "2",
        "starts_at": "",
        **fields,
    }


def test_the_form_offers_the_hosts_that_take_jobs(client, owner):
    racing_host(name="alpha")
    racing_host(name="beta", is_draining=True)
    client.force_login(owner)

    page = client.get("/races/new/").text

    assert "alpha (1 x NVIDIA H100 80GB HBM3" in page
    assert "beta" not in page


def test_without_a_host_there_is_nobody_to_race(client, owner):
    client.force_login(owner)

    assert "nobody to race" in client.get("/races/new/").text


def test_an_order_leads_to_its_race(client, owner):
    one, two = racing_host(), racing_host()
    client.force_login(owner)

    response = client.post("/races/new/", form_of(one, two))

    race = Race.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/races/{race.pk}/")
    assert lanes(race)[0].config["use_cases"] == ["extraction", "code-review"]
    assert lanes(race)[0].config["max_tokens"] == 128


def test_a_start_is_taken_as_utc(client, owner):
    client.force_login(owner)
    moment = (timezone.now() + timedelta(hours=2)).replace(second=0, microsecond=0)

    client.post("/races/new/", form_of(racing_host(), starts_at=f"{moment:%Y-%m-%dT%H:%M}"))

    assert Race.objects.get().starts_at == moment


def test_choosing_simulated_hosts_makes_a_simulated_race(client, owner):
    client.force_login(owner)

    client.post("/races/new/", form_of(racing_host(is_simulated=True)))

    assert Race.objects.get().is_simulated


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "http://10.0.0.1/v1"}, "must be the name of a model"),
        ({"model": "org/a..b"}, "must be the name of a model"),
        ({"label": "a\tb"}, "must be plain text of one line"),
        ({"use_cases": []}, "This field is required"),
        ({"use_cases": ["chess"]}, "chess is not one of the available choices"),
        ({"agents": ["nobody"]}, "not one of the available choices"),
        ({"max_tokens": "9999999"}, "less than or equal to 1024"),
        ({"starts_at": "2001-01-01T10:00"}, "This moment has passed"),
        ({"starts_at": "tomorrow"}, "Enter a valid date/time"),
    ],
    ids=["address", "path", "control", "none", "unknown", "host", "tokens", "past", "words"],
)
def test_a_form_that_is_wrong_says_where(client, owner, fields, words):
    client.force_login(owner)

    response = client.post("/races/new/", form_of(racing_host(), **fields))

    assert response.status_code == 422
    assert words in response.text
    assert not Race.objects.exists()


def test_mixed_hosts_are_refused_at_their_field(client, owner):
    client.force_login(owner)

    response = client.post("/races/new/", form_of(racing_host(), racing_host(is_simulated=True)))

    assert "Simulated hosts race among themselves, and only" in response.text


def test_ordering_needs_a_person(client):
    response = client.post("/races/new/", form_of(racing_host()))

    assert response["Location"].startswith("/accounts/login/")
    assert not Race.objects.exists()


def test_a_race_that_waits_shows_its_lanes_to_everyone(client):
    race = ordered([racing_host(name="alpha"), racing_host(name="beta")])

    page = client.get(f"/races/{race.pk}/").text

    assert "Waits for its hosts" in page
    assert "alpha" in page
    assert "beta" in page
    assert "Cancel the race" not in page


def test_its_changing_part_comes_alone_and_stops_asking_at_the_end(client):
    race = ordered([racing_host()])
    cancel_job(job=lanes(race)[0], by=race.owner)
    settle(race)

    fragment = client.get(f"/races/{race.pk}/", headers={"HX-Request": "true"}).text

    assert "Did not start" in fragment
    assert "hx-get" not in fragment
    assert "<html" not in fragment


def test_a_race_that_runs_is_one_click_from_its_live_run(client):
    race, _ = started([racing_host()])

    assert f"/live/?run={race.run.key}" in client.get(f"/races/{race.pk}/").text


def test_a_race_with_events_links_its_record(client):
    race, (attempt,) = started([racing_host()])
    Run.objects.update(event_count=3, last_seq=3, last_event_at=timezone.now())
    finish(attempt)
    settle(race)

    page = client.get(f"/races/{race.pk}/").text

    assert f"/runs/{race.run.key}/" in page
    assert "Ended" in page


def test_the_owner_cancels_the_race(client):
    race = ordered([racing_host(), racing_host()])
    client.force_login(race.owner)

    response = client.post(f"/races/{race.pk}/cancel/")

    assert response["Location"] == f"/races/{race.pk}/"
    assert {job.state for job in lanes(race)} == {JobState.CANCELLED}
    assert "No lane was left" in client.post(f"/races/{race.pk}/cancel/", follow=True).text


def test_a_moderator_cancels_it_too(client, moderator):
    race = ordered([racing_host()])
    client.force_login(moderator)

    client.post(f"/races/{race.pk}/cancel/")

    assert lanes(race)[0].state == JobState.CANCELLED


def test_a_stranger_cannot(client):
    race = ordered([racing_host()])
    client.force_login(UserFactory())

    assert client.post(f"/races/{race.pk}/cancel/").status_code == 404
    assert client.get(f"/races/{race.pk}/cancel/").status_code == 405
    assert lanes(race)[0].state == JobState.QUEUED


def test_all_races_are_listed_newest_first(client):
    ordered([racing_host()], label="First race")
    ordered([racing_host(is_simulated=True)], label="Second race", simulate=True)

    page = client.get("/races/").text

    assert page.index("Second race") < page.index("First race")
    assert "simulated" in page


def test_the_list_asks_no_more_for_more_races(client, django_assert_max_num_queries):
    for _ in range(6):
        ordered([racing_host(), racing_host()])

    with django_assert_max_num_queries(6):
        client.get("/races/")


def test_without_a_race_the_list_says_so(client):
    assert "No race has been ordered yet" in client.get("/races/").text


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "\u202eexe.ecar", "{{ 7 }}"])
def test_a_hostile_label_is_only_text(client, label):
    race = ordered([racing_host()], label=label)

    for path in ("/races/", f"/races/{race.pk}/", "/live/"):
        assert "<script>alert" not in client.get(path).text


# /live/


def test_live_counts_down_to_the_next_scheduled_race(client):
    ordered([racing_host()], label="Later", starts_at=timezone.now() + timedelta(hours=5))
    ordered([racing_host()], label="Sooner", starts_at=timezone.now() + timedelta(minutes=12))

    page = client.get("/live/").text

    assert "Sooner" in page
    assert "Later" not in page
    assert 'data-countdown="7' in page


def test_live_says_for_what_a_race_waits(client):
    hosts = [racing_host(), racing_host()]
    race = ordered(hosts)
    begun(race, hosts)

    assert "0 of 2 hosts are ready" in client.get("/live/").text


def test_a_scheduled_race_is_not_live_before_its_start(client):
    ordered([racing_host()], starts_at=timezone.now() + timedelta(hours=5))

    assert "No run is live" in client.get("/live/").text


def test_a_race_that_goes_on_is_no_longer_ahead(client):
    race, _ = started([racing_host()])
    Race.objects.filter(pk=race.pk).update(go_at=timezone.now() - timedelta(seconds=1))

    assert "Next race" not in client.get("/live/").text


def test_without_races_live_is_as_it_was(client):
    assert "Next race" not in client.get("/live/").text
