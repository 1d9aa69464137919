"""The published figures that come with the site."""

from __future__ import annotations

import json

import pytest

from leaderboard.models import BestResult, RawFile, Result, Submission, SubmissionStatus, Trust
from leaderboard.services.published import PUBLISHED_FILE, load_published
from tests.factories import NORMAL

pytestmark = pytest.mark.django_db
SOURCE = {"source_name": "A paper", "source_url": "https://example.org/paper", "source_date": "2024-09-09"}


@pytest.fixture
def figures(tmp_path, small_catalogue, stored_files):
    """Writes a file of published figures with the given batch sizes."""

    def write(*batches: int, **fields: object):
        file = tmp_path / "published.json"
        file.write_text(json.dumps([{**NORMAL, **SOURCE, "batch_size": batch, **fields} for batch in batches]))
        return file

    return write


def test_the_shipped_figures_are_ranked_as_published(catalogue):
    ranked = load_published()

    assert ranked == Result.objects.ranked().count() == 191
    assert set(Result.objects.values_list("trust", flat=True)) == {Trust.PUBLISHED}


def test_every_shipped_figure_names_its_source_with_date_and_link(catalogue):
    load_published()

    assert not Result.objects.filter(source_name="").exists()
    assert not Result.objects.exclude(source_url__startswith="https://").exists()
    assert not Result.objects.filter(source_date="").exists()


def test_loading_the_shipped_figures_twice_changes_nothing(catalogue):
    load_published()
    before = list(Result.objects.values_list("pk", "is_ranked")), list(Submission.objects.values())

    assert load_published() == 191
    assert (list(Result.objects.values_list("pk", "is_ranked")), list(Submission.objects.values())) == before


def test_a_load_leaves_who_and_why(figures):
    load_published(figures(8))

    submission = Submission.objects.get()
    assert submission.status == SubmissionStatus.PUBLISHED
    assert [(event.action, event.actor) for event in submission.events.all()] == [("submit", None), ("approve", None)]
    assert submission.events.last().reason


def test_a_changed_file_replaces_the_earlier_load(figures):
    load_published(figures(8, 16))

    ranked = load_published(figures(16, 32, 64))

    assert ranked == 3
    assert set(Result.objects.values_list("batch_size", flat=True)) == {16, 32, 64}
    assert set(BestResult.objects.values_list("result", flat=True)) <= set(Result.objects.values_list("pk", flat=True))


def test_a_changed_file_takes_the_earlier_one_out_of_the_storage(
    figures, stored_files, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        load_published(figures(8))
        load_published(figures(16))

    assert stored_files() == [RawFile.objects.get().sha256]


def test_a_figure_that_leaves_something_for_judgement_is_not_in_the_default_view(figures):
    load_published(figures(8, hardware="an unknown GPU"))

    assert Result.objects.get().trust == Trust.SELF_REPORTED
    assert not Result.objects.get().is_ranked


def test_the_shipped_file_says_where_its_rows_come_from():
    data = json.loads(PUBLISHED_FILE.read_text())

    assert all(source["url"] and source["licence"] for source in data["sources"])
    assert sum(source["rows"] for source in data["sources"]) == len(data["results"])
