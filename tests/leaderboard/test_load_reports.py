"""Reports of load generators on their way from the upload to the page: checked, redacted, completed, shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from leaderboard.checks import Severity
from leaderboard.models import RawFile, Submission
from leaderboard.normal import Origin
from lemsite.lib import strict_yaml
from lemsite.lib.archives import Entry
from tests.factories import draft, read
from tests.leaderboard.browsing import archive, text, upload
from tests.leaderboard.importers import load_samples, samples
from tests.leaderboard.importers.samples import changed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
OLDER = changed(
    load_samples.guidellm_old({"type_": "concurrent", "streams": 32}),
    benchmarks__0__start_time=1773470600.0,
    benchmarks__0__end_time=1773470620.0,
)
REPORTS = {
    "vllm.json": samples.entry(load_samples.vllm_bench(), "vllm.json"),
    "guidellm.json": samples.entry(load_samples.guidellm_2(), "guidellm.json"),
    "guidellm_old.json": samples.entry(OLDER, "guidellm_old.json"),
    "stage_0_lifecycle_metrics.json": samples.entry(load_samples.inference_perf(), "stage_0_lifecycle_metrics.json"),
    "llm_d_1.yaml": Entry("llm_d_1.yaml", strict_yaml.dumps(load_samples.llm_d_1())),
    "llm_d_2.yaml": Entry("llm_d_2.yaml", strict_yaml.dumps(load_samples.llm_d_2())),
}
STATED: dict[str, Any] = {
    "model": "meta-llama/Llama-3.1-8B-Instruct",
    "hardware": "h100-sxm",
    "gpu_count": 1,
    "precision": "bf16",
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_plausible_report_is_blocked_by_no_check(name):
    (result,) = read(REPORTS[name], **STATED).results

    assert [finding.message for finding in result.findings if finding.severity == Severity.BLOCK] == []


@pytest.mark.parametrize("name", REPORTS)
def test_latencies_and_throughput_of_a_plausible_report_agree(name):
    (result,) = read(REPORTS[name], **STATED).results

    assert not {finding.code for finding in result.findings} & {"LAT1", "LAT2", "LAT4", "IDN1", "PCT1"}


@pytest.mark.parametrize("name", ["br_v0_2_example.yaml", "br_v0_2_1_example.yaml", "guidellm_report_v2.json"])
def test_no_real_report_is_blocked(name, shared_data):
    content = (shared_data / "other-tools/llm-d-benchmark" / name).read_bytes()

    assert read(Entry(name, content), **STATED).blocked == 0


def test_a_right_unit_with_an_impossible_number_is_blocked():
    report = changed(
        load_samples.llm_d_2(),
        results__observability__components__0__aggregate__power_consumption={"units": "Watts", "mean": 1.5},
    )

    assert read(samples.entry(report)).blocked == 1


def test_a_zip_of_several_tools_is_one_submission_of_mixed_shape(client: Client, owner: Any, stored_files: Any):
    client.force_login(owner)

    response = upload(client, ("all.zip", archive(*[(entry.path, entry.content) for entry in REPORTS.values()])))

    submission = Submission.objects.get()
    shown = text(client.get(response.url))
    assert (submission.shape, submission.results.count()) == ("mixed", len(REPORTS))
    assert "files of several shapes" in shown
    assert sorted(RawFile.objects.values_list("name", flat=True)) == sorted(REPORTS)


def test_what_some_results_lack_is_asked_for_once_and_given_to_those(owner: Any, stored_files: Any):
    submission = draft(owner, *REPORTS.values(), hardware="h100-sxm", gpu_count=1, precision="fp8")

    origins = [(result.precision, result.origins["precision"]) for result in submission.results.order_by("precision")]
    assert origins == [("bf16", Origin.FILE), ("fp16", Origin.FILE)] + [("fp8", Origin.STATED)] * 4


def test_the_page_names_the_tool_and_asks_for_what_it_cannot_know(client: Client, owner: Any, stored_files: Any):
    client.force_login(owner)

    response = upload(client, ("llm_d.yml", REPORTS["llm_d_2.yaml"].content), ("b.json", REPORTS["vllm.json"].content))
    page = client.get(response.url)

    assert 'name="stated-hardware"' in page.content.decode()
    assert "the GPU; please state it" in text(page)


def test_secrets_of_a_report_are_not_stored():
    reading = read(REPORTS["guidellm.json"])

    (document,) = reading.documents
    stored = json.loads(document.content)["benchmarks"][0]["config"]["backend"]
    assert (stored["api_key"], stored["extras"]["headers"]["Authorization"]) == (None, None)
    assert "abcdefghij" not in json.dumps(reading.results[0].parsed.config)
    assert "benchmarks[0].config.backend.api_key" in reading.redacted


def test_a_stored_yaml_report_is_redacted_and_can_still_be_read():
    reading = read(REPORTS["llm_d_2.yaml"])

    (document,) = reading.documents
    assert document.content.startswith(b"version: '0.2'\nrun:\n  uid: 38b1f169\n  user: null\n")
    assert "run.user" in reading.redacted
    assert read(Entry("again.yaml", document.content)).results[0].parsed.values == reading.results[0].parsed.values
