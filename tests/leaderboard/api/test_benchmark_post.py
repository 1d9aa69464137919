from __future__ import annotations

import io
import json
import zipfile

import pytest

from leaderboard.models import RawFile, Result, ReviewEvent, Submission, UnknownName
from lemsite.lib import strict_yaml
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, client_of, post_json, stored_files
from tests.leaderboard.importers import load_samples

pytestmark = pytest.mark.django_db


def test_a_json_result_is_stored_and_waits_for_review(api, owner):
    response = post_json(api, SAMPLE)

    body = response.json()
    assert response.status_code == 201
    assert (body["status"], body["shape"], body["visibility"]) == ("pending", "normal", "public")
    assert body["results"][0]["tokens_per_joule"] == SAMPLE["tokens_per_joule"]
    assert Submission.objects.get(pk=body["id"]).owner == owner
    assert response["Location"] == body["url"]


def test_the_real_file_gives_the_figures_of_the_methodology(api, shared_data):
    with (shared_data / "llenergymeasure/v2.0_real/gpt2_pytorch_v2.0.json").open("rb") as file:
        body = api.post(BENCHMARKS, {"file": file}, format="multipart").json()

    result = body["results"][0]
    assert (result["output_tokens"], result["input_tokens"]) == (640, 1280)
    assert result["tokens_per_joule"] == pytest.approx(2.8065, abs=5e-5)
    assert result["energy_per_output_token_j"] == pytest.approx(0.35631, abs=5e-6)
    assert result["throughput_tokens_per_s"] == pytest.approx(149.01, abs=5e-3)
    assert result["peak_memory_mb"] == pytest.approx(263.1, abs=0.05)
    assert (result["precision"], result["batch_size"]) == ("bf16", 1)
    assert (result["hardware"], result["hardware_reported"]) == ("a100-pcie-40", "NVIDIA A100-PCIE-40GB")
    assert any(path.endswith("output_dir") for path in body["redacted"])
    assert any(finding["code"].startswith("DUR") for finding in body["findings"])


def test_a_dry_run_answers_the_same_and_stores_nothing(api, file_storage):
    unknown = {**SAMPLE, "hardware": "a GPU nobody knows"}

    dry = post_json(api, unknown, "?dry_run=1")

    body = dry.json()
    assert dry.status_code == 200
    assert body["status"] == "pending"
    assert "id" not in body
    assert body["results"][0]["id"] is None
    assert not Submission.objects.exists()
    assert not UnknownName.objects.exists()
    assert stored_files(file_storage) == []


def test_a_dry_run_of_the_impossible_shows_the_findings(api):
    response = post_json(api, {**SAMPLE, "tokens_per_joule": 900.0}, "?dry_run=1")

    assert response.status_code == 200
    assert response.json()["status"] == "impossible"
    assert "B" in {finding["severity"] for finding in response.json()["findings"]}


def test_a_dry_run_says_that_it_would_stay_a_draft(api):
    lacking = {name: value for name, value in SAMPLE.items() if name != "hardware"}

    assert post_json(api, lacking, "?dry_run=1").json()["status"] == "draft"


def test_files_that_are_left_out_are_named(api):
    files = {"a": named("one.json", SAMPLE), "b": named("run.log", "text")}

    assert api.post(BENCHMARKS, files, format="multipart").json()["ignored"] == [
        {"file": "run.log", "why": "Logs are not imported."}
    ]


def test_the_same_measurement_is_not_taken_twice(api):
    post_json(api, SAMPLE)

    response = post_json(api, SAMPLE)

    assert response.status_code in (409, 422)
    assert Submission.objects.count() == 1


def test_an_array_is_one_submission_with_many_results(api):
    body = post_json(api, [SAMPLE, {**SAMPLE, "batch_size": 2}]).json()

    assert Submission.objects.count() == 1
    assert [result["batch_size"] for result in body["results"]] == [1, 2]


