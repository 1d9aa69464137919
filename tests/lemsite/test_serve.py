"""`manage.py serve` is really started, in a process of its own, and really stopped."""

import contextlib
import os
import re
import signal
import socket
import sqlite3

import pytest
import requests
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from lemsite.management.commands import serve
from tests.runs.messages import progress
from tests.site_process import PATIENCE_S, Site, processes_with, wait_for


@pytest.fixture
def start(tmp_path, fresh_database):
    sites: list[Site] = []

    def start(**variables: str) -> Site:
        sites.append(Site(tmp_path, fresh_database, **variables))
        sites[0].wait_until_up()
        return sites[0]

    yield start
    for site in sites:
        site.kill()


def test_serve_ends_cleanly_with_ctrl_c(start):
    site = start()

    site.process.send_signal(signal.SIGINT)

    assert site.process.wait(PATIENCE_S) == 0
    assert site.has_no_process_left()


@pytest.mark.long
def test_one_site_from_its_start_to_its_end(start):
    """A start takes seconds, and none of these spoils the site for the next."""
    site = start()

    _passwords_are_not_guessed_whatever_address_is_claimed(site)
    _a_worker_that_dies_is_started_again(site)
    _a_running_task_finishes_although_the_site_is_told_twice_to_end(site)


def _passwords_are_not_guessed_whatever_address_is_claimed(site):
    browser = requests.Session()
    page = browser.get(f"{site.url}/accounts/login/", timeout=PATIENCE_S)
    fields = {"login": "owner", "password": "wrong", "csrfmiddlewaretoken": _csrf_token(page.text)}

    answers = [
        browser.post(
            f"{site.url}/accounts/login/",
            fields,
            headers={"X-Forwarded-For": f"198.51.100.{number}", "Referer": f"{site.url}/accounts/login/"},
            timeout=PATIENCE_S,
        )
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Too many failed login attempts" in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "900"


def _csrf_token(page: str) -> str:
    return re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]


def _a_worker_that_dies_is_started_again(site):
    os.kill(site.worker(), signal.SIGKILL)

    wait_for(lambda: site.logged("starting it again"), "The notice")
    wait_for(lambda: (site.home / "log").read_text().count("ready for work") == 2, "The new worker")


def _a_running_task_finishes_although_the_site_is_told_twice_to_end(site):
    site.run_a_task(seconds=2)

    for pid in (site.process.pid, site.worker()) * 2:
        os.kill(pid, signal.SIGTERM)

    assert site.process.wait(PATIENCE_S) == 0
    assert site.logged("Processed")
    assert site.has_no_process_left()


def test_web_processes_and_worker_end_when_their_parent_is_killed(start):
    site = start(WEB_PROCESSES="2")

    assert len(processes_with(f"LEMSITE_HOME={site.home}")) > 6
    site.process.kill()

    wait_for(site.has_no_process_left, "The end of them all")


@pytest.mark.long
def test_each_of_several_web_processes_drains_and_loses_nothing(start):
    site = start(WEB_PROCESSES="2", DRAIN_S="2", INGEST_TOKEN="secret-of-this-test")
    assert _post(site) == 200
    stream = requests.get(f"{site.url}/api/runs/run-1/stream", stream=True, timeout=PATIENCE_S)
    with connect(f"ws://127.0.0.1:{site.port}/ws/runs/run-1/?after=0", origin=site.url) as socket:
        socket.recv(PATIENCE_S)

        site.process.send_signal(signal.SIGTERM)
        wait_for(lambda: site.logged("not ready any more"), "The drain")
        ready = requests.get(f"{site.url}/ready", timeout=PATIENCE_S)
        late = _post(site)

        assert (ready.status_code, ready.json(), ready.headers["Connection"]) == (503, {"status": "draining"}, "close")
        assert late == 200
        # The body ends as a body should; a stream that is cut off raises.
        assert b"evalProgressIdx" in stream.content
        with contextlib.suppress(ConnectionClosed):
            while socket.recv(PATIENCE_S):
                pass
        assert socket.close_code == 1012
    assert site.process.wait(PATIENCE_S) == 0
    assert not site.logged("Traceback")
    # Python's own watch over what processes share ends a moment after them.
    wait_for(site.has_no_process_left, "The end of all processes")


def _post(site):
    headers = {"X-Ingest-Token": "secret-of-this-test"}
    return requests.post(f"{site.url}/api/ingest", json=progress(), headers=headers, timeout=PATIENCE_S).status_code


@pytest.mark.long
def test_serve_plays_a_simulated_race_in_development_and_ends_it_at_the_next_start(start):
    site = start(LEMSITE_SIMULATE="1")
    run = wait_for(lambda: (site.get("/api/runs") or {"runs": []})["runs"], "The race")[0]

    assert run["simulated"] is True
    assert len(run["gpus"]) == 3
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(PATIENCE_S) == 0
    assert site.has_no_process_left()

    site.serve()
    wait_for(lambda: len((site.get("/api/runs") or {"runs": []})["runs"]) == 2, "The next race")

    assert site.get(f"/api/runs/{run['id']}")["run"]["endedAt"] is not None


@pytest.mark.django_db
def test_serve_refuses_a_port_that_is_taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        with pytest.raises(CommandError, match=f"127.0.0.1:{port} cannot be used"):
            call_command("serve", "--host", "127.0.0.1", "--port", str(port))


def test_serve_asks_for_static_files_that_are_not_collected(settings, tmp_path):
    settings.STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
    settings.STATIC_ROOT = tmp_path

    with pytest.raises(CommandError, match="collectstatic"):
        call_command("serve")


@pytest.mark.parametrize(
    ("version", "processes", "warns"), [((3, 51, 2), 2, True), ((3, 51, 3), 2, False), ((3, 40, 1), 1, False)]
)
def test_serve_warns_about_several_processes_on_an_old_sqlite(settings, monkeypatch, caplog, version, processes, warns):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    settings.WEB_PROCESSES, settings.ON_SQLITE = processes, True

    serve._warn_about_sqlite()

    assert bool(caplog.records) is warns
