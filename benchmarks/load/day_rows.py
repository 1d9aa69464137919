"""Fills a site's database for a mixed day; prints what its requests need to know, as JSON.

    python -m benchmarks.load.day_rows --rows 2000 --people 60 --hosts 16

It runs with the environment of the site that it fills.
"""

from __future__ import annotations

import argparse
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.db import connection  # noqa: E402 - settings first

from accounts.models import Scope, User  # noqa: E402
from accounts.services.tokens import create_token  # noqa: E402
from benchmarks.synthetic_results import fill  # noqa: E402
from jobs.services.agents import issue_code  # noqa: E402
from leaderboard.models import Hardware, LanguageModel, Result  # noqa: E402
from leaderboard.services.catalogue import load_catalogue  # noqa: E402
from leaderboard.services.published import load_published  # noqa: E402
from leaderboard.services.ranking import rebuild_best_results  # noqa: E402

#: results whose pages are read
READ = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="synthetic results beside the published figures")
    parser.add_argument("--people", type=int, required=True, help="people with an API token")
    parser.add_argument("--hosts", type=int, required=True, help="enrolment codes to make")
    arguments = parser.parse_args()
    load_catalogue()
    load_published()
    fill(arguments.rows)
    rebuild_best_results()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    people = [User.objects.create_user(f"person-{number}") for number in range(arguments.people)]
    scopes = [Scope.JOBS, Scope.SUBMIT, Scope.READ]
    made = {
        "results": [str(pk) for pk in Result.objects.ranked().order_by("pk").values_list("pk", flat=True)[:READ]],
        "models": list(LanguageModel.objects.order_by("pk").values_list("name", flat=True)[:100]),
        "hardware": list(Hardware.objects.order_by("pk").values_list("slug", flat=True)[:30]),
        "tokens": [create_token(user=person, name="benchmark", scopes=scopes)[1] for person in people],
        "codes": [issue_code(by=None, name=f"host-{number}")[1] for number in range(arguments.hosts)],
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
