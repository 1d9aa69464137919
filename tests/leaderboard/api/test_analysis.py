"""/api/analysis: the answer of the page, as figures."""

from __future__ import annotations

import pytest

from leaderboard.models import Result
from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result

pytestmark = pytest.mark.django_db


def get(client, query="", status=200):
    response = client.get(f"/api/analysis{query}")
    assert response.status_code == status, response.content
    return response.json()


@pytest.fixture
def results():
    shared = {"model": LanguageModelFactory(name="org/a"), "hardware": HardwareFactory(), "backend": BackendFactory()}
    return [published_result(tokens_per_joule=t, itl_ms_p50=i, **shared) for t, i in ((2.0, 10.0), (4.0, 20.0))]


def test_the_answer_and_its_frontier(anonymous, results):
    body = get(anonymous, "?itl_ms_p50_max=15")

    assert (body["answer"]["id"], body["answer"]["value"]) == (str(results[0].pk), 2.0)
    assert body["answer"]["figures"] == {"itl_ms_p50": 10.0}
    assert (body["frontier"]["x"], body["frontier"]["y"]) == ("itl_ms_p50", "tokens_per_joule")
    assert [point["value"] for point in body["frontier"]["points"]] == [2.0, 4.0]
    assert [row["model"] for row in body["models"]] == ["org/a"]


def test_the_counts_say_what_was_left_out(anonymous, results):
    Result.objects.filter(pk=results[1].pk).update(itl_ms_p50=None)

    counts = get(anonymous, "?itl_ms_p50_max=15")["counts"]

    assert (counts["considered"], counts["with_figure"], counts["energy_scope"]) == (2, 2, "gpu")
    assert counts["limits"] == [
        {"column": "itl_ms_p50", "edge": "max", "limit": 15.0, "stated": 1, "met": 1, "reached": 10.0}
    ]


def test_prices_are_computed_from_energy_per_token(anonymous, results):
    body = get(anonymous, "?goal=electricity&usd_per_kwh=0.36&pue=1&itl_ms_p50_max=15")

    assert body["answer"]["value"] == pytest.approx(0.5 * 1e6 / 3.6e6 * 0.36)
    assert (body["figure"], body["unit"]) == ("cost_per_million_tokens_usd", "$/M tokens")
    assert body["assumptions"][0] == "At $0.36 per kWh and PUE 1."


def test_an_unstated_latency_is_answered_by_the_nearest_and_named(anonymous, results):
    Result.objects.update(tpot_ms_mean=12.0)

    body = get(anonymous, "?tpot_ms_p50_max=15")

    assert (body["instead"]["unstated"], body["instead"]["nearest"]) == ("tpot_ms_p50", "tpot_ms_mean")
    assert body["why_none"] == [
        "None of the 2 results states its TPOT p50, so of none can be said that it keeps the limit."
    ]


def test_an_unknown_parameter_is_refused_with_a_suggestion(anonymous):
    body = get(anonymous, "?itl_p50_max=15", status=400)

    assert "itl_ms_p50_max" in body["error"]["fields"]["itl_p50_max"]


def test_a_wrong_value_is_refused_by_its_name(anonymous):
    assert set(get(anonymous, "?goal=speed&country=XYZ", status=400)["error"]["fields"]) == {"goal", "country"}


def test_nothing_published_has_no_answer(anonymous):
    body = get(anonymous)

    assert (body["answer"], body["frontier"]["points"], body["why_none"]) == (
        None,
        [],
        ["No result passes the filters."],
    )


def test_it_is_kept_until_the_data_change(anonymous, results):
    first = anonymous.get("/api/analysis")

    assert anonymous.get("/api/analysis", headers={"If-None-Match": first["ETag"]}).status_code == 304
