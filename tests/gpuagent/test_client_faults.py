"""The site is away, busy, refuses or rejects, and nothing gets lost without a word."""

import json
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from gpuagent import sender as sending
from gpuagent.client import Run
from gpuagent.site import _retry_after

from .conftest import wait_for

REPOSITORY = Path(__file__).resolve().parents[2]


def spooled(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def speeds(site) -> list[float]:
    return [tick["tokenPerSec"] for tick in site.payloads()]


def test_what_the_site_could_not_take_is_sent_when_it_is_back_in_order(site, spool, caplog):
    site.stop()
    with Run("x", gpus=["g"], models=["m"]) as run:
        for number in range(700):
            run.log(tokens_per_s=number)
        wait_for(lambda: run.counts.spooled >= 700)
        site.start()
        wait_for(lambda: len(speeds(site)) == 700)
        run.log(tokens_per_s=700)

    assert speeds(site) == list(range(701))
    assert site.messages[0]["kind"] == "run_start"
    assert (run.counts.dropped, run.counts.rejected, run.counts.sent) == (0, 0, 703)
    assert spooled(spool) == []
    assert caplog.text.count("The site is away") == 1


def test_a_run_that_ends_without_the_site_stays_on_disk_for_the_next_start(site, spool):
    site.stop()
    with Run("first", gpus=["g"], models=["m"]) as first:
        first.log(tokens_per_s=1)
    assert len(spooled(spool)) == 1
    site.start()

    with Run("second", gpus=["g"], models=["m"]):
        wait_for(lambda: speeds(site) == [1.0])
        wait_for(lambda: spooled(spool) == [])

    assert [end["runId"].partition("-")[0] for end in site.payloads("run_end")] == ["first", "second"]


def test_a_killed_program_loses_nothing_that_had_reached_the_disk(site, spool):
    code = (
        "import time\nfrom gpuagent.client import Run\nrun = Run('x', gpus=['g'], models=['m'])\n"
        "run.log(tokens_per_s=5)\n"
        "while run.counts.spooled < 2: time.sleep(0.01)\n"
        "print('kept', flush=True)\ntime.sleep(60)"
    )
    site.stop()
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"kept\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    site.start()

    with Run("next", gpus=["g"]):
        wait_for(lambda: speeds(site) == [5.0])


def test_another_sites_spool_and_a_living_programs_spool_are_left_alone(site, spool):
    spool.mkdir()
    other = spool / "1-other.jsonl"
    other.write_text('{"url": "http://elsewhere.invalid"}\n{"kind": "progress", "payload": {}}\n')
    site.replies = [503] * 3
    living = Run("living", gpus=["g"], models=["m"])
    wait_for(lambda: living.counts.spooled)

    with Run("second", gpus=["g"]):
        wait_for(lambda: len(site.payloads("run_start")) == 2)
    living.end()

    assert other.exists()
    assert spooled(spool) == [other]
    assert len(site.payloads("run_start")) == 2


def test_lines_that_a_crash_has_cut_are_left_out_and_told(site, spool, caplog):
    spool.mkdir()
    whole = json.dumps({"kind": "progress", "payload": {"tokenPerSec": 3.0}})
    (spool / "1-cut.jsonl").write_text(json.dumps({"url": site.url}) + f'\n{whole}\n{{"kind": "progr')

    with Run("next", gpus=["g"]):
        wait_for(lambda: speeds(site) == [3.0])
        wait_for(lambda: spooled(spool) == [])

    assert "a crash had cut" in caplog.text


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_site_is_asked_again(site, spool, status):
    site.replies = [status, status]

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)
        wait_for(lambda: site.messages)

    assert speeds(site) == [1.0]
    assert run.counts.sent == 3


def test_a_busy_site_is_left_alone_for_as_long_as_it_asks(site, spool):
    site.replies = [(429, {"Retry-After": "300"}, b"")]

    with Run("x", gpus=["g"], models=["m"]) as run:
        wait_for(lambda: run.counts.spooled)
        for number in range(5):
            run.log(tokens_per_s=number)
        wait_for(lambda: run.counts.spooled == 6)
        assert site.requests == 1

    # The end is worth one more try.
    assert speeds(site) == [0, 1, 2, 3, 4]


def test_an_answer_that_is_no_lemsites_counts_as_away(site, spool, caplog):
    site.replies = [(200, {}, b"<html>Please sign in to this network"), (200, {}, b'{"ok": false}')]

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)
        wait_for(lambda: site.messages)

    assert speeds(site) == [1.0]
    assert "not a lemsite" in caplog.text


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_token_or_address_is_told_once_and_the_run_stays_on_disk(site, spool, caplog, status):
    site.replies = [status] * 50

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)
        wait_for(lambda: run.counts.spooled == 2)

    assert site.requests == 1
    assert caplog.text.count("Check the address and the token") == 1
    assert run.counts.dropped == 0
    assert len(spooled(spool)) == 1


@pytest.mark.parametrize("url", ["localhost:8000", "http://host:port"])
def test_an_address_that_is_none_is_told(spool, caplog, url):
    with Run("x", gpus=["g"], url=url):
        pass

    assert "cannot be asked" in caplog.text


