"""Turns the URLs of the services that the site uses into Django's settings for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

from lemsite.lib import env

# No mmap_size here, and connections that last: mmap with connection churn lost commits on SQLite before 3.51.3.
# 64 MB of pages in memory: the default of 2 MB does not hold the indexes of a leaderboard.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
SQLITE_BUSY_TIMEOUT_S = 20
# No request waits longer for a connection. What is refused at once is tried again by the pool after a second, and a
# connection that is asked for after that begins anew, not after a pause that grows with the outage.
POSTGRESQL_POOL = {"min_size": 1, "max_size": 10, "timeout": 3, "reconnect_timeout": 3}
# For a server that vanishes without a word: packets that nobody acknowledges, and connections on which nothing comes.
POSTGRESQL_LIMITS = {
    "connect_timeout": "3",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "30",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
REDIS_TIMEOUT_S = 1


@dataclass(frozen=True)
class Email:
    """How messages leave, in the words of Django's EMAIL_ settings."""

    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    use_ssl: bool = False
    use_tls: bool = False


def database(name: str, *, default: str, folder: Path) -> dict[str, Any]:
    """`sqlite:///relative/or//absolute/path` or `postgresql://user:password@host:port/name?sslmode=require`."""
    parts = env.url(
        name,
        default,
        schemes=("sqlite", "postgresql", "postgres"),
        example="sqlite:///lemsite.sqlite3 or postgresql://user:password@host:5432/lemsite",
    )
    if parts.scheme == "sqlite":
        return _sqlite(name, parts, folder)
    return _postgresql(name, parts)


def storage(name: str, *, folder: Path) -> dict[str, Any]:
    """`file:///path` (a folder, made when first used) or `s3://key:secret@host:port/bucket?region=…&insecure=1`."""
    example = "file:///srv/lemsite/files or s3://key:secret@s3.example.org/bucket"
    parts = env.url(name, folder.as_uri(), schemes=("file", "s3"), example=example)
    if parts.scheme == "file":
        location = unquote(parts.path)
        if parts.netloc or not location.startswith("/"):
            raise env.BadSetting(name, "does not name an absolute folder", "use file:///srv/lemsite/files")
        return {"BACKEND": "lemsite.lib.file_storage.WholeFileStorage", "OPTIONS": {"location": location}}
    bucket = parts.path.strip("/")
    if not bucket or "/" in bucket or not parts.hostname:
        raise env.BadSetting(name, "names no bucket", f"use something like {example}")
    return {"BACKEND": "lemsite.lib.s3_storage.StreamingS3Storage", "OPTIONS": _s3_options(parts, bucket)}


def email(name: str, *, default: str) -> Email:
    """`console:` writes messages to the log; `smtp://user:password@host:587` uses STARTTLS, `smtps://` TLS at once."""
    example = "console: or smtp://user:password@host:587"
    parts = env.url(name, default, schemes=("console", "smtp", "smtps"), example=example)
    if parts.scheme == "console":
        return Email(backend="django.core.mail.backends.console.EmailBackend")
    if not parts.hostname:
        raise env.BadSetting(name, "names no host", f"use something like {example}")
    direct_tls = parts.scheme == "smtps"
    return Email(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=parts.port or (465 if direct_tls else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_ssl=direct_tls,
        use_tls=not direct_tls and dict(parse_qsl(parts.query)).get("starttls", "1") != "0",
    )


def channel_layer(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # Without a limit of its own, one subscription per viewer meets redis-py's default of 100 connections.
    # Its limit on waiting for an answer is as long as the layer's blocking read, and cuts that off when nothing comes.
    host = {"address": redis_url, "max_connections": 10_000, "socket_timeout": None}
    return {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [host], "prefix": "lemsite"}}


def cache(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
    return {
        "BACKEND": "lemsite.lib.redis_cache.RedisOrMemoryCache",
        "LOCATION": redis_url,
        "KEY_PREFIX": "lemsite",
        "OPTIONS": {"socket_connect_timeout": REDIS_TIMEOUT_S, "socket_timeout": REDIS_TIMEOUT_S},
    }


def redis(name: str) -> str:
    """The URL as given, checked; empty where there is no Redis."""
    if not env.text(name):
        return ""
    parts = env.url(name, "", schemes=("redis", "rediss", "unix"), example="redis://127.0.0.1:6379/0")
    if parts.scheme != "unix" and not parts.hostname:
        raise env.BadSetting(name, "names no host", "use something like redis://127.0.0.1:6379/0")
    return parts.geturl()


def _sqlite(name: str, parts: SplitResult, folder: Path) -> dict[str, Any]:
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path:
        raise env.BadSetting(name, "names no file", "use sqlite:///file.sqlite3 or sqlite:////absolute/file.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that means to write takes the lock at once, so that waiting for it is possible.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_TIMEOUT_S,
            "init_command": SQLITE_PRAGMAS,
        },
        # A file, since the shared in-memory database that Django tests with has other locks than the real one.
        "TEST": {"NAME": str(folder / "test.sqlite3")},
    }


def _postgresql(name: str, parts: SplitResult) -> dict[str, Any]:
    database_name = unquote(parts.path.strip("/"))
    if not database_name:
        raise env.BadSetting(name, "names no database", "use postgresql://user:password@host:5432/lemsite")
    return {
        "ENGINE": "lemsite.lib.postgresql",
        "NAME": database_name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # The pool keeps the connections, which Django allows only together with CONN_MAX_AGE = 0.
        "CONN_MAX_AGE": 0,
        # Each is tried before it is given out: after a restart of the server, the pool is full of broken ones.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**POSTGRESQL_LIMITS, **dict(parse_qsl(parts.query)), "pool": dict(POSTGRESQL_POOL)},
    }


def _s3_options(parts: SplitResult, bucket: str) -> dict[str, Any]:
    options = dict(parse_qsl(parts.query))
    scheme = "http" if options.get("insecure") == "1" else "https"
    port = f":{parts.port}" if parts.port else ""
    return {
        "access_key": unquote(parts.username or "") or None,
        "secret_key": unquote(parts.password or "") or None,
        "endpoint_url": f"{scheme}://{parts.hostname}{port}",
        "bucket_name": bucket,
        "region_name": options.get("region"),
        # No ACL: an object is its owner's alone, and buckets that know no ACLs refuse requests that name one.
        "default_acl": None,
        "file_overwrite": False,
    }
