"""LocalScore: one run of many tests is one result, from its JSON and from its database, which may be hostile."""

import json
import sqlite3

import pytest

from leaderboard.importers import ImportRefused, import_files, localscore_db
from leaderboard.normal import Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import power_samples as power
from tests.leaderboard.importers.samples import changed, entry


def read(data):
    (result,) = import_files([entry(data)]).results
    return result


def from_database(content):
    return import_files([Entry("db.sqlite", content)])


def test_the_tests_of_a_run_are_summed():
    values = read(power.localscore()).values

    assert (values.output_tokens, values.input_tokens) == (2576, 2064)
    assert values.duration_s == pytest.approx(2064 / 4000 + 25.76)
    assert values.throughput_tokens_per_s == pytest.approx(2576 / (2064 / 4000 + 25.76))


def test_the_time_of_prompts_counts_unlike_in_the_tools_own_speed():
    assert read(power.localscore()).values.throughput_tokens_per_s < 100.0


def test_energy_is_power_times_time():
    values = read(power.localscore()).values

    assert values.total_energy_j == pytest.approx(300.0 * values.duration_s)
    assert values.avg_power_w == pytest.approx(300.0)
    assert (values.energy_scope, values.energy_method) == ("gpu", "nvml_sampled")


def test_power_of_zero_was_not_measured():
    result = read(changed(power.localscore(), results__1__power_watts=0.0))

    assert result.values.total_energy_j is None
    assert result.values.throughput_tokens_per_s is not None
    assert "did not measure power" in result.notes["total_energy_j"]


def test_what_the_meter_of_another_maker_sees_is_asked_for():
    result = read(changed(power.localscore(), accelerator_info__name="Apple M4 Max 12P+4E+40GPU"))

    assert result.values.total_energy_j is not None
    assert result.values.energy_scope is None
    assert "please state it" in result.notes["energy_scope"]


def test_latencies_are_milliseconds():
    values = read(power.localscore()).values

    assert values.ttft_ms_mean == pytest.approx((266 + 14 + 266) / 3)
    assert values.tpot_ms_mean == pytest.approx(10.0)


def test_one_sequence_runs_on_one_device():
    result = read(power.localscore())

    assert (result.values.batch_size, result.values.gpu_count) == (1, 1)
    assert result.origins["batch_size"] == Origin.COMPUTED


def test_machine_model_and_engine_are_named():
    values = read(power.localscore()).values

    assert (values.model, values.hardware) == ("Meta Llama 3.1 8B Instruct", "NVIDIA GeForce RTX 3090")
    assert (values.backend, values.backend_version, values.tool) == ("llamafile", "0.9.1", "localscore")
    assert values.tool_version is None


@pytest.mark.parametrize(
    ("quantisation", "precision"),
    [
        ("Q4_K - Medium", "int4"),
        ("IQ3_XXS - 3.0625 bpw", "int3"),
        ("Q8_0", "int8"),
        ("F16", "fp16"),
        ("BF16", "bf16"),
        ("all F32", None),
        ("TQ1_0", None),
    ],
)
def test_the_precision_is_the_width_of_the_quantisation(quantisation, precision):
    data = power.localscore(results=[power.localscore_test(model_quant_str=quantisation)])

    assert read(data).values.precision == precision


def test_a_run_of_the_website_is_the_same_run():
    from_cli, from_site = read(power.localscore()).values, read(power.localscore_site()).values

    for name in ("model", "precision", "output_tokens", "total_energy_j", "ttft_ms_mean", "hardware"):
        assert getattr(from_site, name) == getattr(from_cli, name)
    assert from_site.ended_at.isoformat() == "2025-03-19T21:50:27+00:00"


def test_tests_of_two_models_are_refused():
    with pytest.raises(ImportRefused, match="one model"):
        read(changed(power.localscore(), results__1__model_name="gpt2"))


@pytest.mark.parametrize("results", [[], None])
def test_a_run_without_tests_is_refused(results):
    with pytest.raises(ImportRefused, match="at least one test"):
        read(power.localscore(results=results))


