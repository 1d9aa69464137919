"""From the bytes of an upload to checked results: what is understood, stated, missing, removed and refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from leaderboard.checks import Severity
from leaderboard.importers import ImportRefused
from leaderboard.models import Provenance, Result, Submission, Trust
from leaderboard.normal import Origin
from leaderboard.services.reading import STATABLE, read_upload
from lemsite.lib.archives import Entry, unpack
from tests.factories import draft, normal_file, pending, read
from tests.leaderboard.importers import samples

pytestmark = pytest.mark.django_db


def folder_entries(folder: Path) -> list[Entry]:
    return [
        Entry(path.relative_to(folder.parent).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def gpt2_sample() -> Entry:
    return samples.entry(samples.result_2(), "gpt2.json")


def gpt2_real(shared_data: Path) -> Entry:
    return Entry("gpt2.json", (shared_data / "llenergymeasure/v2.0_real/gpt2_pytorch_v2.0.json").read_bytes())


@pytest.fixture(params=["sample", "real"])
def gpt2(request, catalogue):
    if request.param == "sample":
        return gpt2_sample()
    return gpt2_real(request.getfixturevalue("shared_data"))


def test_the_measured_gpt2_file_is_understood_in_every_figure(gpt2):
    (result,) = read(gpt2).results

    values = result.parsed.values
    assert (values.output_tokens, values.input_tokens) == (640, 1280)
    assert values.tokens_per_joule == pytest.approx(2.8065, abs=5e-5)
    assert values.energy_per_output_token_j == pytest.approx(0.35631, abs=5e-6)
    assert values.throughput_tokens_per_s == pytest.approx(149.01, abs=5e-3)
    assert values.total_throughput_tokens_per_s == pytest.approx(447.03, abs=5e-3)
    assert (values.hardware, values.precision, values.batch_size) == ("NVIDIA A100-PCIE-40GB", "bf16", 1)


def test_the_measured_gpt2_file_holds_its_peak_memory(catalogue, shared_data):
    (result,) = read(gpt2_real(shared_data)).results

    assert result.parsed.values.peak_memory_mb == pytest.approx(263.1, abs=0.05)


def test_its_names_are_found_in_the_catalogue(gpt2):
    (result,) = read(gpt2).results

    assert (result.targets.model.name, result.targets.hardware.slug) == ("openai-community/gpt2", "a100-pcie-40")
    assert result.targets.backend.slug == "transformers"


def test_its_short_measurement_is_found_and_keeps_it_self_reported(gpt2):
    (result,) = read(gpt2).results

    assert "DUR1" in [finding.code for finding in result.findings]
    assert not result.is_blocked
    assert result.trust == Trust.SELF_REPORTED


def test_its_local_path_is_removed_and_named(gpt2):
    reading = read(gpt2)

    assert "effective_config.output_dir" in reading.redacted
    assert all(
        b"output_dir" not in document.content or b"/tmp" not in document.content for document in reading.documents
    )


def test_every_value_says_where_it_comes_from(gpt2):
    (result,) = read(gpt2, gpu_count=1).results

    origins = result.parsed.origins
    assert origins["total_energy_j"] == Origin.FILE
    assert origins["output_tokens"] == origins["tokens_per_joule"] == Origin.COMPUTED
    assert origins["gpu_count"] == Origin.STATED


def test_what_lacks_is_asked_for_with_the_reason(gpt2):
    reading = read(gpt2)

    assert [missing.field for missing in reading.missing] == ["gpu_count"]
    assert all(missing.why for missing in reading.missing)


def test_a_stated_value_is_no_longer_missing(gpt2):
    assert read(gpt2, gpu_count=1).missing == []


def test_a_complete_normal_file_lacks_nothing(small_catalogue):
    reading = read(normal_file())

    assert reading.missing == []
    assert reading.lacks_essentials == []


def test_model_and_hardware_are_essential(small_catalogue):
    reading = read(normal_file(hardware=None, batch_size=None))

    assert reading.lacks_essentials == ["hardware"]
    assert {missing.field for missing in reading.missing} == {"hardware", "batch_size"}


def test_concurrency_stands_for_a_batch_size(small_catalogue):
    assert read(normal_file(batch_size=None, concurrency=8)).missing == []


def test_the_energy_scope_is_asked_for_only_where_there_is_energy(small_catalogue):
    names = ["total_energy_j", "energy_per_output_token_j", "tokens_per_joule", "avg_power_w"]
    energy: dict[str, Any] = dict.fromkeys(names)

    assert "energy_scope" in [missing.field for missing in read(normal_file(energy_scope=None)).missing]
    assert "energy_scope" not in [m.field for m in read(normal_file(energy_scope=None, **energy)).missing]


def test_a_stated_value_never_replaces_one_from_the_file(small_catalogue):
    (result,) = read(normal_file(), precision="fp8", dataset="ShareGPT").results

    assert (result.parsed.values.precision, result.parsed.values.dataset) == ("bf16", "ShareGPT")
    assert (result.parsed.origins["precision"], result.parsed.origins["dataset"]) == (Origin.FILE, Origin.STATED)


def test_values_are_stated_for_every_result_that_lacks_them(small_catalogue):
    reading = read(normal_file("a.json", batch_size=None), normal_file("b.json", batch_size=2), batch_size=16)

    assert {result.parsed.values.batch_size for result in reading.results} == {2, 16}


def test_values_are_stated_as_text_where_they_come_from_a_form(small_catalogue):
    reading = read(normal_file(gpu_count=None, prefix_caching=None), gpu_count="2", prefix_caching="true", dataset="")

    values = reading.results[0].parsed.values
    assert (values.gpu_count, values.prefix_caching) == (2, True)


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"gpu_count": "many"}, "gpu_count"),
        ({"gpu_count": 0}, "gpu_count"),
        ({"gpu_count": [1]}, "gpu_count"),
        ({"precision": "bfloat"}, "precision"),
        ({"energy_scope": "room"}, "energy_scope"),
        ({"model": "x" * 201}, "model"),
        ({"model": "a\x00b"}, "model"),
        ({"model": "\ud800"}, "model"),
        ({"tokens_per_joule": 5.0}, "tokens_per_joule"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_statement_is_refused_by_its_name(small_catalogue, stated, field):
    with pytest.raises(ImportRefused) as refused:
        read(normal_file(), **stated)

    assert (refused.value.file, refused.value.field) == ("stated", field)
    assert field in refused.value.message


def test_no_measurement_can_be_stated():
    measured = {"output_tokens", "total_energy_j", "duration_s", "tokens_per_joule", "avg_power_w", "runs"}

    assert not measured & set(STATABLE)


def test_nothing_is_stored_by_reading(small_catalogue, stored_files):
    read(normal_file())

    assert not Submission.objects.exists()
    assert not Result.objects.exists()
    assert stored_files() == []


def codes(*entries: Entry) -> set[str]:
    return {finding.code for result in read(*entries).results for finding in result.findings}


def test_the_same_file_given_twice_is_refused(catalogue, owner):
    pending(owner, gpt2_sample(), gpu_count=1)

    reading = read(gpt2_sample())

    assert "DUP1" in {finding.code for finding in reading.results[0].findings}
    assert reading.blocked == 1


def test_the_same_normal_file_given_twice_is_refused(small_catalogue, owner):
    pending(owner)

    assert "DUP1" in codes(normal_file())


def test_the_same_measurement_in_other_words_is_refused(catalogue, owner):
    pending(owner, gpt2_sample())
    other = samples.entry(samples.result_2() | {"warnings": ["edited"]}, "other-name.json")

    assert "DUP1" in codes(other)


def test_the_same_bytes_are_a_duplicate_even_where_their_figures_are_read_anew(small_catalogue, owner):
    submission = pending(owner)
    submission.results.update(identity="as an earlier release read it")

    (finding,) = read(normal_file()).results[0].findings

    assert (finding.code, "a file that was given before" in finding.message) == ("DUP1", True)


def test_another_persons_draft_does_not_block(small_catalogue, stranger):
    draft(stranger)

    assert codes(normal_file()) == set()


def test_an_equal_result_twice_in_one_upload_is_refused(small_catalogue):
    reading = read(normal_file("a.json"), normal_file("b.json"))

    assert reading.blocked > 0 or len(reading.results) == 1


def test_figures_that_differ_are_another_measurement(small_catalogue, owner):
    pending(owner)

    assert codes(normal_file(duration_s=128.1)) == set()


def test_what_came_from_a_published_source_is_published_and_never_more(small_catalogue):
    reading = read_upload([normal_file()], stated={}, provenance=Provenance.IMPORTED)

    assert [result.trust for result in reading.results] == [Trust.PUBLISHED]


def test_a_whole_llem_result_with_its_machine_passes_the_checks(catalogue):
    changes = {"total_inference_time_sec": 129.0, "total_energy_j": 6849.2, "total_tokens": 57_600,
               "avg_tokens_per_second": 446.5116, "avg_energy_per_token_j": 0.356729, "energy_adjusted_j": 2000.0,
               "total_flops": 477848862720.0 * 30, "start_time": "2026-03-13T14:20:00Z",
               "end_time": "2026-03-13T14:22:09Z"}  # fmt: skip

    (result,) = read(samples.entry(samples.result_2(samples.effective_config(n=150), **changes))).results

    assert [f for f in result.findings if f.severity != Severity.WARN] == []
    assert result.trust == Trust.CHECKS_PASSED


def test_an_impossible_result_is_blocked_with_the_check_that_says_why(small_catalogue):
    reading = read(normal_file(throughput_tokens_per_s=2000.0))

    assert reading.blocked == 1
    assert "IDN1" in {finding.code for finding in reading.results[0].findings}
    assert reading.results[0].trust == Trust.DRAFT


@pytest.mark.parametrize("study", ["pypi070_study", "v2.0_study"])
def test_a_study_of_four_configurations_in_three_cycles_gives_four_results(catalogue, shared_data, study):
    (folder,) = (shared_data / "llenergymeasure" / study).glob("my-study_*")

    reading = read(*folder_entries(folder))

    assert [result.parsed.values.runs for result in reading.results] == [3, 3, 3, 3]
    assert all(len(result.parsed.cycles) == 3 for result in reading.results)


def test_a_bundle_as_a_zip_takes_precision_batch_and_gpu_from_its_side_files(catalogue, shared_data):
    study = shared_data / "llenergymeasure/pypi070_single"
    folder = next(path.parent for path in sorted(study.rglob("result.json")))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for entry in folder_entries(folder):
            zipped.writestr(entry.path, entry.content)
    archive.seek(0)

    (result,) = read(*unpack("bundle.zip", archive)).results

    values, origins = result.parsed.values, result.parsed.origins
    assert (values.precision, values.hardware) != (None, None)
    assert values.batch_size
    assert Origin.MISSING not in {origins["precision"], origins["batch_size"], origins["hardware"]}
    assert values.precision not in (json.loads((folder / "result.json").read_bytes())).values()


def test_the_180_simulated_results_are_all_refused(catalogue, shared_data):
    content = (shared_data / "llenergymeasure/commons/synthetic-180.json").read_bytes()

    reading = read(Entry("synthetic-180.json", content))

    assert reading.blocked == len(reading.results) == 180
