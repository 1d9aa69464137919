"""Backups that come back: the same rows and bytes, or a refusal that changes nothing."""

from __future__ import annotations

import io
import json
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import secrets_at_rest
from accounts.models import User, WebhookEndpoint
from jobs.models import Attempt
from jobs.queries.logs import log_sha256
from leaderboard.models import RawFile, ShortLink
from lemsite.backups import BackupError, databases, making, recorded, stored
from lemsite.backups.making import make_backup
from lemsite.backups.manifest import (
    FILES,
    MANIFEST,
    POOL,
    find_snapshot,
    part_of,
    read_manifest,
    snapshots,
    stored_files,
    write_manifest,
)
from lemsite.backups.restoring import check, restore
from lemsite.lib import service_urls
from lemsite.models import Backup
from tests.data.full_site import LOG, contents, fill, rows, wipe

needs_client = pytest.mark.skipif(
    connection.vendor == "postgresql" and not all(map(shutil.which, ("pg_dump", "pg_restore", "psql"))),
    reason="PostgreSQL's client programs are not installed",
)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("may_open_copies"), needs_client]


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "stored").as_uri())
    settings.STORAGES = {**settings.STORAGES, "default": service_urls.storage("STORAGE_URL", folder=tmp_path)}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backups"


def command(name, *arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def test_what_was_backed_up_comes_back_row_for_row_and_byte_for_byte(target):
    made = fill()
    before = rows(), contents()
    told = command("backup", str(target), "--verify")
    wipe()

    answer = command("restore", str(target))

    assert rows() == before[0]
    assert contents() == before[1]
    assert "read back and whole" in told
    assert "files, each with its digest." in answer
    assert "SECRET_KEY" not in answer
    assert Client().get("/api/users/me", headers={"Authorization": f"Bearer {made['token']}"}).status_code == 200
    assert secrets_at_rest.decrypt(WebhookEndpoint.objects.get().secret) == made["secret"]
    assert log_sha256(Attempt.objects.get()) == log_sha256(made["attempt"])
    assert bytes(Attempt.objects.get().log_chunks.get().content) == LOG
    assert Client().get("/runs/race/").status_code == 200


def test_the_site_takes_note_of_its_last_whole_backup(target):
    fill()
    before = timezone.now()
    command("backup", str(target))
    first = recorded.latest()

    command("backup", str(target / "elsewhere"), "--verify")

    last = Backup.objects.get()
    folder = find_snapshot(target / "elsewhere")
    assert before < first.made_at < last.made_at < timezone.now()
    assert (first.was_read_back, last.was_read_back, last.folder) == (False, True, str(folder))
    whole = sum(file.size for file in stored_files(folder)) + (folder / FILES).stat().st_size
    assert last.size_bytes == whole + next(folder.glob("database.*")).stat().st_size


def test_a_backup_is_made_before_the_site_can_take_note_of_it(target):
    """Such as with the program of the next release, whose migrations come after the backup."""
    with connection.schema_editor() as tables:
        tables.delete_model(Backup)
    try:
        told = command("backup", str(target))
    finally:
        with connection.schema_editor() as tables:
            tables.create_model(Backup)

    assert "The site could not take note of it" in told
    assert snapshots(target)


def test_the_second_backup_copies_only_what_is_new(target):
    fill()
    first = make_backup(target, now=datetime(2026, 11, 21, 3, tzinfo=UTC))
    default_storage.save("batches/x/0", ContentFile(b"waits to be read"))

    second = make_backup(target)

    assert (first.copied, second.copied) == (first.manifest.file_count, 1)
    assert second.manifest.file_count == first.manifest.file_count + 1


def test_old_snapshots_go_and_take_along_what_only_they_had(target):
    default_storage.save("batches/x/0", ContentFile(b"once"))
    make_backup(target, now=datetime(2026, 11, 20, 3, tzinfo=UTC))
    default_storage.delete("batches/x/0")
    default_storage.save("batches/x/1", ContentFile(b"now"))

    made = make_backup(target, keep=1, now=datetime(2026, 11, 21, 3, tzinfo=UTC))

    assert snapshots(target) == [made.folder]
    assert [path.read_bytes() for path in (target / POOL).glob("*/*")] == [b"now"]


def test_a_backup_holds_no_secret_in_clear(target):
    made = fill()

    folder = make_backup(target).folder

    everything = b"".join(path.read_bytes() for path in [*folder.iterdir(), *(target / POOL).glob("*/*")])
    assert made["token"].encode() not in everything
    assert made["secret"].encode() not in everything
    assert (target.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o700, 0o700)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def pooled(target):
    return sorted((target / POOL).glob("*/*"))[0]


DAMAGE = {
    "a byte of the database": lambda target, folder: flip(next(folder.glob("database.*"))),
    "the end of the database": lambda target, folder: next(folder.glob("database.*")).write_bytes(b"SQLite format 3\0"),
    "no database": lambda target, folder: next(folder.glob("database.*")).unlink(),
    "a byte of a file": lambda target, folder: flip(pooled(target)),
    "no file": lambda target, folder: pooled(target).unlink(),
    "no list of files": lambda target, folder: (folder / FILES).unlink(),
    "a byte of the list": lambda target, folder: flip(folder / FILES),
    "a byte of the manifest": lambda target, folder: flip(folder / MANIFEST),
}


def test_damage_of_each_kind_is_refused_whole(target, tmp_path):
    fill()
    make_backup(target)
    wipe()
    before = rows(), contents()
    for number, (kind, damage) in enumerate(DAMAGE.items()):
        copy = tmp_path / str(number)
        shutil.copytree(target, copy)
        damage(copy, find_snapshot(copy))

        with pytest.raises(BackupError):
            restore(find_snapshot(copy))

        assert (rows(), contents()) == before, kind


def rewritten(folder, **changes):
    write_manifest(folder, replace(read_manifest(folder), **changes))


def test_a_backup_of_another_version_is_refused(target):
    fill()
    folder = make_backup(target).folder
    applied = {**read_manifest(folder).migrations, "runs": ["0001_initial", "0999_of_tomorrow"]}
    rewritten(folder, migrations=applied, lemsite="99.0")

    with pytest.raises(BackupError, match=r"of lemsite 99\.0, whose migrations runs\.0999_of_tomorrow"):
        restore(folder, replace=True)
    rewritten(folder, engine="oracle")
    with pytest.raises(BackupError, match="backup is of oracle"):
        restore(folder, replace=True)
    rewritten(folder, engine=connection.vendor, format=2)
    with pytest.raises(BackupError, match="has format 2"):
        restore(folder, replace=True)


def test_a_site_that_is_not_empty_is_left_alone_unless_told(target):
    fill()
    folder = make_backup(target).folder
    before = contents()
    extra = default_storage.save("raw/00/later", ContentFile(b"later"))
    User.objects.create(username="later")

    with pytest.raises(CommandError, match="not empty: it has"):
        command("restore", str(target))
    answer = command("restore", str(target), "--replace")

    assert not User.objects.filter(username="later").exists()
    assert not default_storage.exists(extra)
    assert (contents(), "1 files that the backup does not have are gone" in answer) == (before, True)
    assert folder.is_dir()


def test_a_dry_run_changes_nothing(target):
    fill()
    make_backup(target)
    wipe()

    answer = command("restore", str(target), "--dry-run")

    assert "can be restored" in answer
    assert (User.objects.count(), contents()) == (0, {})


def test_a_file_that_was_changed_in_the_storage_is_put_right(target):
    made = fill()
    make_backup(target)
    name = made["submission"].raw_files.get().storage_name
    default_storage.delete(name)
    default_storage.save(name, ContentFile(b"something else"))

    restore(find_snapshot(target), replace=True)

    assert stored.stored_sha256(name) == name.rpartition("/")[2]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="an older SQLite file is made in a second")