def test_a_database_holds_a_result_per_run():
    imported = from_database(power.database())

    assert imported.shape == "localscore"
    assert [result.file for result in imported.results] == ["db.sqlite: run 1", "db.sqlite: run 2"]
    assert [result.values.output_tokens for result in imported.results] == [1552, 1536]
    assert imported.results[0].values.energy_scope == "gpu"


def test_of_a_database_the_runs_are_kept_as_text():
    (kept,) = from_database(power.database()).kept

    assert kept.path == "db.sqlite.json"
    assert [run["accelerator"] for run in json.loads(kept.content)] == [
        "NVIDIA GeForce RTX 3090",
        "Apple M4 Max 12P+4E+40GPU",
    ]


def test_the_kept_text_reads_as_the_same_results():
    first = from_database(power.database())

    again = import_files(first.kept)

    assert [result.values for result in again.results] == [result.values for result in first.results]


RECURSIVE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i, i FROM n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (power.database()[:5000], "damaged"),
        (b"SQLite format 3\x00" + b"\xff" * 4000, "damaged"),
        (power.database()[:100] + b"\x00" * 8000, "damaged"),
        (power.database(schema="CREATE TABLE a (b);", rows=""), "the table benchmark_runs is missing"),
        (power.database(rows=""), "benchmark_runs is empty"),
        (power.database("CREATE VIEW v AS SELECT 1;"), "more than plain tables"),
        (power.database("CREATE TRIGGER t AFTER INSERT ON models BEGIN DELETE FROM runtimes; END;"), "more than plain"),
        (power.database("CREATE VIRTUAL TABLE f USING fts5(a);"), "more than plain tables"),
        (power.database("CREATE TABLE g (a, b AS (hex(zeroblob(1000000))));"), "more than plain tables"),
        (power.database(f"DROP TABLE models; CREATE VIEW models (id, name, params) AS {RECURSIVE};"), "plain tables"),
        (power.database("UPDATE models SET name = x'00ff';"), "neither text nor a finite number"),
        (power.database("UPDATE test_results SET gen_tps = 9e999;"), "neither text nor a finite number"),
        (power.database("UPDATE models SET name = 'a' || char(0) || 'b';"), "NUL"),
        (power.database("ALTER TABLE runtimes RENAME COLUMN version TO edition;"), "damaged"),
        (power.database("UPDATE test_results SET n_gen = 'many';"), "n_gen must be a number"),
        (power.database("UPDATE test_results SET avg_time_ms = -1;"), "cannot be negative"),
        (power.database("DELETE FROM test_results;"), "at least one test"),
    ],
    ids=[
        "cut", "noise", "header only", "another database", "no runs", "view", "trigger", "virtual table", "generated",
        "endless view", "blob", "infinity", "NUL", "another column", "text", "negative", "no tests",
    ],
)  # fmt: skip
def test_a_database_that_is_not_right_is_refused_in_one_sentence(content, problem):
    with pytest.raises(ImportRefused) as caught:
        from_database(content)

    assert caught.value.message.startswith("db.sqlite")
    assert problem in caught.value.message


def test_a_database_that_is_too_large_is_refused():
    with pytest.raises(ImportRefused, match="8 MiB"):
        from_database(power.database() + b"\x00" * localscore_db.MAX_BYTES)


def test_a_database_with_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(localscore_db, "MAX_RUNS", 1)

    with pytest.raises(ImportRefused, match="more than 1 rows"):
        from_database(power.database())


def test_a_statement_that_works_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(localscore_db, "_MAX_STEPS", 0)
    monkeypatch.setattr(localscore_db, "_STEPS_BETWEEN_CALLS", 1)

    with pytest.raises(ImportRefused, match="damaged"):
        from_database(power.database())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT load_extension('x')",
        "SELECT hex(name) FROM models",
        "SELECT manufacturer FROM accelerators",
        "ATTACH '/tmp/x.db' AS other",
        "DELETE FROM models",
        "PRAGMA journal_mode = WAL",
        RECURSIVE,
    ],
)
def test_nothing_but_the_named_columns_can_be_read(statement):
    with localscore_db._opened(power.database()) as database, pytest.raises(sqlite3.DatabaseError):
        database.execute(statement).fetchmany(1)
