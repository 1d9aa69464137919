"""A run's events as a file of each kind, sealed or not."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.signals import request_finished
from django.db import close_old_connections

from runs import downloads
from runs.downloads import events_response, file_name
from runs.models import ProgressEvent, Run
from runs.sealing import seal, sweep
from tests.runs.records import add_events, ended_run, event_body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    # Closing a response would close the test's own connection, as it ends a request elsewhere.
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "runs", ignore_errors=True)


def sealed(run):
    seal(run)
    run.refresh_from_db()
    sweep(run)
    return run


def content(run, ending):
    response = events_response(run, ending)
    try:
        return response.getvalue()
    finally:
        response.close()


def csv_rows(run):
    return list(csv.DictReader(io.StringIO(content(run, "csv").decode(), newline="")))


def parquet(run):
    return pq.read_table(io.BytesIO(content(run, "parquet")))


def test_jsonl_has_every_event_as_it_was_sent_sealed_or_not():
    run = ended_run(5)
    sent = list(ProgressEvent.objects.values_list("body", flat=True))

    assert content(run, "jsonl").decode().splitlines() == sent
    assert content(sealed(run), "jsonl").decode().splitlines() == sent


def test_late_events_follow_the_sealed_ones():
    run = sealed(ended_run(5))
    add_events(run, [event_body(9)])

    assert [row["evalProgressIdx"] for row in csv_rows(run)] == ["0", "1", "2", "3", "4", "9"]


def test_csv_has_the_fields_of_the_contract_and_the_seq():
    row = csv_rows(ended_run(1))[0]

    assert (row["seq"], row["gpuId"], row["tokenPerSec"], row["energyJ"]) == ("1", "A100", "100.0", "")
    assert row["simulated"] == "false"


def test_csv_of_a_run_without_events_is_its_header():
    assert content(ended_run(0), "csv").decode().startswith("seq,runId,ts,")
    assert content(ended_run(0, key="other"), "jsonl") == b""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1"])
def test_csv_disarms_what_a_spreadsheet_would_run(text):
    run = ended_run(0)
    add_events(run, [event_body(0, model=text, eventId=text)])

    row = csv_rows(run)[0]

    assert row["model"] == row["eventId"] == f"'{text}"


@pytest.mark.parametrize("is_sealed", [True, False])
def test_parquet_has_typed_columns_sealed_or_not(is_sealed):
    run = ended_run(5)
    if is_sealed:
        sealed(run)

    table = parquet(run)

    assert table["seq"].to_pylist() == [1, 2, 3, 4, 5]
    assert table["powerW"].to_pylist() == [300.5] * 5


def test_parquet_of_a_run_without_events_is_empty():
    assert len(parquet(ended_run(0))) == 0


def test_parquet_of_a_long_run_waits_until_it_is_sealed(monkeypatch):
    monkeypatch.setattr(downloads, "MAX_UNSEALED", 4)
    run = ended_run(5)

    response = events_response(run, "parquet")

    assert response.status_code == 409
    assert b"events.jsonl" in response.getvalue()
    assert len(parquet(sealed(run))) == 5


def test_a_simulated_run_says_so_in_every_file_and_in_its_name():
    run = ended_run(2, is_simulated=True)
    simulated = [json.loads(line)["simulated"] for line in content(run, "jsonl").decode().splitlines()]

    assert simulated == [True, True]
    assert {row["simulated"] for row in csv_rows(run)} == {"true"}
    assert parquet(run)["simulated"].to_pylist() == [True, True]
    assert parquet(run).schema.metadata[b"simulated"] == b"true"
    assert file_name(run, "csv") == "lemsite-race-simulated-events.csv"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("run 1", "lemsite-run-1-events.csv"),
        ('a"; filename="evil.exe', "lemsite-a-filename-evil.exe-events.csv"),
        ("../../etc", "lemsite-etc-events.csv"),
        ("日本", "lemsite-run-events.csv"),
        ("x" * 200, f"lemsite-{'x' * 80}-events.csv"),
    ],
)
def test_a_file_name_is_plain_whatever_the_key_is(key, name):
    assert file_name(Run(key=key), "csv") == name


@pytest.mark.parametrize(
    ("ending", "content_type"),
    [
        ("jsonl", "application/x-ndjson"),
        ("csv", "text/csv; charset=utf-8"),
        ("parquet", "application/vnd.apache.parquet"),
    ],
)
def test_the_headers_say_what_the_file_is_and_that_it_is_to_be_saved(ending, content_type):
    response = events_response(ended_run(1), ending)

    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="lemsite-race-events.{ending}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()


def test_a_slow_reader_gets_every_event_once_when_the_run_is_sealed_and_swept_meanwhile(monkeypatch):
    monkeypatch.setattr(downloads, "_BATCH", 3)
    run = ended_run(10)
    sent = list(ProgressEvent.objects.values_list("body", flat=True))
    parts = downloads.jsonl_parts(Run.objects.get(pk=run.pk))

    first = next(parts)
    sealed(run)

    assert (first + "".join(parts)).splitlines() == sent
