from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from leaderboard import exports
from tests.factories import ResultFactory, published_result

pytestmark = pytest.mark.django_db
ENDINGS = ("csv", "json", "parquet")


def read(client, ending, query=""):
    response = client.get(f"/api/benchmarks.{ending}{query}")
    assert response.status_code == 200
    content = b"".join(response)
    if ending == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    if ending == "json":
        return json.loads(content)["results"]
    return pq.read_table(io.BytesIO(content)).to_pylist()


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_holds_the_rows_of_the_leaderboard_in_order(anonymous, ending):
    published_result(tokens_per_joule=1.5)
    published_result(tokens_per_joule=2.5)
    ResultFactory(tokens_per_joule=9.0)

    assert [float(row["tokens_per_joule"]) for row in read(anonymous, ending)] == [2.5, 1.5]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_takes_the_same_query(anonymous, ending):
    published_result(precision="bf16")
    published_result(precision="fp8")

    rows = read(anonymous, ending, "?precision=fp8&columns=tokens_per_joule")

    assert [row["precision"] for row in rows] == ["fp8"]
    assert "avg_power_w" not in rows[0]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_of_nothing_is_a_whole_file(anonymous, ending):
    assert read(anonymous, ending) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_is_a_download_that_names_licence_and_version(anonymous, ending):
    response = anonymous.get(f"/api/benchmarks.{ending}", HTTP_ACCEPT="text/html")
    response.getvalue()

    assert response["Content-Disposition"] == f'attachment; filename="lemsite-benchmarks.{ending}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Data-Version"].isdigit()
    assert response["X-Data-Licence"] == exports.LICENCE


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_of_a_wrong_query_is_refused(anonymous, ending):
    response = anonymous.get(f"/api/benchmarks.{ending}?sort=speed")

    assert response.status_code == 400
    assert "sort" in response.json()["error"]["fields"]


def test_an_unchanged_export_is_304(anonymous):
    etag = anonymous.get("/api/benchmarks.csv")["ETag"]

    assert anonymous.get("/api/benchmarks.csv", HTTP_IF_NONE_MATCH=etag).status_code == 304


def test_an_export_goes_on_over_many_pages_and_stops_at_its_limit(anonymous, monkeypatch):
    monkeypatch.setattr("leaderboard.queries.results.MAX_LIMIT", 2)
    for value in range(1, 6):
        published_result(tokens_per_joule=float(value))

    assert len(read(anonymous, "csv", "?view=all")) == 5
    assert [row["tokens_per_joule"] for row in read(anonymous, "csv", "?view=all&limit=3")] == ["5.0", "4.0", "3.0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_would_run_is_quoted(anonymous, start):
    published_result(dataset=f"{start}HYPERLINK(1)")

    assert read(anonymous, "csv")[0]["dataset"] == f"'{start}HYPERLINK(1)"


def test_numbers_stay_numbers_and_unknown_is_empty(anonymous):
    published_result(adjusted_energy_j=-3.5)

    row = read(anonymous, "csv")[0]

    assert (row["adjusted_energy_j"], row["itl_ms_p50"]) == ("-3.5", "")


def test_json_names_the_units(anonymous):
    published_result()

    body = json.loads(b"".join(anonymous.get("/api/benchmarks.json")))

    assert body["units"]["tokens_per_joule"] == "tok/J"
    assert body["results"][0]["itl_ms_p50"] is None


def test_parquet_columns_are_typed_and_carry_their_unit(anonymous):
    published_result()

    table = pq.read_table(io.BytesIO(b"".join(anonymous.get("/api/benchmarks.parquet"))))

    field = table.schema.field("tokens_per_joule")
    assert (str(field.type), field.metadata[b"unit"]) == ("double", b"tok/J")
    assert str(table.schema.field("started_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("gpu_count").type) == "int64"
