"""What a site needs before its faults are measured: a catalogue, people who may upload and order, hosts, a webhook.

Prints the secrets as JSON. It runs with the environment of the site that it fills.
"""

from __future__ import annotations

import argparse
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from accounts.models import Scope, User  # noqa: E402
from accounts.services.tokens import create_token  # noqa: E402
from accounts.services.webhooks import create_endpoint  # noqa: E402
from jobs.services.agents import issue_code  # noqa: E402
from leaderboard.services.catalogue import load_catalogue  # noqa: E402

SCOPES = [Scope.JOBS, Scope.SUBMIT]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--receiver", default="", help="URL that is told of each person's jobs")
    arguments = parser.parse_args()
    load_catalogue()
    people = [User.objects.create_user(f"person-{number}") for number in range(arguments.people)]
    for person in people if arguments.receiver else ():
        create_endpoint(user=person, url=arguments.receiver)
    made = {
        "tokens": [create_token(user=person, name="benchmark", scopes=SCOPES)[1] for person in people],
        "codes": [issue_code(by=None, name=f"host-{number}")[1] for number in range(arguments.hosts)],
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
