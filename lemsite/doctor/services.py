"""Redis, storage and the mail server: there, and willing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection

from lemsite.doctor import Ill, check, first_line, warn
from lemsite.observing.probes import REDIS_WITHIN_S, ping_redis


@check("redis", is_slow=True)
def redis() -> Iterator[Ill]:
    if not settings.REDIS_URL:
        return
    try:
        ping_redis()
    except Exception as error:  # noqa: BLE001 - of the library, of the network, of its configuration
        yield Ill(
            f"Redis does not answer: {first_line(error)}",
            "cache and live events go through it",
            "Start it, and look at host, port and password in REDIS_URL.",
        )
        return
    yield from eviction(_redis_memory())


def eviction(memory: dict[str, Any]) -> Iterator[Ill]:
    """What Redis does when it is full: only with a limit of its own does it ever notice."""
    policy = str(memory.get("maxmemory_policy", "unknown"))
    if int(memory.get("maxmemory", 0)) and policy == "noeviction":
        yield warn(
            "Redis refuses to write when it is full (maxmemory-policy noeviction).",
            "pages fail once the cache has filled it",
            "Set maxmemory-policy allkeys-lru: nothing that is there only once is kept in it.",
        )


def _redis_memory() -> dict[str, Any]:
    import redis as library

    with library.Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_WITHIN_S) as client:
        found: dict[str, Any] = client.info("memory")
        return found


@check("storage", is_slow=True)
def storage() -> Iterator[Ill]:
    """Written, read and deleted again."""
    name = f"doctor/{secrets.token_hex(8)}"
    content = secrets.token_bytes(64)
    step = "write"
    try:
        stored = default_storage.save(name, ContentFile(content))
        step = "read"
        with default_storage.open(stored) as file:
            is_same = file.read() == content
        step = "delete"
        default_storage.delete(stored)
    except Exception as error:  # noqa: BLE001 - each backend has its own
        yield Ill(
            f"The storage does not {step}: {type(error).__name__}: {first_line(error)}",
            "uploads are refused, and files cannot be downloaded",
            "Look at STORAGE_URL: endpoint, bucket, key, rights to put, get and delete; or at the folder's owner.",
        )
        return
    if not is_same:
        yield Ill(
            "The storage gives back other bytes than it was given.",
            "results would be lost",
            "Take it out of service and restore its files from the backup.",
        )


@check("email", is_slow=True)
def email() -> Iterator[Ill]:
    if "console" in settings.EMAIL_BACKEND:
        if settings.PRODUCTION:
            yield Ill(
                "E-mails go to the log (EMAIL_URL=console:).",
                "nobody can confirm an address or get a new password, and the links stand in the log",
                "Set EMAIL_URL, as in smtp://user:password@mail.example.org:587.",
            )
        return
    if settings.PRODUCTION and settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        yield Ill(
            f"The sender of e-mails is {settings.DEFAULT_FROM_EMAIL}.",
            "mail servers refuse it",
            "Set EMAIL_FROM to an address of your domain.",
        )
    connection = get_connection()
    try:
        connection.open()
        connection.close()
    except OSError as error:
        yield Ill(
            f"The mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT} does not take messages: {first_line(error)}",
            "e-mails wait for half a day and are then given up",
            "Look at host, port, user, password and TLS in EMAIL_URL.",
        )
