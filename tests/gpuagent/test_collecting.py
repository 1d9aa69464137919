"""Which files leave a host: those that were asked for, and nothing that a job put in their place."""

import hashlib
import os

import pytest

from gpuagent.host import collecting
from gpuagent.host.collecting import NotTheFile, collect, open_inside
from gpuagent.host.folders import AttemptFolder


@pytest.fixture
def folder(tmp_path):
    folder = AttemptFolder(tmp_path / "one")
    (folder["out"] / "study").mkdir(parents=True)
    return folder


def names(folder, *patterns, max_files=10, max_bytes=1000):
    found, _ = collect(folder, patterns or ("out/**/*.json",), max_files=max_files, max_bytes=max_bytes)
    return [one.name for one in found]


def test_a_file_is_told_with_its_size_and_hash(folder):
    (folder["out"] / "study" / "result.json").write_bytes(b"{}")

    found, left = collect(folder, ["out/**/result.json"], max_files=10, max_bytes=100)

    told = {"name": "out/study/result.json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    assert ([one.as_told() for one in found], left) == ([told], [])


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("out/**/a.json", True), ("out/*/a.json", True), ("out/*.json", False), ("out/study/?.json", True)],
)  # fmt: skip
def test_patterns_are_those_of_folders(folder, pattern, matches):
    (folder["out"] / "study" / "a.json").touch()

    assert bool(names(folder, pattern)) is matches


def test_links_devices_and_odd_names_stay(folder, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("secret")
    out = folder["out"]
    (out / "link.json").symlink_to(secret)
    os.link(secret, out / "hard.json")
    os.mkfifo(out / "pipe.json")
    (out / "odd name.json").touch()
    (out / ".hidden.json").touch()
    (out / "elsewhere").symlink_to(tmp_path)

    assert names(folder) == []


def test_a_folder_that_became_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.json").write_text("secret")
    (folder["out"] / "now").symlink_to(tmp_path / "target")

    with pytest.raises(NotTheFile):
        open_inside(folder, "out/now/a.json")


@pytest.mark.parametrize(("limit", "kept"), [({"max_files": 1}, 1), ({"max_bytes": 5}, 1), ({}, 3)])
def test_more_than_is_allowed_stays_and_is_told(folder, limit, kept):
    for name in "abc":
        (folder["out"] / f"{name}.json").write_text("four")

    found, left = collect(folder, ["out/*.json"], **{"max_files": 10, "max_bytes": 1000, **limit})

    assert (len(found), len(left)) == (kept, 3 - kept)


def test_the_walk_has_an_end(folder, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_SEEN", 2)
    for name in "abcd":
        (folder["out"] / f"{name}.json").touch()

    assert len(names(folder)) == 2
