"""The simulated race: figures that hang together, and a sender that survives its site."""

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx2
import pytest
from django.core.management import CommandError, call_command

from runs.management.commands import simulate
from runs.simulation import CARDS, CASES, MODELS, Race
from runs.wire import parse_message

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LANES = list(CARDS)


def played(seconds: float, *, lanes=LANES, every_s=0.2, seed=7) -> list[dict]:
    race = Race(lanes, NOW, seed)
    ticks = [race.tick(NOW + timedelta(seconds=n * every_s), every_s) for n in range(round(seconds / every_s))]
    return [message for tick in ticks for message in tick]


def events(messages, lane=None) -> list[dict]:
    payloads = [message["payload"] for message in messages if message["kind"] == "progress"]
    return [one for one in payloads if lane in {None, one["gpuId"]}]


def scores(messages) -> list[dict]:
    return [message["payload"] for message in messages if message["kind"] == "score"]


def mean(values) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def test_every_message_is_one_of_the_contract():
    race = Race(LANES, NOW, 7)
    messages = [race.start(NOW), *race.tick(NOW, 60.0), race.end(NOW, "finished")]

    kinds = [parse_message(message, now=NOW).kind for message in messages]

    assert kinds[0] == "run_start"
    assert {"progress", "score"} == set(kinds[1:-1])
    assert kinds[-1] == "run_end"


def test_the_run_says_that_it_is_simulated():
    start = Race(LANES, NOW, 7).start(NOW)["payload"]

    assert start["simulated"] is True
    assert start["promptLabel"].startswith("Simulated race")
    assert start["runId"].startswith("simulated-race-20260501-120000-")
    assert "nothing here was measured" in start["note"]


def test_the_faster_memory_makes_the_faster_lane():
    messages = played(60)

    a6000, a100, h100 = (mean(one["tokenPerSec"] for one in events(messages, CARDS[name].lane)) for name in LANES)

    assert a6000 < a100 < h100


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_no_lane_decodes_faster_than_its_memory_can_read_the_weights(card):
    told = events(played(120), card.lane)

    bound = card.bandwidth_gb_per_s * 1e9 / MODELS[0].weight_bytes * 16

    assert max(one["tokenPerSec"] for one in told) < bound


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_power_rises_from_idle_with_load_and_stays_below_the_limit(card):
    told = events(played(120), card.lane)

    assert told[0]["powerW"] < mean(one["powerW"] for one in told)
    assert all(card.idle_w <= one["powerW"] <= card.limit_w for one in told)


def test_temperature_follows_power_slowly_and_settles():
    told = [one["temperatureC"] for one in events(played(300), "a6000-0")]

    assert told[0] < 32
    assert 60 < told[-1] < 85
    assert max(abs(after - before) for before, after in pairwise(told)) < 1


def test_energy_and_tokens_are_those_since_the_last_event():
    told = events(played(60), "a100-0")

    assert sum(one["energyJ"] for one in told) == pytest.approx(mean(one["powerW"] for one in told) * 60, rel=0.01)
    assert sum(one["outputTokens"] for one in told) == pytest.approx(
        mean(one["tokenPerSec"] for one in told) * 60, rel=0.05
    )


def test_memory_grows_with_the_model_and_fits_the_card():
    told = events(played(700), "h100-0")
    used = {one["model"]: one["vramUsedMB"] for one in told}

    assert [used[model.name] for model in MODELS] == sorted(used.values())
    assert all(one["vramUsedMB"] < 80_000 for one in told)


def test_each_use_case_has_twelve_cases_and_each_ends_with_a_score():
    messages = played(120, lanes=["h100"])

    assert {one["evalTotal"] for one in events(messages)} == {CASES}
    assert {one["evalProgressIdx"] for one in events(messages)} == set(range(1, CASES + 1))
    done = [one["testCaseId"] for one in scores(messages)]
    assert done[:12] == [f"question-answering-{number:02d}" for number in range(1, 13)]
    assert len({one["useCase"] for one in scores(messages)}) == 4


def test_a_model_scores_nearly_the_same_on_every_lane():
    by_case: dict[tuple[str, str], list[float]] = {}
    for one in scores(played(60)):
        by_case.setdefault((one["model"], one["testCaseId"]), []).append(one["composite"])

    repeated = [values for values in by_case.values() if len(values) == 3]
    assert repeated
    assert all(max(values) - min(values) < 0.1 for values in repeated)


