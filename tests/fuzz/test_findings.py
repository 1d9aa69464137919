"""What the attacks found, each once more by itself (docs/attacks.md)."""

from __future__ import annotations

import io
import json

import pytest
from django.http import QueryDict

from benchmarks.attacks.archives import GOOD, zipped
from jobs.api.serializers import EstimateSerializer
from leaderboard.board import MAX_PRICE, BoardQueryError, parse_board_query
from leaderboard.importers import ImportRefused, import_files
from leaderboard.metrics import gpu_seconds_per_million_tokens
from leaderboard.normal import CONFIG_EDITED
from lemsite.lib.archives import BadArchive, Entry, unpack
from tests.jobs.factories import JobFactory
from tests.leaderboard.checks.builders import result, severities
from tests.leaderboard.importers import samples


@pytest.mark.parametrize("accept", ["application/xml", "text/html;q=0", "x" * 5_000])
def test_what_a_client_accepts_does_not_matter_where_there_is_one_form(client, db, accept):
    answer = client.get("/api/models", headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("name", ["usd_per_gpu_hour", "usd_per_kwh", "pue", "co2_g_per_kwh"])
def test_a_price_that_would_make_costs_infinite_is_refused(name):
    with pytest.raises(BoardQueryError) as caught:
        parse_board_query(QueryDict(f"{name}={MAX_PRICE * 2}"))

    assert list(caught.value.fields) == [name]


@pytest.mark.parametrize("number", [1e101, 1e-101])
def test_a_figure_beyond_any_measurement_is_refused(number):
    with pytest.raises(ImportRefused, match="total_energy_j"):
        import_files([Entry("own.json", json.dumps(samples.normal(total_energy_j=number)).encode())])


def test_a_ratio_beyond_any_measurement_is_left_out():
    parsed = import_files([Entry("own.json", json.dumps(samples.normal(total_energy_j=1e-99)).encode())]).results[0]

    assert parsed.values.energy_per_output_token_j is None
    assert parsed.values.tokens_per_joule is None


def test_a_throughput_next_to_nothing_costs_nothing_that_can_be_said():
    assert gpu_seconds_per_million_tokens(1, 5e-324) is None


def test_settings_that_were_edited_after_the_run_are_asked_for():
    edited = samples.result_2()
    edited["effective_config"]["precision"] = "fp32"

    parsed = import_files([samples.entry(edited)]).results[0]

    assert parsed.notes["config_hash"] == CONFIG_EDITED
    assert severities("CFG1", parsed) == ["R"]
    assert severities("CFG1", import_files([samples.entry(samples.result_2())]).results[0]) == []


def test_an_edited_cycle_among_right_ones_is_asked_for():
    cycles = samples.cycles_of_result_2()
    cycles[1]["effective_config"]["precision"] = "fp32"

    results = import_files([samples.entry(one, f"{place}.json") for place, one in enumerate(cycles)]).results

    assert [severities("CFG1", parsed) for parsed in results if parsed.notes.get("config_hash")] == [["R"]]


@pytest.mark.parametrize(
    ("gpus", "adjusted", "said"),
    [(1, 51_600.0, []), (1, 43_200.0, ["R"]), (1, 67_000.0, ["R"]), (2, 43_200.0, []), (1, 47_000.0, [])],
    ids=["once", "twice", "added", "once for each of two GPUs", "within a tenth"],
)
def test_idle_energy_is_subtracted_once(gpus, adjusted, said):
    assert severities("IDL1", result(gpu_count=gpus, idle_power_w=70.0, adjusted_energy_j=adjusted)) == said


@pytest.mark.parametrize(("share", "said"), [(1e-7, ["R"]), (1e-3, [])])
def test_repeats_that_agree_as_copies_do_are_asked_for(share, said):
    cycles = [{"total_energy_j": 20_000.0 * (1 + share * n), "throughput_tokens_per_s": 3600.0} for n in range(3)]

    assert severities("DUP2", result(cycles=cycles)) == said


@pytest.mark.parametrize("name", ["", "."])
def test_an_archive_with_an_entry_without_a_name_is_refused(name):
    with pytest.raises(BadArchive, match="without a name"):
        unpack("body.zip", io.BytesIO(zipped((name, GOOD))))


def test_an_owner_that_no_database_can_compare_is_refused(client, db):
    answer = client.get("/api/jobs?owner=%00")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["owner"]


def test_a_job_without_an_estimate_says_so_in_the_documented_form(client, db):
    job = JobFactory(estimate={})

    estimate = client.get(f"/api/jobs/{job.pk}").json()["estimate"]

    assert set(estimate) == set(EstimateSerializer().fields)
    assert estimate["minutes"] is None
