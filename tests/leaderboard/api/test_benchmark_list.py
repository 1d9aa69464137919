from __future__ import annotations

import pytest

from leaderboard.models import Trust
from tests.factories import HardwareFactory, LanguageModelFactory, ResultFactory, published_result
from tests.leaderboard.api.clients import BENCHMARKS

pytestmark = pytest.mark.django_db


def get(client, query=""):
    response = client.get(f"{BENCHMARKS}{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_anonymous_reads_the_ranked_results_best_first(anonymous):
    published_result(tokens_per_joule=1.0)
    published_result(tokens_per_joule=3.0)

    body = get(anonymous)

    assert [result["tokens_per_joule"] for result in body["results"]] == [3.0, 1.0]
    assert (body["view"], body["sort"], body["next"]) == ("best", "-tokens_per_joule", None)


def test_what_is_not_ranked_is_not_listed(anonymous):
    ResultFactory()

    assert get(anonymous, "?view=all&min_trust=T1")["results"] == []


def test_a_result_bears_the_catalogues_names_and_those_given(anonymous):
    published_result(hardware_name="NVIDIA H100 80GB HBM3")

    result = get(anonymous)["results"][0]

    assert result["hardware"].startswith("gpu-")
    assert result["hardware_reported"] == "NVIDIA H100 80GB HBM3"
    assert (result["trust"], result["status"]) == ("T2", "published")
    assert result["itl_ms_p50"] is None


def test_results_below_the_trust_asked_for_are_left_out(anonymous):
    published_result(trust=Trust.SELF_REPORTED)

    assert get(anonymous)["results"] == []
    assert [result["trust"] for result in get(anonymous, "?min_trust=T1")["results"]] == ["T1"]


def test_facets_limits_and_sort_choose_the_rows(anonymous):
    gpu = HardwareFactory(slug="h100-sxm")
    published_result(hardware=gpu, throughput_tokens_per_s=100.0)
    published_result(hardware=gpu, throughput_tokens_per_s=300.0)
    published_result(throughput_tokens_per_s=900.0)

    body = get(anonymous, "?hardware=h100-sxm&throughput_tokens_per_s_min=200&sort=-throughput_tokens_per_s")

    assert [result["throughput_tokens_per_s"] for result in body["results"]] == [300.0]


def test_the_readers_prices_and_grid_fill_their_columns(anonymous):
    published_result(
        throughput_tokens_per_s=1000.0, gpu_seconds_per_million_tokens=1000.0, energy_per_output_token_j=3.6
    )

    result = get(anonymous, "?usd_per_gpu_hour=3.6&co2_g_per_kwh=100&pue=1")["results"][0]

    assert result["cost_per_million_tokens_usd"] == pytest.approx(1.0)
    assert result["co2_g_per_million_tokens"] == pytest.approx(100.0)
    assert get(anonymous)["results"][0]["co2_g_per_million_tokens"] is None


def test_chosen_columns_leave_the_others_out(anonymous):
    published_result()

    result = get(anonymous, "?columns=tokens_per_joule,itl_ms_p50")["results"][0]

    assert {"tokens_per_joule", "itl_ms_p50", "model", "trust", "energy_scope"} <= set(result)
    assert "avg_power_w" not in result


def test_the_next_page_begins_where_the_last_one_ended(anonymous):
    for value in (1.0, 2.0, 3.0):
        published_result(tokens_per_joule=value)

    first = get(anonymous, "?limit=2&view=all")
    second = anonymous.get(first["next"]).json()

    assert [r["tokens_per_joule"] for r in first["results"] + second["results"]] == [3.0, 2.0, 1.0]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("?sort=speed", "sort", "tokens_per_joule"),
        ("?limit=0", "limit", "1 to 500"),
        ("?limit=501", "limit", "1 to 500"),
        ("?cursor=x", "cursor", "next"),
        ("?min_trust=T9", "min_trust", "T1"),
        ("?itl_ms_p50_max=fast", "itl_ms_p50_max", "number"),
        ("?sorted=-tokens_per_joule", "sorted", "sort"),
        ("?hardwares=h100", "hardwares", "hardware"),
        ("?q=%00", "q", "control"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(anonymous, query, field, hint):
    response = anonymous.get(f"{BENCHMARKS}{query}")

    error = response.json()["error"]
    assert response.status_code == 400
    assert hint in error["fields"][field]


def test_an_unchanged_list_is_304_until_something_is_published(anonymous):
    published_result()
    etag = anonymous.get(BENCHMARKS)["ETag"]

    unchanged = anonymous.get(BENCHMARKS, HTTP_IF_NONE_MATCH=etag)
    published_result()
    changed = anonymous.get(BENCHMARKS, HTTP_IF_NONE_MATCH=etag)

    assert unchanged.status_code == 304
    assert changed.status_code == 200


def test_the_number_of_queries_does_not_grow(anonymous, django_assert_max_num_queries):
    published_result()
    with django_assert_max_num_queries(8) as few:
        get(anonymous, "?view=all")
    for _ in range(10):
        published_result()

    with django_assert_max_num_queries(len(few)):
        get(anonymous, "?view=all")


def test_a_slash_at_the_end_is_accepted(anonymous):
    assert anonymous.get(f"{BENCHMARKS}/").status_code == 200


def test_models_and_hardware_count_their_ranked_results(anonymous):
    model, gpu = LanguageModelFactory(name="org/counted"), HardwareFactory(slug="counted")
    published_result(model=model, hardware=gpu)

    found_model = anonymous.get("/api/models/org/counted").json()
    found_gpu = anonymous.get("/api/hardware/counted/").json()

    assert (found_model["results"], found_gpu["results"]) == (1, 1)
    assert found_model["aliases"] == ["org/counted"]
    assert found_model["url"].endswith("/models/org/counted/")


@pytest.mark.parametrize("path", ["/api/models/org/none", "/api/hardware/none", "/api/models/org/%00", "/api/nothing"])
def test_what_is_not_there_is_404_in_the_one_shape(anonymous, path):
    response = anonymous.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/models", "/api/hardware"])
def test_the_catalogue_is_read_page_by_page(anonymous, path, django_assert_max_num_queries):
    for _ in range(3):
        LanguageModelFactory()
        HardwareFactory()
    first = anonymous.get(f"{path}?limit=2").json()

    second = anonymous.get(first["next"]).json()

    assert len(first["results"]) == len(second["results"]) == 2
    assert second["next"] is None
    with django_assert_max_num_queries(20):
        anonymous.get(path)


def test_a_wrong_cursor_of_the_catalogue_is_named(anonymous):
    response = anonymous.get("/api/models?cursor=x")

    assert response.status_code == 400
    assert "next" in response.json()["error"]["fields"]["cursor"]