def test_an_older_backup_is_migrated(target):
    fill()
    folder = make_backup(target).folder
    database = folder / "database.sqlite3"
    with databases.opened_sqlite(database) as alias:
        call_command("migrate", "leaderboard", "0003", database=alias, verbosity=0)
        changes = {"rows": databases.row_counts(alias), "migrations": databases.applied_migrations(alias)}
    rewritten(folder, database=part_of(database), **changes)
    wipe()

    answer = command("restore", str(target))

    assert "of an older version and has been migrated" in answer
    assert ShortLink.objects.count() == 0
    assert User.objects.filter(username="owner").exists()


def test_a_backup_under_load_is_one_moment(target):
    """Each transaction writes two rows: of no pair is one half in the backup."""
    stop = threading.Event()
    written: list[int] = []

    def write():
        try:
            while not stop.is_set() and len(written) < 5_000:
                number = len(written)
                with transaction.atomic():
                    ShortLink.objects.create(code=f"a{number}", url="/")
                    ShortLink.objects.create(code=f"b{number}", url="/")
                written.append(number)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    while not written:
        writer.join(0.01)
    folder = make_backup(target).folder
    during = len(written)
    stop.set()
    writer.join()

    restore(folder, replace=True)

    codes = set(ShortLink.objects.values_list("code", flat=True))
    halves = {code[1:] for code in codes}
    assert {f"{half}{number}" for number in halves for half in "ab"} == codes
    assert 0 < len(halves) <= during + 1 <= len(written) + 1