def test_messages_that_the_site_rejects_are_told_once_and_not_sent_again(site, spool, caplog):
    site.judge = lambda message: "tokenPerSec must be less." if message["payload"].get("tokenPerSec") == 13 else None

    with Run("x", gpus=["g"], models=["m"]) as run:
        for number in (12, 13, 13, 14):
            run.log(tokens_per_s=number)

    assert speeds(site) == [12, 14]
    assert (run.counts.sent, run.counts.rejected) == (4, 2)
    assert caplog.text.count("tokenPerSec must be less.") == 1
    assert "2 were rejected and 0 were lost" in caplog.text


def test_a_batch_that_the_site_rejects_as_a_whole_is_not_sent_again(site, spool):
    site.replies = [400]

    with Run("x", gpus=["g"]) as run:
        wait_for(lambda: run.counts.rejected == 1)

    assert (site.requests, run.counts.sent) == (2, 1)


def test_a_batch_that_is_too_large_is_sent_in_parts(site, spool):
    take, large = site.take, []

    def refuse_large(path, headers, body):
        if len(json.loads(body)) > 100:
            large.append(body)
            return 413, {}, b"too large"
        return take(path, headers, body)

    site.take = refuse_large
    with Run("x", gpus=["g"], models=["m"]) as run:
        for number in range(1000):
            run.log(tokens_per_s=number)

    assert speeds(site) == list(range(1000))
    assert len(large) == 3
    assert run.counts.rejected == 0


def test_one_message_that_is_too_large_is_rejected(site, spool):
    site.replies = [413]

    with Run("x", gpus=["g"]) as run:
        wait_for(lambda: run.counts.rejected == 1)


def test_a_full_disk_is_told_and_memory_holds_what_it_can(site, spool, caplog):
    spool.parent.joinpath("spool").write_text("not a folder")
    site.stop()
    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)
        wait_for(lambda: "wait in memory only" in caplog.text)
        site.start()

    assert speeds(site) == [1.0]
    assert run.counts.dropped == 0


def test_a_full_hand_waits_for_the_site_when_there_is_no_disk(site, spool):
    spool.parent.joinpath("spool").write_text("not a folder")
    site.replies = [503] * 6

    with Run("x", gpus=["g"], models=["m"]) as run:
        for number in range(1500):
            run.log(tokens_per_s=number)
        wait_for(lambda: run.counts.sent == 1501)

    assert speeds(site) == list(range(1500))


def test_what_finds_neither_site_nor_disk_is_counted_as_lost(site, spool, caplog):
    spool.parent.joinpath("spool").write_text("not a folder")
    site.replies = [503] * 50

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)

    assert run.counts.dropped == 3
    assert "3 were lost" in caplog.text


def test_memory_is_bounded_and_the_overflow_is_counted(site, spool, monkeypatch, caplog):
    monkeypatch.setattr(sending, "MAX_WAITING", 100)
    site.delay_s = 1.0

    with Run("x", gpus=["g"], models=["m"]) as run:
        wait_for(lambda: site.requests)
        for number in range(500):
            run.log(tokens_per_s=number)
        assert run.counts.dropped >= 399

    assert caplog.text.count("More is logged than can be sent") == 1
    assert run.counts.sent + run.counts.dropped == run.counts.logged == 502


def test_a_site_that_hangs_does_not_hold_the_program_for_long(site, spool, monkeypatch):
    monkeypatch.setattr("gpuagent.client.live.CLOSE_S", 0.3)
    run = Run("x", gpus=["g"], models=["m"])
    wait_for(lambda: site.messages)
    site.delay_s = 3.0
    run.log(tokens_per_s=1)
    wait_for(lambda: site.requests == 2)
    run.log(tokens_per_s=2)

    run.end()

    assert run.counts.spooled >= 2
    assert len(spooled(spool)) == 1
    site.delay_s = 0.0


def test_a_fault_of_the_sender_leaves_everything_on_disk(site, spool, monkeypatch, caplog):
    monkeypatch.setattr("gpuagent.client.live.Site", lambda url, token: 1 / 0)

    with Run("x", gpus=["g"], models=["m"]) as run:
        run.log(tokens_per_s=1)
        wait_for(lambda: run.counts.spooled == 2)

    assert run.counts.spooled == 3
    assert "The sender has failed" in caplog.text
    assert len(spooled(spool)) == 1


def test_a_machine_without_a_further_thread_does_not_stop_the_program(site, spool, monkeypatch, caplog):
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)

    with Run("x", gpus=["g"]) as run:
        pass

    assert run.counts.dropped == 2
    assert "can't start new thread" in caplog.text


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("7", 7, 7), ("-3", 0, 0), ("1e9", 300, 300), ("nan", 0, 0), ("soon", 0, 0), ("", 0, 0)],
)
def test_retry_after_is_read_in_seconds_and_has_a_limit(header, low, high):
    assert low <= _retry_after(header) <= high


def test_retry_after_is_read_as_a_date_too():
    assert 50 < _retry_after(formatdate(usegmt=True, timeval=time.time() + 60)) <= 60
