from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from leaderboard.api import parameters, schema, serializers
from leaderboard.normal import NormalResult
from lemsite.lib.api_schema import ErrorFieldsSerializer
from tests.leaderboard.api.clients import BENCHMARKS, SAMPLE, post_json

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"


def test_the_committed_schema_is_the_generated_one(tmp_path):
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", file=str(made))

    renew = "run: python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    assert made.read_text() == COMMITTED.read_text(), renew


def test_the_schema_names_every_field_of_the_normal_form():
    assert set(NormalResult.model_fields) <= set(serializers.ResultSerializer().fields)


def test_the_schema_names_every_parameter_of_the_leaderboard():
    assert {parameter.name for parameter in schema.BOARD_PARAMETERS} == set(parameters.BOARD_PARAMETERS)


@pytest.mark.django_db
def test_answers_hold_what_the_schema_says(api):
    preview = post_json(api, SAMPLE, "?dry_run=1").json()
    created = post_json(api, SAMPLE).json()
    detail = api.get(f"{BENCHMARKS}/{created['results'][0]['id']}").json()
    row = api.get("/api/submissions").json()["results"][0]
    whole = api.get(f"/api/submissions/{created['id']}").json()

    assert_keys(preview, serializers.PreviewSerializer)
    assert_keys(created, serializers.CreatedSerializer)
    assert_keys(created["results"][0], serializers.ResultSerializer)
    assert_keys(created["files"][0], serializers.FileSerializer)
    assert_keys(detail, serializers.ResultDetailSerializer)
    assert_keys(row, serializers.SubmissionRowSerializer)
    assert_keys(whole, serializers.SubmissionSerializer)
    history = api.get(f"/api/submissions/{created['id']}/history").json()
    assert_keys(history, serializers.HistorySerializer)
    assert_keys(history["results"][0], serializers.EventSerializer)
    assert_keys(api.get("/api/models/openai-community/gpt2").json(), serializers.ModelSerializer)
    assert_keys(api.get("/api/hardware/a100-pcie-40").json(), serializers.HardwareSerializer)
    assert_keys(api.get(BENCHMARKS).json(), serializers.BoardSerializer)


@pytest.mark.django_db
def test_findings_hold_what_the_schema_says(api):
    body = post_json(api, {**SAMPLE, "tokens_per_joule": 900.0}).json()

    assert_keys(body, serializers.ImpossibleSerializer)
    assert_keys(body["error"], ErrorFieldsSerializer)
    assert_keys(body["findings"][0], serializers.PlacedFindingSerializer)


def test_the_schema_is_json_for_who_does_not_ask_and_yaml_for_who_does(client):
    plain = client.get("/api/schema").json()
    yaml = client.get("/api/schema", HTTP_ACCEPT="application/vnd.oai.openapi")

    assert plain["openapi"] == "3.1.0"
    assert yaml.content.startswith(b"openapi: 3.1.0")


def test_the_documentation_has_no_inline_script_or_style(client):
    page = client.get("/api/docs")
    script = client.get("/api/docs?script=")

    assert page.status_code == script.status_code == 200
    assert b"<script>" not in page.content
    assert b"style" not in page.content.replace(b"stylesheet", b"")
    assert b"SwaggerUIBundle" in script.content
    assert "'unsafe-inline'" not in page["Content-Security-Policy"].split("style-src")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_root_says_where_things_are(client, path):
    links = client.get(path).json()

    assert links["benchmarks"] == "http://testserver/api/benchmarks"
    assert {name: status_of(client, link) for name, link in links.items()} == {
        **dict.fromkeys(links, 200),
        "me": 401,
        "submissions": 401,
    }


def status_of(client, link):
    response = client.get(link)
    response.getvalue()
    return response.status_code


def assert_keys(body, serializer):
    assert set(body) == set(serializer().fields)