def test_several_files_are_one_submission(api):
    files = {"a": named("one.json", SAMPLE), "b": named("two.json", {**SAMPLE, "batch_size": 4})}

    body = api.post(BENCHMARKS, files, format="multipart").json()

    assert [file["name"] for file in body["files"]] == ["one.json", "two.json"]
    assert len(body["results"]) == 2


def test_two_files_of_one_name_are_refused(api):
    files = {"a": named("result.json", SAMPLE), "b": named("result.json", {**SAMPLE, "batch_size": 4})}

    response = api.post(BENCHMARKS, files, format="multipart")

    assert response.status_code == 400
    assert "result.json" in response.json()["error"]["fields"]


def test_a_zip_is_taken_as_the_body(api):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("runs/one.json", json.dumps(SAMPLE))

    response = api.generic("POST", BENCHMARKS, packed.getvalue(), content_type="application/zip")

    assert response.status_code == 201
    assert response.json()["files"][0]["name"] == "runs/one.json"


def test_csv_is_taken_as_the_body(api):
    lines = [",".join(SAMPLE), ",".join(str(value) for value in SAMPLE.values())]

    response = api.generic("POST", BENCHMARKS, "\n".join(lines), content_type="text/csv")

    assert response.status_code == 201
    assert response.json()["shape"] == "normal_csv"


def test_yaml_of_llm_d_is_taken_as_the_body(api):
    report = strict_yaml.dumps(load_samples.llm_d_2())

    response = api.generic("POST", BENCHMARKS, report, content_type="application/yaml")

    assert response.status_code == 201
    assert (response.json()["shape"], response.json()["files"][0]["name"]) == ("llm_d_2", "body.yaml")


def test_other_yaml_as_the_body_is_refused_in_words(api):
    response = api.generic("POST", BENCHMARKS, b"a: 1\n", content_type="application/yaml")

    assert response.status_code == 400
    assert "no benchmark report of llm-d" in response.json()["error"]["message"]


def test_stated_values_fill_what_the_file_lacks_and_say_so(api):
    lacking = {name: value for name, value in SAMPLE.items() if name not in ("gpu_count", "hardware")}

    body = post_json(api, lacking, '?stated={"hardware":"a100-pcie-40","gpu_count":2,"batch_size":64}').json()

    result = body["results"][0]
    assert (result["hardware"], result["gpu_count"]) == ("a100-pcie-40", 2)
    assert result["provenance"]["gpu_count"] == "stated"
    assert result["batch_size"] == 1, "what the file says stays"
    assert result["provenance"]["batch_size"] == "file"


def test_stated_values_come_in_a_form_field_too(api):
    form = {"file": named("one.json", {**SAMPLE, "precision": None}), "stated": '{"precision": "fp16"}'}

    assert api.post(BENCHMARKS, form, format="multipart").json()["results"][0]["precision"] == "fp16"


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ("[1]", "stated"),
        ("{", "stated"),
        ('{"gpu_count": "many"}', "gpu_count"),
        ('{"tokens_per_joule": 9}', "tokens_per_joule"),
        ('{"trust": "T4"}', "trust"),
    ],
)
def test_a_wrong_statement_is_refused_by_name(api, stated, field):
    response = post_json(api, SAMPLE, f"?stated={stated}")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert not Submission.objects.exists()


def test_what_is_missing_is_named_and_the_submission_stays_a_draft(api):
    lacking = {name: value for name, value in SAMPLE.items() if name != "hardware"}

    body = post_json(api, lacking).json()

    assert body["status"] == "draft"
    assert [missing["field"] for missing in body["missing"]] == ["hardware"]


def test_an_unknown_gpu_is_taken_as_written_and_waits_for_a_moderator(api):
    body = post_json(api, {**SAMPLE, "hardware": "Voodoo 5"}).json()

    assert (body["results"][0]["hardware"], body["results"][0]["hardware_reported"]) == ("Voodoo 5", "Voodoo 5")
    assert UnknownName.objects.get().written_as == "Voodoo 5"
    assert "hardware" in {finding["field"] for finding in body["findings"]}


