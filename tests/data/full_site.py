"""A site with one of everything that must outlive it, and what can be compared of it afterwards."""

from __future__ import annotations

import hashlib
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection

from accounts.services.tokens import create_token
from accounts.services.webhooks import create_endpoint
from jobs.models import Attempt
from lemsite.backups.stored import all_names
from runs.sealing import seal, sweep
from tests.factories import UserFactory, normal_file, pending, small_catalogue
from tests.jobs.brought import keep
from tests.jobs.calling import Host
from tests.jobs.factories import AttemptFactory
from tests.runs.records import ended_run

LOG = b"loading model\nrun 1 of 5\n"


def fill() -> dict[str, Any]:
    """People with tokens and webhooks, submissions with files, a sealed run, a job with its log and artifacts."""
    small_catalogue()
    owner = UserFactory(username="owner", email="owner@example.org")
    _, plain = create_token(user=owner, name="ci", scopes=["read"])
    webhook, secret = create_endpoint(user=owner, url="https://hooks.example.org/in")
    submission = pending(owner, normal_file())
    run = ended_run(40)
    seal(run)
    run.refresh_from_db()
    sweep(run)
    host = Host()
    attempt: Attempt = AttemptFactory(agent=host.agent)
    host.log(attempt, 0, LOG)
    keep(attempt, "out/result.json", b'{"energy_j": 345.1}')
    return {
        "token": plain,
        "webhook": webhook,
        "secret": secret,
        "submission": submission,
        "run": run,
        "attempt": attempt,
    }


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the database has it; what Django makes anew by itself is left out."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.app_label in ("contenttypes", "auth") or model._meta.proxy:
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            found[model._meta.db_table] = sorted((tuple(map(_plain, row)) for row in cursor.fetchall()), key=repr)
    return found


def contents() -> dict[str, str]:
    """Every stored file and its digest."""
    found = {}
    for name in all_names():
        with default_storage.open(name, "rb") as stream:
            found[name] = hashlib.sha256(stream.read()).hexdigest()
    return found


def wipe() -> None:
    """What a disk that died leaves: tables without rows, and no file."""
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    for name in list(all_names()):
        default_storage.delete(name)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