def test_a_file_that_goes_while_the_backup_is_made_is_not_missed(target, monkeypatch):
    made = fill()
    whole = stored.all_names
    calls: list[int] = []

    def all_names(folder=""):
        if not folder and not calls:
            calls.append(1)
            raw = made["submission"].raw_files.get()
            default_storage.delete(raw.storage_name)
            RawFile.objects.all().delete()
        return whole(folder)

    monkeypatch.setattr(stored, "all_names", all_names)

    manifest = make_backup(target).manifest

    assert (manifest.faults, manifest.rows["leaderboard_rawfile"]) == ([], 0)


def test_a_file_that_the_storage_has_lost_is_named(target):
    made = fill()
    name = made["submission"].raw_files.get().storage_name
    default_storage.delete(name)

    with pytest.raises(CommandError, match=f"1 files that the database names could not be saved: {name}"):
        command("backup", str(target))

    assert recorded.latest() is None
    assert f"It was so when the backup was made: {name} is not in the storage." in command(
        "restore", str(target), "--replace"
    )


def test_another_secret_key_is_told(target, settings):
    fill()
    make_backup(target)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-for-tests-that-signs-nothing"

    assert "another SECRET_KEY" in command("restore", str(target), "--replace")
    settings.SECRET_KEY_FALLBACKS = [former]
    assert "another SECRET_KEY" not in command("restore", str(target), "--replace")


def test_two_backups_at_once_do_not_mix(target):
    with making._held(target), pytest.raises(CommandError, match="Another backup is being made"):
        command("backup", str(target))


def test_what_a_killed_backup_left_is_cleared_away(target):
    left = target / "snapshots" / ".unfinished-20260101T000000Z"
    left.mkdir(parents=True)

    make_backup(target)

    assert not left.exists()
    assert len(snapshots(target)) == 1


def test_a_folder_without_a_backup_is_told(tmp_path):
    with pytest.raises(CommandError, match="holds no backup"):
        command("restore", str(tmp_path))


def test_a_target_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="cannot be written"):
        command("backup", str(tmp_path / "file" / "below"))


def test_programs_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(BackupError, match="pg_dump is not installed: .*postgresql-client"):
        databases._program("pg_dump")


def test_files_go_from_a_bucket_into_a_backup_and_back(target, s3_storage):
    default_storage.save("raw/ab/file", ContentFile(b"in a bucket"))
    manifest = make_backup(target).manifest
    default_storage.delete("raw/ab/file")

    restore(find_snapshot(target), replace=True)

    assert (manifest.file_count, set(contents())) == (1, {"raw/ab/file"})


def test_the_list_of_files_says_what_each_is(target):
    default_storage.save("batches/x/0", ContentFile(b"12345"))

    folder = make_backup(target).folder

    (line,) = (folder / FILES).read_text().splitlines()
    assert json.loads(line)["size"] == 5
    assert [file.name for file in stored_files(folder)] == ["batches/x/0"]
    assert check(folder, replace=True).file_bytes == 5
