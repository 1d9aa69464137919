"""Whatever AIPerf's telemetry or LocalScore's database holds: a result or a refusal. And every real file is read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.importers import ImportRefused, import_files
from leaderboard.importers.telemetry import Reading, WindowEnergy, window_energy
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import power_samples as power
from tests.leaderboard.importers.test_import_files import FUZZ, JUNK, gives_result_or_refusal, places, put

NUMBERS = st.none() | st.integers(-10, 10**20) | st.floats(0, 1e100)


@settings(FUZZ, max_examples=300)
@given(st.data())
def test_any_mutated_telemetry_gives_a_result_or_a_refusal(data):
    rows = [*power.readings(), *power.readings(source=power.SECOND_DCGM)]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(rows) - 1))
        path = data.draw(st.sampled_from(list(places(rows[place]))))
        junk = data.draw(JUNK)
        replaced = put(rows[place], path, junk, drop=data.draw(st.booleans()))
        if not path:
            rows[place] = replaced

    gives_result_or_refusal(power.aiperf_entries(rows))


@settings(FUZZ, max_examples=300)
@given(st.data())
def test_any_mutated_aiperf_export_with_telemetry_gives_a_result_or_a_refusal(data):
    export, rows = power.aiperf_entries()
    content = json.loads(export.content)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in places(content) if path]))
        put(content, path, data.draw(JUNK), drop=data.draw(st.booleans()))

    gives_result_or_refusal([Entry(export.path, json.dumps(content).encode()), rows])


@FUZZ
@given(st.lists(st.builds(Reading, st.integers(0, 50), st.sampled_from("ab"), st.sampled_from("xy"), NUMBERS, NUMBERS)))
def test_any_readings_give_an_energy_above_zero_or_a_reason(readings):
    found = window_energy(readings, start_ns=10, end_ns=40, gpu_count=None)

    assert found.energy_j > 0 if isinstance(found, WindowEnergy) else found


@settings(FUZZ, max_examples=300)
@given(st.data())
def test_any_flipped_bytes_of_a_database_give_a_result_or_a_refusal(data):
    content = bytearray(power.database())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.integers(0, 255))

    gives_result_or_refusal([Entry("db.sqlite", bytes(content))])


@FUZZ
@given(
    st.sampled_from(["benchmark_runs", "accelerators", "models", "model_variants", "runtimes", "test_results"]),
    st.data(),
)
def test_any_cell_of_a_database_gives_a_result_or_a_refusal(table, data):
    columns = {"benchmark_runs": "created_at", "accelerators": "name", "models": "name", "model_variants": "model_id"}
    column = columns.get(table, "version" if table == "runtimes" else data.draw(st.sampled_from(["n_gen", "ttft_ms"])))
    literal = data.draw(st.sampled_from(["NULL", "''", "-1", "9e999", "x'00'", "1e308", "9223372036854775807", "'a'"]))

    gives_result_or_refusal([Entry("db.sqlite", power.database(f"UPDATE {table} SET {column} = {literal};"))])


NUMBER_OF = {
    "aiperf": (power.aiperf, "100.0"),
    "ml_energy_v2": (power.ml_energy_v2, "240.0"),
    "ml_energy_run": (power.ml_energy_run, "70000.0"),
    "localscore": (power.localscore, "300.0"),
    "optimum_benchmark": (power.optimum, "100.0"),
}


@pytest.mark.parametrize("shape", NUMBER_OF)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(shape, number):
    make, some = NUMBER_OF[shape]
    content = json.dumps(make()).replace(some, number, 1)

    with pytest.raises(ImportRefused, match="not a number|out of range"):
        import_files([Entry("result.json", content.encode())])


def test_what_the_tools_write_beside_results_is_left_out():
    beside = [
        "profile_export.jsonl",
        "profile_export_aiperf.csv",
        "inputs.json",
        "server_metrics_export.json",
        "codecarbon.csv",
    ]
    emissions = power.entry({"energy_consumed": 1.0, "gpu_energy": 1.0, "ram_energy": 0.0}, "decode_codecarbon.json")
    slices = power.entry({"timeslices": [], "input_config": {}}, "profile_export_aiperf_timeslices.json")

    imported = import_files([power.entry(power.aiperf()), *(Entry(name, b"x") for name in beside), emissions, slices])

    assert sorted(path for path, _ in imported.ignored) == sorted([*beside, emissions.path, slices.path])
    assert [kept.path for kept in imported.kept] == ["result.json"]


def entries_of(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [Entry(path.relative_to(folder.parent).as_posix(), path.read_bytes()) for path in files]


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [("aiperf", "aiperf", 3), ("ml-energy-v2", "ml_energy_v2", 191), ("localscore", "localscore", 13)],
)
def test_every_real_file_of_a_tool_is_read_in_one_upload(name, shape, count, shared_data):
    imported = import_files(entries_of(shared_data / "other-tools" / name))

    assert (imported.shape, len(imported.results)) == (shape, count)


def test_the_real_telemetry_is_cut_so_its_energy_is_refused_and_its_latency_kept(shared_data):
    imported = import_files(entries_of(shared_data / "other-tools" / "aiperf"))

    assert [result.values.total_energy_j for result in imported.results] == [None] * 3
    assert all("covers 0.0 s of the" in result.notes["total_energy_j"] for result in imported.results)
    assert all(result.values.ttft_ms_p99 and result.values.throughput_tokens_per_s for result in imported.results)
    assert {result.values.gpu_count for result in imported.results} == {1}


def test_the_real_rows_of_ml_energy_agree_with_the_published_ones(shared_data):
    name = "H100_80GB_HBM3/google/gemma-2-27b-it/bs63+tp2+pp1.json"
    content = (shared_data / "other-tools" / "ml-energy-v2" / "chat" / name).read_bytes()

    (result,) = import_files([Entry("row.json", content)]).results

    assert result.values.gpu_count == 2
    assert result.values.energy_per_output_token_j == pytest.approx(232.6901109520897 / 395.8955)
    assert result.values.avg_power_w == pytest.approx(573.714, abs=0.01)
