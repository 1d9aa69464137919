"""Exports say where they end."""

from __future__ import annotations

import io
import json

import pyarrow.parquet as pq
import pytest

from tests.factories import published_result

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("limit", "is_cut"), [(1, True), (2, True), (3, False)])
def test_a_json_export_says_whether_it_came_to_its_row_limit(client, limit, is_cut):
    for _ in range(2):
        published_result()

    answer = client.get(f"/api/benchmarks.json?view=all&limit={limit}")

    document = b"".join(answer)
    found = json.loads(document)
    assert (found["rows"], found["is_cut"]) == (min(limit, 2), is_cut)
    assert answer["X-Row-Limit"] == str(limit)


def test_a_parquet_export_has_its_row_limit_in_the_metadata(client):
    published_result()

    content = b"".join(client.get("/api/benchmarks.parquet?limit=5"))

    assert pq.ParquetFile(io.BytesIO(content)).metadata.metadata[b"row_limit"] == b"5"


@pytest.mark.parametrize("path", ["/", "/models/{model}/", "/hardware/{gpu}/", "/analysis/"])
def test_pages_of_results_link_their_files_and_the_dump(client, path):
    result = published_result()

    page = client.get(path.format(model=result.model.name, gpu=result.hardware.slug)).content.decode()

    for ending in ("csv", "json", "parquet"):
        assert f"/api/benchmarks.{ending}" in page
    assert 'href="/data/"' in page
