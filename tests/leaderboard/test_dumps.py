"""The full dump: what is in the file, what stands beside it, and what is kept."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import weakref
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from leaderboard import dump_file, tasks
from leaderboard.data_card import _code
from leaderboard.field_kinds import KINDS
from leaderboard.models import Dump, Licence, SubmissionStatus, Visibility
from leaderboard.queries.dumps import CACHE_KIB, _cache_size, dump_rows
from leaderboard.queries.facets import data_version
from leaderboard.services import dumps as service
from leaderboard.services.dumps import COLUMNS, DumpError, is_dump_due, make_dump, prune_dumps, schema_name
from leaderboard.services.ranking import bump_data_version
from tests.factories import ResultFactory, SubmissionFactory, published_result

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
STATISTICS = {"n": 5, "mean": 2.0, "sd": 0.1, "ci95_low": 1.9, "ci95_high": 2.1, "cv": 0.05}


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    settings.LEMSITE_HOME = tmp_path


def stored() -> list[str]:
    return sorted(default_storage.listdir("dumps")[1])


def file_of(dump: Dump) -> pq.ParquetFile:
    with default_storage.open(dump.file, "rb") as stream:
        return pq.ParquetFile(io.BytesIO(stream.read()))


def rows_of(dump: Dump) -> list[dict]:
    return file_of(dump).read().to_pylist()


def test_the_dump_holds_every_ranked_result_and_nothing_else():
    shown = published_result()
    ResultFactory()
    published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, visibility=Visibility.PRIVATE))

    dump = make_dump(NIGHT)

    assert [row["id"] for row in rows_of(dump)] == [str(shown.pk)]
    assert dump.rows == 1


def test_a_row_has_the_catalogues_names_the_figures_and_the_terms():
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, licence=Licence.CC0, published_at=NIGHT)
    result = published_result(submission=submission, model_name="as/in-the-file", throughput_tokens_per_s=123.5)

    (row,) = rows_of(make_dump(NIGHT))

    assert (row["model"], row["model_reported"]) == (result.model.name, "as/in-the-file")
    assert (row["hardware"], row["backend"]) == (result.hardware.slug, result.backend.slug)
    assert (row["throughput_tokens_per_s"], row["licence"], row["trust"]) == (123.5, "CC0-1.0", "T2")
    assert row["published_at"] == NIGHT


def test_a_row_from_a_named_source_has_no_licence_of_this_site():
    published_result(source_name="Some leaderboard")

    (row,) = rows_of(make_dump(NIGHT))

    assert (row["licence"], row["source_name"]) == (None, "Some leaderboard")


def test_what_was_not_measured_is_null():
    published_result(ttft_ms_p50=None, precision="")

    (row,) = rows_of(make_dump(NIGHT))

    assert (row["ttft_ms_p50"], row["precision"]) == (None, None)


def test_the_spread_of_primary_metrics_has_columns_of_its_own():
    published_result(statistics={"tokens_per_joule": STATISTICS})

    (row,) = rows_of(make_dump(NIGHT))

    spread = [row[f"tokens_per_joule_{key}"] for key in ("n", "sd", "ci95_low", "ci95_high")]
    assert spread == [5, 0.1, 1.9, 2.1]
    assert row["avg_power_w_sd"] is None


def test_every_field_of_the_normal_form_is_a_column():
    assert set(KINDS) <= {column.name for column in COLUMNS}


def test_every_column_says_what_it_means_and_every_figure_its_unit():
    published_result()

    fields = {field.name: field.metadata for field in file_of(make_dump(NIGHT)).schema_arrow}

    assert all(metadata[b"meaning"] for metadata in fields.values())
    assert fields["tokens_per_joule"][b"unit"] == b"tok/J"
    assert fields["itl_ms_p50_sd"][b"unit"] == b"ms"


def test_the_files_metadata_names_version_licence_and_data_version():
    published_result()

    metadata = file_of(make_dump(NIGHT)).metadata.metadata

    assert metadata[b"version"] == b"2026-11-21"
    assert b"per row" in metadata[b"licence"]
    assert metadata[b"data_version"] == str(data_version()).encode()


def test_the_data_version_is_that_of_the_rows_even_if_something_is_published_meanwhile(monkeypatch):
    published_result()
    before = data_version()
    rows = dump_rows

    def published_meanwhile(paths):
        for row in rows(paths):
            bump_data_version()
            yield row

    monkeypatch.setattr(service, "dump_rows", published_meanwhile)

    assert make_dump(NIGHT).data_version == before
    assert data_version() == before + 1


def test_an_empty_site_has_an_empty_dump():
    dump = make_dump(NIGHT)

    assert (dump.rows, len(file_of(dump).schema_arrow.names)) == (0, len(COLUMNS))


def test_checksum_and_size_are_those_of_the_stored_file():
    published_result()

    dump = make_dump(NIGHT)

    with default_storage.open(dump.file, "rb") as stream:
        content = stream.read()
    assert (dump.sha256, dump.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_memory_holds_one_row_group_however_many_rows_there_are(monkeypatch):
    monkeypatch.setattr(dump_file, "BATCH_ROWS", 2)
    monkeypatch.setattr(dump_file, "BATCHES_PER_GROUP", 2)
    made, most = [], 0
    count = dump_file._count

    def counted(batch, version, written):
        nonlocal most
        made.append(weakref.ref(batch))
        gc.collect()
        most = max(most, sum(one() is not None for one in made))
        count(batch, version, written)

    monkeypatch.setattr(dump_file, "_count", counted)
    columns = [column for column in COLUMNS if column.path == "pk"]

    written = dump_file.write_dump(io.BytesIO(), columns, ((n, 7) for n in range(40)), {})

    assert written.rows == 40
    assert most <= 5


def test_all_rows_come_from_one_statement(django_assert_max_num_queries):
    for _ in range(3):
        published_result()

    with django_assert_max_num_queries(8) as queries:
        assert len(list(dump_rows(["pk"]))) == 3

    assert sum("FROM" in query["sql"] for query in queries.captured_queries) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its cache")
def test_the_page_cache_of_the_connection_is_as_it_was():
    published_result()
    before = _cache_size()

    rows = dump_rows(["pk"])
    next(rows)
    while_reading = _cache_size()
    rows.close()

    assert (while_reading, _cache_size()) == (CACHE_KIB, before)


def test_the_card_says_what_the_file_holds_and_under_which_terms():
    published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, licence=Licence.CC_BY_SA))
    published_result(source_name="Other `site`\n# with a heading")

    dump = make_dump(NIGHT)

    with default_storage.open(dump.card, "rb") as stream:
        card = stream.read().decode()
    assert "2 published configurations" in card
    assert "[CC-BY-SA-4.0](https://creativecommons.org/licenses/by-sa/4.0/): 1 rows" in card
    assert "`Other 'site' # with a heading`: 1 rows" in card
    assert dump.sha256 in card
    assert "| `tokens_per_joule` | float | tok/J |" in card


@pytest.mark.parametrize("name", ["`x`", "a\nb", "\u202eabc", "<script>", "|", "x" * 500])
def test_a_hostile_source_name_stays_code_on_one_line(name):
    code = _code(name)

    assert code.count("`") == 2
    assert "\n" not in code
    assert "\u202e" not in code
    assert len(code) <= 202


def test_the_schema_is_that_of_the_rows():
    published_result()
    dump = make_dump(NIGHT)

    with default_storage.open(schema_name(dump), "rb") as stream:
        schema = json.load(stream)

    (row,) = rows_of(dump)
    assert list(schema["properties"]) == list(row)
    assert schema["properties"]["tokens_per_joule"]["x-unit"] == "tok/J"
    assert schema["properties"]["trust"]["type"] == "string"
    assert schema["properties"]["gpu_count"]["type"] == ["integer", "null"]


def test_a_second_dump_of_a_day_has_a_name_of_its_own():
    assert [make_dump(NIGHT).version for _ in range(2)] == ["2026-11-21", "2026-11-21.2"]


def test_a_tenth_dump_of_a_day_is_refused():
    for version in ("2026-11-21", *(f"2026-11-21.{n}" for n in range(2, 10))):
        Dump.objects.create(version=version, data_version=1, rows=0, size_bytes=0)

    with pytest.raises(DumpError, match="9 dumps of 2026-11-21"):
        make_dump(NIGHT)


def test_thirty_are_kept_each_row_with_its_files():
    for days in range(1, 33):
        version = f"{NIGHT - timedelta(days=days):%Y-%m-%d}"
        for ending in (".parquet", ".md", ".schema.json"):
            default_storage.save(f"dumps/{version}{ending}", ContentFile(b""))
        Dump.objects.create(
            version=version,
            data_version=1,
            rows=0,
            size_bytes=0,
            file=f"dumps/{version}.parquet",
            card=f"dumps/{version}.md",
        )

    make_dump(NIGHT)

    kept = set(Dump.objects.values_list("version", flat=True))
    assert len(kept) == 30
    assert "2026-10-23" in kept
    assert "2026-10-22" not in kept
    assert {name[:10] for name in stored()} == kept
    assert len(stored()) == 90


def test_the_last_one_is_never_removed():
    make_dump(NIGHT)

    prune_dumps(NIGHT, keep=0)

    assert Dump.objects.count() == 1
    assert len(stored()) == 3


def test_a_dump_that_fails_leaves_no_row_no_file_and_the_one_before(monkeypatch):
    before = make_dump(NIGHT)
    monkeypatch.setattr(service, "data_card", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        make_dump(NIGHT + timedelta(days=1))

    assert list(Dump.objects.all()) == [before]
    assert len(stored()) == 3


def test_a_dump_whose_row_is_refused_leaves_no_file(monkeypatch):
    make_dump(NIGHT)
    monkeypatch.setattr(service, "_free_version", lambda day: day)

    published_result()
    with pytest.raises(DumpError, match="Another process has made 2026-11-21"):
        make_dump(NIGHT)

    assert len(stored()) == 3


def test_files_that_a_killed_process_left_go_after_a_day():
    default_storage.save("dumps/2026-01-01-dead.parquet", ContentFile(b"half"))

    prune_dumps(timezone.now())
    assert stored() == ["2026-01-01-dead.parquet"]

    prune_dumps(timezone.now() + timedelta(days=2))
    assert stored() == []


@pytest.mark.parametrize(("hour", "is_due"), [(1, False), (2, True), (23, True)])
def test_the_dump_is_due_once_the_night_has_come(hour, is_due):
    assert is_dump_due(NIGHT.replace(hour=hour)) is is_due


def test_a_night_has_one_dump_however_often_the_task_runs(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NIGHT)

    tasks.write_nightly_dump()
    tasks.write_nightly_dump()

    assert Dump.objects.count() == 1


def test_the_command_says_what_it_wrote(capsys):
    published_result()

    call_command("dump")

    dump = Dump.objects.get()
    assert f"{dump.version}: 1 rows" in capsys.readouterr().out


def test_the_command_leaves_a_day_that_has_one_when_told_so(capsys):
    call_command("dump")
    call_command("dump", "--if-missing")

    assert Dump.objects.count() == 1
    assert "already" in capsys.readouterr().out
