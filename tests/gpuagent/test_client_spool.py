"""The file that keeps messages while the site is away."""

import os
from pathlib import Path

import pytest

from gpuagent.client import Run
from gpuagent.spool import Spool, default_folder

URL = "https://bench.example.org"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool" / "1.jsonl"


def test_the_folder_is_where_programs_keep_their_state(monkeypatch, tmp_path):
    monkeypatch.delenv("LEM_SPOOL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_folder() == tmp_path / ".local" / "state" / "gpuagent" / "spool"

    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_folder() == Path("/state/gpuagent/spool")

    monkeypatch.setenv("LEM_SPOOL", "/elsewhere")
    assert default_folder() == Path("/elsewhere")


def test_messages_come_back_in_order_and_only_their_owner_may_read_them(path):
    spool = Spool(path, URL)
    spool.append([b'{"n":1}', b'{"n":2}'])
    spool.append([b'{"n":3}'])

    lines, place = spool.read(2)
    spool.drop(place)

    assert lines == [b'{"n":1}', b'{"n":2}']
    assert spool.read(10)[0] == [b'{"n":3}']
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    spool.close()


def test_a_spool_that_has_been_emptied_is_used_again_and_does_not_grow(path):
    spool = Spool(path, URL)
    for _ in range(3):
        spool.append([b"{}"])
        spool.drop(spool.read(10)[1])

    assert spool.is_empty
    assert path.read_bytes().count(b"\n") == 1
    spool.close()
    assert not path.exists()


def test_a_full_spool_says_so_and_keeps_what_it_has(path):
    spool = Spool(path, URL, max_bytes=60)
    spool.append([b"{}"])

    with pytest.raises(OSError, match="60 bytes"):
        spool.append([b"x" * 60])

    assert spool.read(10)[0] == [b"{}"]
    spool.close()


def test_a_write_that_fails_half_way_leaves_no_half_a_line(path, monkeypatch):
    def fail(_: int) -> None:
        raise OSError("no space left")

    spool = Spool(path, URL)
    spool.append([b'{"n":1}'])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no space left"):
            spool.append([b'{"n":2}'])

    spool.append([b'{"n":3}'])

    assert spool.read(10)[0] == [b'{"n":1}', b'{"n":3}']
    spool.close()


def test_closing_twice_and_closing_unused_do_nothing(path):
    spool = Spool(path, URL)
    spool.close()
    spool.close()

    assert not path.parent.exists()


def test_one_process_at_a_time_takes_what_was_left_behind(path):
    spool = Spool(path, URL)
    spool.append([b"{}"])
    spool.close()

    first = list(Spool.left_behind(path.parent, URL))
    second = list(Spool.left_behind(path.parent, URL))

    assert ([each.path for each in first], second) == ([path], [])
    first[0].close()


def test_a_spool_whose_program_is_still_there_is_not_taken(path):
    spool = Spool(path, URL)
    spool.append([b"{}"])

    assert list(Spool.left_behind(path.parent, URL)) == []
    spool.close()


def test_an_unused_spool_has_nothing_to_read(path):
    assert Spool(path, URL).read(10) == ([], 0)


def test_a_program_without_a_home_has_no_live_run_and_goes_on(site, monkeypatch, caplog):
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("gpuagent.client.live.default_folder", fail)

    with Run("x", gpus=["g"], url=site.url, token="t") as run:
        run.log(tokens_per_s=1)

    assert "No live run: Could not determine home directory." in caplog.text
    assert run.counts.dropped == 3