def test_a_seed_repeats_its_race():
    assert played(5, seed=3) == played(5, seed=3)
    assert played(5, seed=3) != played(5, seed=4)


class FakeSite:
    """Takes the place of httpx's network; `faults` are answered first."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.faults: list[int | Exception] = []
        self.runs: list[dict] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return httpx2.Response(fault, json={"error": "no"})
        if request.url.path == "/api/runs":
            return httpx2.Response(200, json={"runs": self.runs})
        assert request.headers["X-Ingest-Token"] == "secret"
        batch = json.loads(request.content)
        self.messages += batch
        return httpx2.Response(200, json={"ok": True, "accepted": len(batch), "rejected": []})

    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.messages]


@pytest.fixture
def site(monkeypatch):
    site, real = FakeSite(), httpx2.Client
    monkeypatch.setattr(httpx2, "Client", lambda **options: real(transport=httpx2.MockTransport(site), **options))
    monkeypatch.setattr(simulate, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return site


def test_the_command_plays_a_race_from_start_to_end(site, capsys):
    call_command("simulate", token="secret", minutes=0.02, rate=10)

    assert site.kinds()[0] == "run_start"
    assert site.kinds()[-1] == "run_end"
    assert site.messages[-1]["payload"]["status"] == "finished"
    assert 15 <= site.kinds().count("progress") <= 36
    assert "has ended" in capsys.readouterr().out


def test_the_command_plays_only_the_lanes_asked_for(site):
    call_command("simulate", token="secret", minutes=0.01, lanes=["h100"])

    assert [gpu["name"] for gpu in site.messages[0]["payload"]["gpus"]] == ["h100-0"]


def test_a_simulated_run_that_was_left_open_is_ended_first_and_no_other(site):
    site.runs = [
        {"id": "simulated-race-1", "endedAt": None},
        {"id": "simulated-race-2", "endedAt": "2026-05-01T12:00:00Z"},
        {"id": "nightly", "endedAt": None},
    ]

    call_command("simulate", token="secret", minutes=0.01)

    first = site.messages[0]
    assert (first["kind"], first["payload"]["runId"], first["payload"]["status"]) == (
        "run_end",
        "simulated-race-1",
        "stopped",
    )
    assert site.kinds().count("run_end") == 2


def test_the_command_waits_for_a_site_that_starts(site):
    site.faults = [httpx2.ConnectError("refused"), httpx2.ConnectError("refused")]

    call_command("simulate", token="secret", minutes=0.01)

    assert site.kinds()[-1] == "run_end"


def test_what_the_site_did_not_take_is_sent_again(site):
    site.faults = [404, 503, httpx2.ReadTimeout("slow")]

    call_command("simulate", token="secret", minutes=0.02, rate=10)

    assert site.kinds()[0] == "run_start"
    ids = [one["eventId"] for one in events(site.messages)]
    assert ids == [f"tick-{number}" for number in range(1, len(ids) + 1)]


def test_a_refused_token_ends_the_command_with_one_sentence(site):
    site.faults = [200, 401]

    with pytest.raises(CommandError, match="refuses the token"):
        call_command("simulate", token="secret", minutes=0.01)


def test_a_race_that_is_told_to_stop_says_so(site):
    stop = threading.Event()
    stop.set()

    with simulate.Feed("http://site", "secret", stop) as feed:
        simulate.run_race(Race(LANES, NOW), feed, stop, seconds=60, every_s=0.2)

    assert site.messages[-1]["payload"]["status"] == "stopped"


def test_the_next_race_follows_after_a_pause(site, monkeypatch):
    races = []

    def once(race, feed, stop, **_):
        races.append(race.key)
        if len(races) == 2:
            stop.set()

    monkeypatch.setattr(simulate, "run_race", once)

    call_command("simulate", token="secret", forever=True, pause=0.01)

    assert len(races) == 2


def test_the_race_ends_with_its_parent(site):
    call_command("simulate", token="secret", forever=True, parent=1)

    assert site.kinds().count("run_start") == site.kinds().count("run_end")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"rate": 11}, "--rate is 2 to 10"), ({"minutes": 0}, "--minutes"), ({"token": ""}, "There is no token")],
)
def test_an_odd_option_is_refused(site, options, said):
    with pytest.raises(CommandError, match=said):
        call_command("simulate", **{"token": "secret", **options})
