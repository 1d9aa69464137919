"""This site's own form, as JSON and CSV."""

import json

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import samples

HEADER = "model,hardware,output_tokens,duration_s,prefix_caching,started_at\n"


def read_csv(text, encoding="utf-8"):
    return import_files([Entry("table.csv", text.encode(encoding))])


def test_object_is_read_and_completed():
    result = import_files([samples.entry(samples.normal())]).results[0]

    assert result.values.tokens_per_joule == 4.0
    assert result.values.throughput_tokens_per_s == 2000.0
    assert (result.origins["model"], result.origins["tokens_per_joule"]) == (Origin.FILE, Origin.COMPUTED)
    assert result.values.runs == 1


def test_given_figures_are_not_computed_again():
    result = import_files([samples.entry(samples.normal(tokens_per_joule=3.9, runs=5))]).results[0]

    assert (result.values.tokens_per_joule, result.values.runs) == (3.9, 5)


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"results": rows}])
def test_array_and_results_object_hold_many(wrap):
    rows = [samples.normal(), samples.normal(precision="bf16")]

    imported = import_files([samples.entry(wrap(rows))])

    assert (imported.shape, len(imported.results)) == ("normal", 2)


def test_what_is_exported_comes_back_the_same():
    first = import_files([samples.entry(samples.normal())]).results[0].values

    again = import_files([samples.entry(first.model_dump(mode="json", exclude_none=True))]).results[0].values

    assert again == first


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"modle": "x"}, "modle"),
        ({"total_energy_j": 0}, "total_energy_j"),
        ({"total_energy_j": "25000"}, "total_energy_j"),
        ({"total_energy_j": -1}, "total_energy_j"),
        ({"output_tokens": 0}, "output_tokens"),
        ({"output_tokens": 1.5}, "output_tokens"),
        ({"precision": "half"}, "precision"),
        ({"success_rate": 1.2}, "success_rate"),
        ({"started_at": "tomorrow"}, "started_at"),
        ({"started_at": 1700000000}, "started_at"),
        ({"ended_at": "2020-01-01T00:00:00Z"}, "ended_at"),
        ({"source_url": "http://plain.example"}, "source_url"),
        ({"model": ""}, "model"),
    ],
)
def test_wrong_values_are_refused_by_field(changes, field):
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(samples.normal(**changes))])

    assert caught.value.field == field
    assert caught.value.message.startswith(f"result.json: {field} ")


def test_naive_time_is_taken_as_utc():
    result = import_files([samples.entry(samples.normal(started_at="2026-05-01T12:00:00"))]).results[0]

    assert result.values.started_at.isoformat() == "2026-05-01T12:00:00+00:00"
    assert "UTC" in result.notes["started_at"]


def test_csv_rows_are_results_and_empty_cells_are_missing():
    imported = read_csv(HEADER + "gpt2,A100,640,,true,2026-05-01T12:00:00Z\n,,,,,\nllama,,10,2.5,0,\n")

    first, second = (result.values for result in imported.results)
    assert imported.shape == "normal_csv"
    assert (first.output_tokens, first.duration_s, first.prefix_caching) == (640, None, True)
    assert (second.hardware, second.throughput_tokens_per_s, second.prefix_caching) == (None, 4.0, False)
    assert imported.results[1].file == "table.csv: row 4"


def test_csv_of_excel_with_a_byte_order_mark_is_read():
    assert read_csv(HEADER + "gpt2,A100,640,1,,\n", "utf-8-sig").results[0].values.model == "gpt2"


def test_quote_that_exports_put_before_formulas_is_taken_off():
    values = read_csv(HEADER + "'=odd-name,A100,640,1,,\n").results[0].values

    assert values.model == "=odd-name"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("model,speed\ngpt2,5\n", "column 'speed'"),
        ("model;output_tokens\ngpt2;5\n", "column 'model;output_tokens'"),
        ("model,model\ngpt2,gpt2\n", "column 'model'"),
        (HEADER + "gpt2,A100,many,1,,\n", "output_tokens"),
        (HEADER + "gpt2,A100,1,fast,,\n", "duration_s"),
        (HEADER + "gpt2,A100,1,nan,,\n", "duration_s"),
        (HEADER + "gpt2,A100,1,1e999,,\n", "duration_s"),
        (HEADER + "gpt2,A100,1,1,perhaps,\n", "prefix_caching"),
        (HEADER + "gpt2,A100,1,1,,31/12/2026\n", "started_at"),
        (HEADER + "gpt2,A100\n", None),
        (HEADER, None),
        ("", None),
        (HEADER + '"gpt2,A100\n', None),
        (HEADER + "\x00,A100,1,1,,\n", None),
    ],
)
def test_wrong_csv_is_refused_by_row_and_column(text, field):
    with pytest.raises(ImportRefused) as caught:
        read_csv(text)

    assert caught.value.field == field
    assert caught.value.message.startswith("table.csv: ")


def test_csv_in_another_encoding_is_refused():
    with pytest.raises(ImportRefused, match="UTF-8"):
        read_csv("model,hardware\né,à\n", "latin-1")


def test_csv_with_too_many_rows_is_refused():
    with pytest.raises(ImportRefused, match="2000 rows"):
        read_csv("model\n" + "gpt2\n" * 2001)


def test_array_may_mix_shapes():
    data = [samples.normal(), samples.result_2(), samples.aggregated()]

    imported = import_files([Entry("all.json", json.dumps(data).encode())])

    assert (imported.shape, len(imported.results)) == ("mixed", 3)
