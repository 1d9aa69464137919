"""Settings that are allowed one by one and wrong together, or wrong for a site on the internet."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.http.request import validate_host

from lemsite.doctor import Ill, Level, check, warn
from lemsite.lib.env import LOOPBACK

#: from this version on, SQLite no longer loses commits when one process writes while another resets the log
SAFE_SQLITE = (3, 51, 3)
#: passwords of examples, images and tutorials
KNOWN_PASSWORDS = frozenset(
    {"admin", "changeme", "demo", "lemsite", "minioadmin", "password", "postgres", "redis", "root", "secret", "test"}
)
SHORTEST_TOKEN = 20


@check("environment")
def environment() -> Iterator[Ill]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not settings.PRODUCTION and host not in LOOPBACK and host != "testserver":
        yield Ill(
            f"LEMSITE_ENV is development, and SITE_URL is {settings.SITE_URL}.",
            "cookies, HTTPS and unsafe values are not looked after",
            "Set LEMSITE_ENV=production.",
        )
    if settings.PRODUCTION and settings.DEBUG:
        yield Ill("DEBUG is on.", "error pages show settings and source", "Leave DEBUG out.")


@check("addresses")
def addresses() -> Iterator[Ill]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield Ill(
            f"SITE_URL names {host}, which ALLOWED_HOSTS does not have.",
            "every page is answered with 400",
            f"Add {host} to ALLOWED_HOSTS.",
        )
    if settings.SITE_URL not in settings.CSRF_TRUSTED_ORIGINS:
        yield Ill(
            f"CSRF_TRUSTED_ORIGINS does not have SITE_URL, {settings.SITE_URL}.",
            "every form is refused with 403",
            f"Add {settings.SITE_URL} to CSRF_TRUSTED_ORIGINS, or leave that out.",
        )


@check("proxy")
def proxy() -> Iterator[Ill]:
    if settings.PRODUCTION and not settings.TRUSTED_PROXY:
        yield Ill(
            "TRUSTED_PROXY is not set.",
            "behind a proxy that ends TLS, every request is redirected for ever, and all visitors share one address",
            "Set TRUSTED_PROXY to the address of the reverse proxy, as in 127.0.0.1 or 10.0.0.2.",
        )
    if "*" in settings.TRUSTED_PROXY:
        yield Ill(
            "TRUSTED_PROXY believes everyone.",
            "a visitor chooses the address that is limited, logged and banned",
            "Name the addresses or networks of your proxies.",
        )


@check("processes")
def processes() -> Iterator[Ill]:
    if settings.WEB_PROCESSES == 1:
        return
    if not settings.REDIS_URL:
        yield Ill(
            f"WEB_PROCESSES is {settings.WEB_PROCESSES} without a REDIS_URL.",
            "each process has a cache of its own, and viewers miss the live events of the others",
            "Set REDIS_URL, or WEB_PROCESSES=1.",
        )
    if settings.ON_SQLITE:
        is_safe = sqlite3.sqlite_version_info >= SAFE_SQLITE
        yield Ill(
            f"WEB_PROCESSES is {settings.WEB_PROCESSES} on SQLite {sqlite3.sqlite_version}.",
            "they wait for one another's writes" if is_safe else "commits can be lost when several processes write",
            "Set a PostgreSQL DATABASE_URL, or WEB_PROCESSES=1.",
            Level.WARNING if is_safe else Level.ERROR,
        )


@check("known_passwords")
def known_passwords() -> Iterator[Ill]:
    database = settings.DATABASES["default"]
    given = {
        "DATABASE_URL": database.get("PASSWORD", ""),
        "REDIS_URL": unquote(urlsplit(settings.REDIS_URL).password or ""),
        "STORAGE_URL": settings.STORAGES["default"].get("OPTIONS", {}).get("secret_key") or "",
        "EMAIL_URL": settings.EMAIL_HOST_PASSWORD,
    }
    for name, password in given.items():
        if password.lower() in KNOWN_PASSWORDS:
            yield Ill(
                f"The password in {name} is one that everybody tries first.",
                "whoever reaches the service has its data",
                f"Give the service another password and write it into {name}.",
                Level.ERROR if settings.PRODUCTION else Level.WARNING,
            )


@check("tokens")
def tokens() -> Iterator[Ill]:
    for name in ("INGEST_TOKEN", "METRICS_TOKEN"):
        value = getattr(settings, name)
        if value and len(value) < SHORTEST_TOKEN:
            yield Ill(
                f"{name} has {len(value)} characters.",
                "it can be guessed",
                f"Set {name} to the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
                Level.ERROR if settings.PRODUCTION else Level.WARNING,
            )
    if settings.SECRET_KEY_FALLBACKS:
        yield warn(
            "SECRET_KEY_FALLBACKS is set.",
            "former keys still open sessions",
            "Leave it out once everyone has signed in with the new key: two weeks after the change.",
        )


@check("libraries")
def libraries() -> Iterator[Ill]:
    wanted = {
        "DATABASE_URL": ("psycopg", not settings.ON_SQLITE),
        "REDIS_URL": ("redis", bool(settings.REDIS_URL)),
        "STORAGE_URL": ("boto3", "S3" in settings.STORAGES["default"]["BACKEND"]),
        "SENTRY_DSN": ("sentry_sdk", bool(settings.SENTRY_DSN)),
        "OTEL_EXPORTER_OTLP_ENDPOINT": ("opentelemetry", bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT)),
    }
    for name, (module, is_set) in wanted.items():
        if is_set and find_spec(module) is None:
            yield Ill(
                f"{name} is set, and the library {module} is not installed.",
                "what the setting promises does not happen",
                "Run: pip install -r requirements.txt",
            )


@check("watching")
def watching() -> Iterator[Ill]:
    if any(network.prefixlen == 0 for network in settings.METRICS_ALLOW):
        yield Ill(
            "METRICS_ALLOW has every address.", "everybody reads /metrics", "Name the networks of your Prometheus."
        )
    if settings.PRODUCTION and not settings.METRICS_TOKEN and not settings.METRICS_ALLOW:
        yield warn(
            "Neither METRICS_TOKEN nor METRICS_ALLOW is set.",
            "nothing watches the site, and nobody is told when it fails",
            "Set METRICS_TOKEN and let Prometheus read /metrics (docs/operations.md).",
        )
    if settings.PRODUCTION and settings.LOG_LEVEL == "DEBUG":
        yield warn("LOG_LEVEL is DEBUG.", "the log grows by every query", "Set LOG_LEVEL=INFO.")


@check("test_settings")
def test_settings() -> Iterator[Ill]:
    """What is meant for tests and benchmarks."""
    if not settings.PRODUCTION:
        return
    if settings.LEMSITE_SIMULATE:
        yield warn("LEMSITE_SIMULATE is on.", "visitors see a race that nobody runs", "Leave LEMSITE_SIMULATE out.")
    if settings.LEMSITE_JOB_TIMES:
        yield warn(
            "LEMSITE_JOB_TIMES is set.",
            "hosts count as lost after other times than the documented ones",
            "Leave LEMSITE_JOB_TIMES out.",
        )
    if settings.LEMSITE_HANDLER == "stock":
        yield warn("LEMSITE_HANDLER is stock.", "pages take several times as long", "Leave LEMSITE_HANDLER out.")


@check("retention")
def retention() -> Iterator[Ill]:
    kept = [name for name in dir(settings) if re.fullmatch(r"KEEP_\w+_DAYS", name) and not getattr(settings, name)]
    if settings.PRODUCTION and kept:
        yield warn(
            f"Kept for ever: {', '.join(kept)} = 0.",
            "these tables grow until the disk is full",
            "Set a number of days, unless you mean it (docs/backups.md).",
        )


@check("github")
def github() -> Iterator[Ill]:
    secret = settings.GITHUB_CLIENT_SECRET
    if settings.GITHUB_URL == "https://github.com" and secret and not re.fullmatch(r"[0-9a-f]{40}", secret):
        yield warn(
            "GITHUB_CLIENT_SECRET is not of the form of GitHub's secrets, 40 hexadecimal digits.",
            "signing in ends with an error of GitHub",
            "Copy the client secret of the OAuth app again (docs/accounts.md).",
        )


@check("webhook_hosts")
def webhook_hosts() -> Iterator[Ill]:
    if settings.PRODUCTION and settings.WEBHOOK_PRIVATE_HOSTS:
        yield warn(
            f"WEBHOOK_PRIVATE_HOSTS has {', '.join(settings.WEBHOOK_PRIVATE_HOSTS)}.",
            "everyone who is signed in can send requests there",
            "Leave it out unless these receivers expect strangers.",
        )


@check("django", is_slow=True)
def django() -> Iterator[Ill]:
    """`check --deploy`, which knows what Django itself wants of a site on the internet."""
    for message in run_checks(include_deployment_checks=settings.PRODUCTION):
        if message.level >= WARNING and not message.is_silenced():
            yield Ill(
                f"{message.msg} ({message.id})",
                "Django's own check says so",
                message.hint or "Read about it in Django's list of system checks.",
                Level.ERROR if message.is_serious() else Level.WARNING,
            )
