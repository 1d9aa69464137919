"""Files of AIPerf, ML.ENERGY, LocalScore and optimum-benchmark, from the upload to the draft and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from leaderboard import tasks
from leaderboard.checks import Severity
from leaderboard.importers import _BY_SHAPE
from leaderboard.models import RawFile, Submission, Trust, UploadBatch
from leaderboard.presenting.preview import SHAPE_LABELS
from lemsite.lib.archives import Entry
from tests.factories import draft, read
from tests.leaderboard.browsing import archive, text, upload
from tests.leaderboard.importers import power_samples as power

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue", "stored_files")]
SAMPLES = {
    "aiperf": power.aiperf_entries,
    "ml_energy_v2": lambda: [power.entry(power.ml_energy_v2())],
    "ml_energy_v3": lambda: [power.entry(power.ml_energy_row(output_throughput_tokens_per_sec=3000.0))],
    "ml_energy_run": lambda: [power.entry(power.ml_energy_run())],
    "localscore": lambda: [Entry("db.sqlite", power.database())],
    "optimum_benchmark": lambda: [power.entry(power.optimum())],
}


@pytest.fixture
def browser(client: Client, owner: Any) -> Client:
    client.force_login(owner)
    return client


def blocks(reading: Any) -> list[str]:
    return [
        f"{result.parsed.file}: {finding.code} {finding.message}"
        for result in reading.results
        for finding in result.findings
        if finding.severity == Severity.BLOCK
    ]


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    return [
        (path.relative_to(folder.parent).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


@pytest.mark.parametrize("shape", SAMPLES)
def test_a_sample_has_no_blocking_finding(shape):
    reading = read(*SAMPLES[shape]())

    assert reading.shape == shape
    assert blocks(reading) == []


@pytest.mark.parametrize("name", ["aiperf", "ml-energy-v2", "localscore"])
def test_no_real_file_has_a_blocking_finding(name, shared_data):
    entries = [Entry(path, content) for path, content in files_of(shared_data / "other-tools" / name)]

    reading = read(*entries)

    assert reading.results
    assert blocks(reading) == []


@pytest.mark.parametrize("name", ["aiperf", "ml-energy-v2"])
def test_models_and_hardware_of_real_files_are_known_to_the_catalogue(name, shared_data):
    entries = [Entry(path, content) for path, content in files_of(shared_data / "other-tools" / name)]

    for result in read(*entries).results:
        assert result.targets.model is not None
        assert result.targets.hardware is not None


def test_models_and_engine_of_real_localscore_runs_are_known_to_the_catalogue(shared_data):
    content = (shared_data / "other-tools" / "localscore" / "db.sqlite").read_bytes()

    reading = read(Entry("db.sqlite", content))

    assert all(result.targets.model and result.targets.backend for result in reading.results)
    assert {result.parsed.values.hardware for result in reading.results if result.targets.hardware} == {
        "NVIDIA GeForce RTX 3090"
    }


def test_a_measured_run_with_its_telemetry_can_pass_the_checks():
    reading = read(*power.aiperf_entries(), backend="vllm", precision="bf16", batch_size=2)

    (result,) = reading.results
    assert result.parsed.values.tokens_per_joule == pytest.approx(1.0)
    assert result.trust in (Trust.SELF_REPORTED, Trust.CHECKS_PASSED)


@pytest.mark.parametrize(
    ("shape", "asked"),
    [
        ("aiperf", ["backend", "precision"]),
        ("ml_energy_v2", ["backend", "precision"]),
        ("localscore", ["energy_scope"]),
        ("optimum_benchmark", []),
    ],
)
def test_what_the_files_do_not_say_is_asked_for(shape, asked):
    assert [missing.field for missing in read(*SAMPLES[shape]()).missing] == asked


@pytest.mark.parametrize("secret", ["a-very-secret-word", "another-secret-word", "third-secret-word"])
def test_keys_of_an_aiperf_export_are_removed_wherever_they_stand(secret):
    reading = read(*power.aiperf_entries())

    assert secret in power.aiperf_entries()[0].content.decode()
    assert not any(secret in document.content.decode() for document in reading.documents)
    assert secret not in str(reading.results[0].parsed.config)


@pytest.mark.parametrize("private", [power.UUID, "node17"])
def test_devices_and_hosts_are_removed_from_every_line_of_the_telemetry(private):
    reading = read(*power.aiperf_entries())

    assert [document.name for document in reading.documents] == [
        "profile_export_aiperf.json",
        "gpu_telemetry_export.jsonl",
    ]
    assert not any(private in document.content.decode() for document in reading.documents)
    assert "gpu_telemetry_export.jsonl: each line, gpu_uuid" in reading.redacted


def test_a_zip_of_a_run_with_its_telemetry_becomes_a_draft(browser):
    members = [(f"run/{entry.path}", entry.content) for entry in power.aiperf_entries()]

    response = upload(browser, ("run.zip", archive(*members)))

    result = Submission.objects.get().results.get()
    assert response.status_code == 302
    assert result.total_energy_j == pytest.approx(2000.0)
    shown = text(browser.get(response.url))
    for part in ("AIPerf profile export", "Qwen3", "RTX 6000 Ada", "energy counter (MJ)"):
        assert part in shown


def test_a_zip_of_many_rows_is_many_results(browser):
    rows = [(f"chat/bs{size}+tp2+pp1.json", power.ml_energy_v2(**{"Max BS (reqs)": size})) for size in (32, 64, 128)]
    members = [(path, power.entry(row).content) for path, row in rows]

    response = upload(browser, ("chat.zip", archive(*members)))

    submission = Submission.objects.get()
    assert list(submission.results.order_by("batch_size").values_list("batch_size", flat=True)) == [32, 64, 128]
    assert "ML.ENERGY leaderboard row, version 2" in text(browser.get(response.url))


def test_a_database_becomes_a_draft_and_its_text_is_kept(browser):
    response = upload(browser, ("db.sqlite", power.database()))

    submission = Submission.objects.get()
    assert (response.status_code, submission.results.count()) == (302, 2)
    assert RawFile.objects.get().name == "db.sqlite.json"
    assert "LocalScore run" in text(browser.get(response.url))


def test_a_hostile_database_is_refused_with_a_sentence_and_nothing_is_stored(browser):
    response = upload(browser, ("db.sqlite", power.database("CREATE VIEW v AS SELECT 1;")))

    assert response.status_code == 422
    assert "more than plain tables" in text(response)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(("name", "count"), [("aiperf", 3), ("localscore", 13)])
def test_a_zip_of_the_real_files_becomes_a_draft(browser, shared_data, name, count):
    response = upload(browser, (f"{name}.zip", archive(*files_of(shared_data / "other-tools" / name))))

    assert response.status_code == 302
    assert Submission.objects.get().results.count() == count
    assert browser.get(response.url).status_code == 200


def test_a_zip_of_all_real_rows_of_ml_energy_is_read_in_the_background(browser, shared_data):
    upload(browser, ("chat.zip", archive(*files_of(shared_data / "other-tools" / "ml-energy-v2"))))

    tasks.read_batch(str(UploadBatch.objects.get().pk))

    assert Submission.objects.get().results.count() == 191


def test_every_shape_has_a_label_on_the_methodology_page(client):
    shown = text(client.get("/methodology/"))

    for shape in _BY_SHAPE:
        assert SHAPE_LABELS[shape] in shown


def test_a_draft_keeps_where_each_value_comes_from(owner):
    result = draft(owner, *power.aiperf_entries()).results.get()

    assert result.origins["throughput_tokens_per_s"] == "file"
    assert result.origins["total_energy_j"] == "computed"
    assert result.origins["precision"] == "missing"
