"""Files in a folder: whole under their name, or not there."""

from __future__ import annotations

import threading

import pytest
from django.core.files.base import ContentFile, File

from lemsite.lib.file_storage import UNFINISHED, WholeFileStorage


@pytest.fixture
def storage(tmp_path):
    return WholeFileStorage(location=tmp_path)


def left(storage, tmp_path):
    return list((tmp_path / UNFINISHED).iterdir())


def test_a_file_is_there_with_its_content_and_nothing_beside_it(storage, tmp_path):
    name = storage.save("raw/ab/file", ContentFile(b"content"))

    assert (name, (tmp_path / name).read_bytes(), left(storage, tmp_path)) == ("raw/ab/file", b"content", [])


class _FullDisk(File):
    def chunks(self, chunk_size=None):
        yield b"half of it"
        raise OSError(28, "No space left on device")


def test_a_disk_that_is_full_leaves_no_half_file(storage, tmp_path):
    with pytest.raises(OSError, match="No space left"):
        storage.save("raw/ab/file", _FullDisk(None))

    assert not storage.exists("raw/ab/file")
    assert left(storage, tmp_path) == []


def test_a_name_that_is_taken_is_not_written_over(storage, tmp_path):
    names = [storage.save("file.md", ContentFile(content)) for content in (b"one", b"two")]

    assert names[0] == "file.md" != names[1]
    assert [(tmp_path / name).read_bytes() for name in names] == [b"one", b"two"]


def test_of_two_who_write_one_name_at_once_each_has_its_own(storage, tmp_path, monkeypatch):
    """Both see that the name is free; the link decides."""
    both = threading.Barrier(2)
    free = WholeFileStorage._written

    def _written(self, content):
        path = free(self, content)
        both.wait(10)
        return path

    monkeypatch.setattr(WholeFileStorage, "_written", _written)
    names = []
    threads = [
        threading.Thread(target=lambda content=content: names.append(storage.save("file", ContentFile(content))))
        for content in (b"one", b"two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "file" in names
    assert {(tmp_path / name).read_bytes() for name in names} == {b"one", b"two"}


def test_text_is_written_as_utf8(storage, tmp_path):
    storage.save("file", ContentFile("é"))

    assert (tmp_path / "file").read_bytes() == "é".encode()
