"""Known secrets go in at every door, and are looked for in all rows, all files, all of the log and all public pages."""

from __future__ import annotations

import json
import logging
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.services.tokens import create_token
from jobs.models import Agent
from leaderboard.models import Submission
from lemsite.lib.logs import OneLineFormatter
from tests.jobs.calling import Host, session_body
from tests.leaderboard.importers import samples
from tests.permissions.cast import fill
from tests.permissions.routes import ADMIN, all_routes

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
CANARIES = {
    "password": "canary-bird-sings-4711",
    "made-up token": "lem_ca9a41ca9a41_" + "ca9a41" * 10 + "ca9a",
    "hub token": "hf_CanaryCanaryCanaryCanaryCanary1234",
    "cloud key": "AKIACANARYCANARY4711",
    "host": "canary-node-17.corp.internal",
    "user": "/home/canaryuser/experiments/run-7",
    "session of a host": "canary-session-4711",
}
HEADERS = {"Authorization": f"Bearer {CANARIES['made-up token']}", "X-Ingest-Token": CANARIES["hub token"]}


@pytest.fixture
def log():
    """All that any logger of the process writes, as production writes it, down to DEBUG."""
    written, root = StringIO(), logging.getLogger()
    handler = logging.StreamHandler(written)
    handler.setFormatter(OneLineFormatter())
    levels = {name: logging.getLogger(name).level for name in ("", "django", "accounts", "leaderboard", "jobs", "runs")}
    root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def secrets(owner, small_catalogue, stored_files, log) -> dict[str, str]:
    """What went in, by its name: the fixed ones, and real tokens of this site."""
    _, plain = create_token(user=owner, name="canary", scopes=["read", "submit", "jobs"])
    host = Host()
    _upload(plain)
    _sign_in()
    _ask_with_everything(plain)
    host.call("POST", "/session", session_body(), **{"X-Agent-Session": CANARIES["session of a host"]})
    host.call("POST", "/heartbeat", {}, Authorization=f"Bearer {CANARIES['made-up token']}")
    Client().post("/api/agent/v1/enroll", {"code": CANARIES["hub token"]}, content_type="application/json")
    return {**CANARIES, "token": plain, "token of a host": host.plain}


def _upload(plain: str) -> None:
    """A result of llem, whose fields name the machine, its user and two keys; and one that is refused."""
    content = samples.result_2(
        samples.effective_config(
            hostname=CANARIES["host"], output_dir=CANARIES["user"], hf_token=CANARIES["hub token"],
            command=f"llem run --token {CANARIES['hub token']} --key={CANARIES['cloud key']} {CANARIES['user']}/c.yaml",
        ),
        environment_snapshot=samples.environment(hostname=CANARIES["host"]),
        measurement_warnings=[f"could not write to {CANARIES['user']} on {CANARIES['host']}"],
    )  # fmt: skip
    raw = samples.entry(content).content
    for body in (raw, raw[: len(raw) // 2]):
        Client().post(
            "/api/benchmarks", body, content_type="application/json", headers={"Authorization": f"Bearer {plain}"}
        )


def _sign_in() -> None:
    for path in ("/accounts/login/", "/accounts/login/?next=/account/"):
        Client().post(path, {"login": "owner", "password": CANARIES["password"]}, REMOTE_ADDR="203.0.113.7")
    Client().post("/accounts/signup/", {"username": "canary", "password1": CANARIES["password"], "password2": "other"})


def _ask_with_everything(plain: str) -> None:
    """Secrets where they do not belong: in the query, and under other headers."""
    query = {"token": plain, "access_token": CANARIES["hub token"], "password": CANARIES["password"]}
    for path in ("/", "/api/users/me", "/api/benchmarks", "/results/no-such/", "/accounts/login/", "/analysis/"):
        Client(raise_request_exception=False).get(path, query, headers=HEADERS)


def _hits(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]


def test_the_canaries_went_in(secrets):
    """A test that finds nothing because nothing came in proves nothing."""
    submission = Submission.objects.get()

    assert "effective_config.output_dir" in submission.redacted
    assert submission.raw_files.exists()
    assert Agent.objects.exists()


def test_no_row_holds_one(secrets):
    found = {}
    for model in apps.get_models():
        for row in model._base_manager.values():
            text = json.dumps(row, default=str, ensure_ascii=False)
            if model is Session:
                text += str(Session(**row).get_decoded())
            if hits := _hits(secrets, text):
                found[model._meta.label] = hits

    assert found == {}


def test_no_file_holds_one(secrets):
    stored = [path for path in (settings.LEMSITE_HOME / "files").rglob("*") if path.is_file()]

    assert stored
    found = {str(path): _hits(secrets, _content(path)) for path in stored}
    assert {path: hits for path, hits in found.items() if hits} == {}


def _content(path: Any) -> str:
    import gzip

    raw = path.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")


def test_no_line_of_the_log_holds_one(secrets, log):
    assert log.getvalue()
    assert [line[:200] for line in log.getvalue().splitlines() if _hits(secrets, line)] == []


def test_no_public_page_and_no_export_holds_one(secrets):
    Submission.objects.update(status="published", visibility="public")
    result = Submission.objects.get().results.get()
    type(result).objects.update(trust=2)
    values = {"organisation": "org", "name": "model-8b", "slug": "h100", "pk": str(result.pk), "ending": "jsonl"}
    found = {}
    for route in all_routes():
        if route.path.startswith((ADMIN, "/accounts/", "/api/agent/")) or not set(route.parameters) <= values.keys():
            continue
        path = route.path.removesuffix("?")
        for parameter in route.parameters:
            value = values[parameter] if "<int:pk>" not in path else "1"
            path = fill(path, parameter, "scatter" if "/charts/" in path and parameter == "slug" else value)
        response = Client(raise_request_exception=False).get(path)
        content = b"".join(response) if response.streaming else response.content
        if hits := _hits(secrets, content.decode("utf-8", "replace") + str(response.headers)):
            found[path] = hits

    assert found == {}