@pytest.mark.parametrize("visibility", ["draft", "private"])
def test_what_is_not_public_is_not_handed_in(api, visibility):
    body = post_json(api, SAMPLE, f"?visibility={visibility}").json()

    assert (body["status"], body["visibility"]) == ("draft", visibility)
    assert not ReviewEvent.objects.exists()


@pytest.mark.parametrize("query", ["?dryrun=1", "?dry_run=maybe", "?visibility=secret", "?owner=stranger", "?note=%00"])
def test_a_parameter_that_is_not_right_is_refused_by_name(api, query):
    response = post_json(api, SAMPLE, query)

    assert response.status_code == 400
    assert query[1:].split("=")[0] in response.json()["error"]["fields"]
    assert not Submission.objects.exists()


@pytest.mark.parametrize("name", ["state", "status", "owner", "trust", "is_ranked"])
def test_a_form_cannot_set_what_is_not_the_uploaders(api, name):
    form = {"file": named("one.json", SAMPLE), name: "T4"}

    response = api.post(BENCHMARKS, form, format="multipart")

    assert response.status_code == 400
    assert name in response.json()["error"]["fields"]
    assert not Result.objects.exists()


@pytest.mark.parametrize("name", ["state", "owner", "trust", "is_ranked", "id"])
def test_a_result_cannot_set_what_is_not_measured(api, name):
    response = post_json(api, {**SAMPLE, name: "T4"})

    assert response.status_code == 400
    assert name in response.json()["error"]["fields"]
    assert not Result.objects.exists()


def test_the_impossible_is_refused_with_its_findings(api, shared_data, file_storage):
    response = post_json(api, (shared_data / "llenergymeasure/commons/synthetic-180.json").read_bytes())

    body = response.json()
    assert response.status_code == 422
    assert body["error"]["code"] == "impossible"
    assert body["error"]["message"].startswith("180 of 180 results")
    assert {finding["result"] for finding in body["findings"]} == set(range(180))
    assert (Submission.objects.count(), RawFile.objects.count(), stored_files(file_storage)) == (0, 0, [])


def test_the_number_of_queries_does_not_grow_with_the_rows_of_a_stored_submission(api, django_assert_max_num_queries):
    many = [{**SAMPLE, "batch_size": size} for size in range(1, 9)]
    one = post_json(api, SAMPLE, "?visibility=draft").json()["id"]
    eight = post_json(api, many, "?visibility=draft").json()["id"]
    with django_assert_max_num_queries(20) as few:
        api.get(f"/api/submissions/{one}")

    with django_assert_max_num_queries(len(few)):
        api.get(f"/api/submissions/{eight}")


def test_anonymous_is_asked_for_a_token(anonymous):
    response = post_json(anonymous, SAMPLE)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]["code"] == "unauthorized"


def test_a_session_is_no_token(anonymous, owner):
    anonymous.force_login(owner)

    assert post_json(anonymous, SAMPLE).status_code == 401


def test_a_token_without_the_scope_is_refused(owner, catalogue):
    assert post_json(client_of(owner, "read"), SAMPLE).status_code == 403


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(api, method):
    response = getattr(api, method)(BENCHMARKS)

    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_the_body_of_curl_without_a_content_type_is_refused_with_the_ones_that_are_read(api):
    response = api.generic("POST", BENCHMARKS, "{}", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 415
    assert "application/json" in response.json()["error"]["message"]


def test_too_many_writes_are_told_when_to_go_on(api, monkeypatch):
    monkeypatch.setattr("accounts.api.throttling.WRITES", "2/hour")

    responses = [post_json(api, {}) for _ in range(3)]

    assert [response.status_code for response in responses] == [400, 400, 429]
    assert 0 < int(responses[-1]["Retry-After"]) <= 3600


def named(name, content):
    file = io.BytesIO(json.dumps(content).encode())
    file.name = name
    return file
