"""The settings module is loaded anew, as a process would, with one variable changed."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from lemsite import __version__
from lemsite.lib.env import BadSetting

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = (REPOSITORY / "lemsite" / "settings.py").read_text()
READ = set(re.findall(r'(?:env|service_urls)\.\w+\(\s*"([A-Z0-9_]+)"', SOURCE))
PRODUCTION = {
    "LEMSITE_ENV": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "bench.example.org",
    "SITE_URL": "https://bench.example.org",
    "EMAIL_URL": "smtp://mail.example.org",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    def load(**variables):
        for name in READ:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"LEMSITE_ENV_FILE": os.devnull, "LEMSITE_HOME": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(REPOSITORY / "lemsite" / "settings.py"))

    return load


def test_development_needs_nothing_set(load, tmp_path):
    settings = load()

    assert settings["DEBUG"] is False
    assert (tmp_path / "secret-key").read_text() == settings["SECRET_KEY"]
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "lemsite.sqlite3")
    assert settings["LEMSITE_HANDLER_THREADS"] == 1


def test_production_is_strict(load):
    settings = load(**PRODUCTION)

    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert settings["WEBSOCKET_ORIGINS"] == ["https://bench.example.org"] * 2


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"LEMSITE_ENV"}))
def test_production_does_not_start_without_each_of_these(load, name):
    with pytest.raises(BadSetting, match=f"^{name} "):
        load(**{**PRODUCTION, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("PORT", "eighty"),
        ("LEMSITE_ENV", "staging"),
        ("LEMSITE_HANDLER", "two-hop"),
        ("LEMSITE_MAX_UPLOAD_MB", "0"),
        ("WEB_PROCESSES", "-1"),
        ("DATABASE_URL", "oracle://x"),
        ("REDIS_URL", "http://x"),
        ("STORAGE_URL", "ftp://x"),
        ("EMAIL_URL", "pop3://x"),
        ("SITE_URL", "example.org"),
        ("CSRF_TRUSTED_ORIGINS", "example.org"),
        ("LOG_LEVEL", "LOUD"),
        ("GITHUB_CLIENT_ID", "only-one-of-two"),
        ("GITHUB_URL", "http://git.example.org"),
        ("GITHUB_URL", "https://git.example.org/path"),
        ("GITHUB_URL", "git.example.org"),
    ],
)
def test_an_odd_value_is_refused_by_name(load, name, value):
    with pytest.raises(BadSetting, match=f"^{name} "):
        load(**{name: value})


def test_github_is_offered_when_both_values_are_there(load):
    settings = load(GITHUB_CLIENT_ID="id", GITHUB_CLIENT_SECRET="secret")

    assert settings["GITHUB_SIGN_IN"]
    assert settings["SOCIALACCOUNT_PROVIDERS"]["github"]["APPS"] == [{"client_id": "id", "secret": "secret"}]
    assert "https://github.com" in settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"]


def test_without_them_no_form_may_be_sent_to_github(load):
    settings = load()

    assert settings["SOCIALACCOUNT_PROVIDERS"]["github"]["APPS"] == []
    assert len(settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"]) == 1


@pytest.mark.parametrize("url", ["https://git.example.org", "http://127.0.0.1:9000", "http://[::1]:9000"])
def test_another_github_is_asked_and_allowed_by_the_browser(load, url):
    settings = load(GITHUB_CLIENT_ID="id", GITHUB_CLIENT_SECRET="secret", GITHUB_URL=url)

    assert settings["SOCIALACCOUNT_PROVIDERS"]["github"]["GITHUB_URL"] == url
    assert url in settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"]


def test_github_itself_keeps_its_own_api_host(load):
    assert "GITHUB_URL" not in load(GITHUB_URL="https://github.com")["SOCIALACCOUNT_PROVIDERS"]["github"]


def test_debug_needs_no_collected_static_files(load):
    assert "Manifest" not in load(DEBUG="1")["STORAGES"]["staticfiles"]["BACKEND"]
    assert "Manifest" in load()["STORAGES"]["staticfiles"]["BACKEND"]


def test_a_task_cannot_outlive_its_lease(load):
    queue = load()["Q_CLUSTER"]

    assert queue["retry"] > queue["timeout"]
    assert queue["queue_limit"] == queue["workers"] == queue["bulk"] == 1


def test_the_command_line_answers_a_bad_value_with_one_line():
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=REPOSITORY,
        env=os.environ | {"DEBUG": "perhaps"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr == "lemsite cannot start: DEBUG is 'perhaps'; use 1 or 0.\n"


@pytest.mark.parametrize("document", [".env.sample", "docs/configuration.md"])
def test_every_variable_is_documented_and_no_other(document):
    text = (REPOSITORY / document).read_text()
    pattern = r"^# ([A-Z0-9_]+)=" if document == ".env.sample" else r"^\| (.*?) \|"

    documented = {name for part in re.findall(pattern, text, re.M) for name in re.findall(r"[A-Z0-9_]{4,}", part)}

    assert documented == READ


def test_the_version_is_the_one_of_the_distribution():
    assert f'version = "{__version__}"' in (REPOSITORY / "pyproject.toml").read_text()
