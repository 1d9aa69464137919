"""Pushing a dump to a dataset on Hugging Face: what arrives, and what happens when nothing does."""

from __future__ import annotations

import logging

import pytest
from django.core.files.storage import default_storage

from leaderboard import tasks
from leaderboard.services.dumps import make_dump
from leaderboard.services.hugging_face import DATA_PATH, push_dump
from tests.factories import published_result
from tests.leaderboard.fake_hub import TOKEN, running_hub
from tests.leaderboard.test_dumps import NIGHT, _own_storage  # noqa: F401 - a fixture for all tests here

pytestmark = [
    pytest.mark.django_db,
    # The library leaves its pooled connections to the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # It hands an open file to httpx2 in a way that httpx2 would have otherwise.
    pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning"),
]


@pytest.fixture
def hub(settings):
    with running_hub() as hub:
        settings.HF_TOKEN, settings.HF_DATASET, settings.HF_ENDPOINT = TOKEN, "lemsite/results", hub.url
        yield hub


@pytest.fixture
def dump():
    published_result()
    return make_dump(NIGHT)


def test_the_dataset_gets_the_file_and_the_card(hub, dump):
    assert push_dump(dump)

    with default_storage.open(dump.file, "rb") as stream:
        assert hub.files[DATA_PATH] == stream.read()
    card = hub.files["README.md"].decode()
    assert card.startswith("---\nlicense: other\n")
    assert f"path: {DATA_PATH}" in card
    assert dump.sha256 in card
    assert hub.summaries == [f"Dump 2026-11-21, data version {dump.data_version}, SHA-256 {dump.sha256}"]


def test_the_row_knows_when_it_was_pushed(hub, dump):
    push_dump(dump)

    dump.refresh_from_db()
    assert dump.pushed_at is not None
    assert dump.push_error == ""


def test_the_upload_itself_carries_no_token(hub, dump):
    push_dump(dump)

    (headers,) = hub.upload_headers
    assert TOKEN not in str(headers)
    assert headers["Content-Length"] == str(dump.size_bytes)


@pytest.mark.parametrize("path", ["/preupload/", "/objects/batch", "/commit/"])
def test_a_refusal_is_kept_without_the_token_and_breaks_nothing(hub, dump, path, caplog):
    hub.refused[path] = 403

    with caplog.at_level(logging.DEBUG):
        assert not push_dump(dump)

    dump.refresh_from_db()
    assert dump.pushed_at is None
    assert "403" in dump.push_error
    assert TOKEN not in dump.push_error
    assert TOKEN not in caplog.text


def test_a_token_that_is_not_valid_is_not_repeated(hub, dump, settings):
    settings.HF_TOKEN = "hf_another"

    assert not push_dump(dump)

    dump.refresh_from_db()
    assert "401" in dump.push_error
    assert "hf_another" not in dump.push_error


def test_the_next_dump_is_pushed_after_one_that_failed(hub, dump):
    hub.refused["/commit/"] = 403
    tasks.push_dump(dump.pk)
    hub.refused.clear()

    newer = make_dump(NIGHT)
    tasks.push_dump(newer.pk)

    newer.refresh_from_db()
    assert newer.pushed_at is not None


def test_a_dump_is_pushed_once_however_often_the_task_runs(hub, dump):
    tasks.push_dump(dump.pk)
    tasks.push_dump(dump.pk)

    assert len(hub.summaries) == 1


@pytest.mark.parametrize(("token", "queued"), [(TOKEN, 1), ("", 0)])
def test_the_nightly_dump_is_pushed_only_where_that_is_set(settings, monkeypatch, token, queued):
    settings.HF_TOKEN, settings.HF_DATASET = token, "lemsite/results"
    asked = []
    monkeypatch.setattr(tasks, "async_task", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr("django.utils.timezone.now", lambda: NIGHT)

    tasks.write_nightly_dump()

    assert len(asked) == queued
