"""The measuring half of benchmarks/admin_queue.py: runs inside the settings and the database made for it."""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 - settings first
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.synthetic_results import fill, synthetic_results  # noqa: E402
from leaderboard.models import (  # noqa: E402
    Dispute,
    Finding,
    Provenance,
    Result,
    Submission,
    SubmissionStatus,
    Visibility,
)
from leaderboard.services.need import refresh_need  # noqa: E402
from leaderboard.services.ranking import rebuild_best_results  # noqa: E402

QUEUE = "/admin/leaderboard/submission/"
#: published results beside each pending one, so that there are tables to be at the top of
PUBLISHED = 2
OWNERS = 500
AT_ONCE = 2000
PAGES = {
    "the queue": QUEUE,
    "its last page": f"{QUEUE}?p={{last}}",
    "by waiting time": f"{QUEUE}?o=4",
    "nobody's": f"{QUEUE}?assigned=nobody",
    "search of an owner": f"{QUEUE}?q=person-7",
}


def main(rows: int, repeat: int) -> None:
    # Plain names, so that nothing has to be collected.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STATIC_ROOT = settings.LEMSITE_HOME
    call_command("migrate", verbosity=0)
    call_command("load_catalogue", verbosity=0)
    started = time.perf_counter()
    prepare(rows)
    print(f"{connection.vendor}: {rows:,} pending submissions made in {time.perf_counter() - started:.0f} s")
    with CaptureQueriesContext(connection) as queries:
        started = time.perf_counter()
        refresh_need(Submission.objects.filter(status=SubmissionStatus.PENDING))
    print(f"refresh_need over all: {len(queries)} queries, {(time.perf_counter() - started) * 1000:.0f} ms\n")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    client = Client()
    client.force_login(moderator())
    print("| page | queries | median ms | p95 ms | median ms of CPU |\n| --- | ---: | ---: | ---: | ---: |")
    for name, url in PAGES.items():
        measure(client, name, url.format(last=-(-rows // 50)), repeat)


def measure(client: Client, name: str, url: str, repeat: int) -> None:
    times, cpu = [], []
    for _ in range(repeat + 2):
        with CaptureQueriesContext(connection) as queries:
            started, busy = time.perf_counter(), time.process_time()
            response = client.get(url, headers={"host": settings.ALLOWED_HOSTS[0]})
            times.append((time.perf_counter() - started) * 1000)
            cpu.append((time.process_time() - busy) * 1000)
        assert response.status_code == 200, response.status_code
    times = sorted(times[2:])  # the first ones warm templates and caches
    p95 = times[min(len(times) - 1, round(len(times) * 0.95))]
    print(f"| {name} | {len(queries)} | {statistics.median(times):.0f} | {p95:.0f} | {statistics.median(cpu):.0f} |")


def moderator() -> User:
    user = User.objects.create_user("moderator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))
    return user


def prepare(rows: int) -> None:
    """Published results with their tables, and pending submissions of one result each; a third has findings."""
    fill(PUBLISHED * rows)
    rebuild_best_results()
    User.objects.bulk_create(User(username=f"person-{n}") for n in range(OWNERS))
    owners = list(User.objects.filter(username__startswith="person-").values_list("pk", flat=True))
    for chunk in in_chunks(pending(rows, owners)):
        Submission.objects.bulk_create(submission for submission, _, _ in chunk)
        Result.objects.bulk_create(result for _, result, _ in chunk)
        Finding.objects.bulk_create(finding for _, _, found in chunk for finding in found)
    disputed = Result.objects.filter(submission__status=SubmissionStatus.PUBLISHED)[:50]
    Dispute.objects.bulk_create(Dispute(result=result, raised_by_id=owners[0], reason="Wrong.") for result in disputed)


def pending(rows: int, owners: list[int]) -> Iterator[tuple[Submission, Result, list[Finding]]]:
    chance = random.Random(7)
    now = timezone.now()
    for values in synthetic_results(rows, seed=7):
        submission = Submission(
            id=uuid.UUID(int=chance.getrandbits(128), version=4),
            owner_id=chance.choice(owners),
            provenance=Provenance.UPLOAD,
            visibility=Visibility.PUBLIC,
            status=SubmissionStatus.PENDING,
            shape="result_5",
            stated={"precision": "bf16"},
            redacted=[f"environment.path.{n}" for n in range(20)],
            check_set="2026.1",
            submitted_at=now - timedelta(minutes=chance.randrange(60 * 24 * 30)),
        )
        result = Result(submission=submission, **{**values, "position": 0, "statistics": {}})
        yield submission, result, [finding(result, chance) for _ in range(chance.choice((0, 0, 1, 3)))]


def finding(result: Result, chance: random.Random) -> Finding:
    severity = chance.choice("RW")
    return Finding(result=result, code=f"CHK{chance.randrange(9)}", severity=severity, message="m", check_set="2026.1")


def in_chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := [row for _, row in zip(range(AT_ONCE), rows, strict=False)]:
        yield chunk


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
