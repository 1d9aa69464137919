"""Fills a site's database with hosts and jobs for a measurement; prints the hosts' tokens and people's tokens as JSON.

    python -m benchmarks.job_rows --hosts 8 --jobs 5000 --people 0

It runs with the environment of the site that it fills.
"""

from __future__ import annotations

import argparse
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.utils import timezone  # noqa: E402
from django_q.models import OrmQ  # noqa: E402

from accounts.models import Scope, User  # noqa: E402
from accounts.services.tokens import create_token  # noqa: E402
from jobs.models import Job, JobKind  # noqa: E402
from jobs.services.agents import issue_code  # noqa: E402

#: no cluster ever reads a ticket's payload
TICKET = {"key": "gpu", "payload": "benchmark"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=0, help="enrolment codes to make")
    parser.add_argument("--jobs", type=int, default=0, help="queued simulated jobs of nobody in particular")
    parser.add_argument("--people", type=int, default=0, help="people with an API token that may order")
    arguments = parser.parse_args()
    people = [User.objects.create_user(f"person-{number}") for number in range(arguments.people)]
    fill_queue(arguments.jobs)
    made = {
        "codes": [issue_code(by=None, name=f"host-{number}")[1] for number in range(arguments.hosts)],
        "tokens": [create_token(user=person, name="benchmark", scopes=[Scope.JOBS])[1] for person in people],
    }
    print(json.dumps(made))


def fill_queue(count: int) -> None:
    """As ordering leaves them, less the history: one insert for all."""
    now = timezone.now()
    tickets = OrmQ.objects.bulk_create(OrmQ(lock=now, **TICKET) for _ in range(count))
    Job.objects.bulk_create(
        Job(
            kind=JobKind.LLEM,
            title="a benchmark's job",
            config={"model": "Qwen/Qwen2.5-0.5B-Instruct", "engine": "transformers"},
            rendered="{}",
            rendered_sha256="0" * 64,
            is_simulated=True,
            ticket_id=ticket.pk,
            available_at=now,
        )
        for ticket in tickets
    )


if __name__ == "__main__":
    main()
