"""What people send by mistake or on purpose: a clear 4xx that names file and field, and nothing is kept."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pytest

from leaderboard.models import RawFile, Result, Submission, UnknownName
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, post_json, stored_files

pytestmark = pytest.mark.django_db
JSON = json.dumps(SAMPLE)
BODIES = {
    "empty": (b"", "no file"),
    "blank": (b"  \n", "empty"),
    "truncated": (JSON[:-20].encode(), "cut off"),
    "nested": (b"[" * 100_000, "nested"),
    "NaN": (JSON.replace("2280.0", "NaN").encode(), "NaN"),
    "Infinity": (JSON.replace("2280.0", "Infinity").encode(), "Infinity"),
    "1e400": (JSON.replace("2280.0", "1e400").encode(), "out of range"),
    "duplicate keys": (JSON.replace('"model"', '"hardware": "x", "model"').encode(), "twice"),
    "UTF-16": (JSON.encode("utf-16"), "UTF-16"),
    "Latin-1": (JSON.replace("gpt2", "gpté").encode("latin-1"), "UTF-8"),
    "NUL": (JSON.replace("gpt2", "gp\\u0000t").encode(), "NUL"),
    "half a surrogate": (JSON.replace("gpt2", "gp\\ud800t").encode(), "surrogate"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
    "a number": (b"7", "shapes"),
    "an empty list": (b"[]", "empty list"),
    "another tool's": (b'{"request_throughput": 1, "output_throughput": 2, "mean_ttft_ms": 3}', "vLLM"),
    "no tool's": (b'{"hello": "world"}', "shapes"),
}
FIELDS = {
    "total_energy_j": -5.0,
    "output_tokens": 0,
    "duration_s": "long",
    "precision": "bf17",
    "gpu_count": 0,
    "started_at": "yesterday",
    "source_url": "javascript:alert(1)",
}


@pytest.fixture(autouse=True)
def nothing_is_kept(api, file_storage):
    yield
    assert [model.objects.count() for model in (Submission, Result, RawFile, UnknownName)] == [0, 0, 0, 0]
    assert stored_files(file_storage) == []


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_with_a_reason_that_names_it(api, name):
    raw, reason = BODIES[name]

    response = post_json(api, raw)

    error = response.json()["error"]
    assert response.status_code == 400
    assert reason in error["message"]
    assert any(field.startswith("body") for field in error["fields"])


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_file_is_refused_with_a_reason_that_names_it(api, name):
    raw, reason = BODIES[name]
    file = io.BytesIO(raw)
    file.name = "upload.json"

    response = api.post(BENCHMARKS, {"file": file}, format="multipart")

    error = response.json()["error"]
    assert response.status_code == 400
    assert ("empty" if name == "empty" else reason) in error["message"]
    assert any(field.startswith("upload.json") for field in error["fields"])


@pytest.mark.parametrize("field", FIELDS)
def test_a_bad_value_is_refused_with_its_field(api, field):
    response = post_json(api, {**SAMPLE, field: FIELDS[field]})

    error = response.json()["error"]
    assert response.status_code == 400
    assert field in error["message"]
    assert field in error["fields"]
    assert "body.json" in error["fields"]


def test_one_bad_result_of_many_refuses_all(api):
    response = post_json(api, [SAMPLE, {**SAMPLE, "total_energy_j": -1}])

    assert response.status_code == 400
    assert "[1]" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("../../evil.json", "'..'"), ("/etc/evil.json", "absolute"), ("C:\\evil.json", "absolute")],
)
def test_an_archive_that_leaves_its_folder_is_refused(api, name, reason):
    response = post_zip(api, {name: JSON})

    assert response.status_code == 400
    assert reason in response.json()["error"]["message"]
    assert "body.zip" in response.json()["error"]["fields"]


def test_a_zip_bomb_is_refused(api):
    response = post_zip(api, {"zeros.json": bytes(200 << 20)})

    assert response.status_code == 400
    assert "zeros.json" in response.json()["error"]["message"]


def test_an_archive_in_an_archive_is_refused(api):
    response = post_zip(api, {"inner.zip": packed({"a.json": JSON})})

    assert response.status_code == 400
    assert "inside" in response.json()["error"]["message"]


def test_a_link_in_a_tar_is_refused(api):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("result.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    response = api.generic("POST", BENCHMARKS, stream.getvalue(), content_type="application/x-tar")

    assert response.status_code == 400
    assert "link" in response.json()["error"]["message"]


def test_a_damaged_zip_is_refused(api):
    response = api.generic("POST", BENCHMARKS, packed({"a.json": JSON})[:-30], content_type="application/zip")

    assert response.status_code == 400
    assert "damaged" in response.json()["error"]["message"]


def test_a_body_over_the_limit_is_too_large(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000

    response = post_json(api, b" " * 100_001)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


def test_a_form_field_over_the_limit_is_too_large(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000

    response = api.post(BENCHMARKS, {"stated": "x" * 20_000}, format="multipart")

    assert response.status_code == 413


def test_too_many_files_are_sent_as_one_zip_please(api, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    files = {name: io.BytesIO(b"{}") for name in "abc"}

    response = api.post(BENCHMARKS, files, format="multipart")

    assert response.status_code == 400
    assert "zip" in response.json()["error"]["message"]


def test_a_form_without_a_file_is_refused(api):
    response = api.post(BENCHMARKS, {"note": "hello"}, format="multipart")

    assert response.status_code == 400
    assert "no file" in response.json()["error"]["message"]


def test_a_broken_form_is_refused(api):
    response = api.generic("POST", BENCHMARKS, "--x", content_type="multipart/form-data; boundary=")

    assert response.status_code == 400


def packed(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def post_zip(client, files):
    return client.generic("POST", BENCHMARKS, packed(files), content_type="application/zip")
