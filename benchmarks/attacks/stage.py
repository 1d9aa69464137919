"""What is attacked: people, hosts, and one private row of everything, marked so that a leak shows.

    python -m benchmarks.attacks.stage --people 40

fills the database of the site in whose environment it runs, and prints what attackers know of it as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: stands in what is the owner's alone
MARK = "zq-private-canary"
_TOKEN = "a" * 32
_CSRF = {"X-CSRFToken": _TOKEN}
ROLES = ("anonymous", "person", "reader", "ingest", "agent", "session", "wrong")


@dataclass(frozen=True, slots=True)
class Address:
    """An address with places such as {pk}, and what stands there for a row that exists."""

    template: str
    values: dict[str, str]

    def filled(self, **others: str) -> str:
        path = self.template
        for name, value in {**self.values, **others}.items():
            path = path.replace("{" + name + "}", value)
        return path


@dataclass(slots=True)
class Stage:
    """Everything that an attacker may use, and what no answer may hold."""

    #: role -> headers of its requests, as many as there are people, so that none is throttled
    credentials: dict[str, list[dict[str, str]]]
    paths: list[Address]
    #: never in an answer to anybody
    secrets: list[str]
    #: attempts and files of hosts: (of this agent, of another)
    attempts: dict[str, str]

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Stage:
        read = json.loads(text)
        return cls(**{**read, "paths": [Address(**path) for path in read["paths"]]})


def set_up(people: int = 1) -> Stage:
    """Fill the database at hand, which must be empty."""
    from django.conf import settings

    from accounts.models import Scope
    from tests import factories
    from tests.jobs.calling import Host
    from tests.jobs.factories import AttemptFactory, GpuFactory, JobFactory
    from tests.permissions.cast import Cast, _session, _token, fill
    from tests.permissions.routes import RAW, Route, all_routes

    factories.small_catalogue()
    cast = Cast.assemble()
    crowd = [factories.UserFactory(username=f"attacker-{number}") for number in range(people)]
    host, other = Host(), Host()
    GpuFactory(agent=host.agent)
    mine = AttemptFactory(job=JobFactory(state="running"), agent=host.agent)
    theirs = AttemptFactory(job=JobFactory(state="running"), agent=other.agent)
    credentials: dict[str, list[dict[str, str]]] = {
        "anonymous": [{}],
        "person": [_bearer(_token(person, Scope.values)) for person in crowd],
        "reader": [_bearer(_token(crowd[0], [Scope.READ]))],
        "ingest": [_bearer(_token(crowd[0], [Scope.INGEST]))],
        "agent": [host.headers()],
        "session": [
            {**_CSRF, "Cookie": f"{settings.SESSION_COOKIE_NAME}={_session(person)}; csrftoken={_TOKEN}"}
            for person in crowd[:10]
        ],
        # The kinds of token that open another door than the one that is knocked at.
        "wrong": [
            _bearer(host.plain),
            _bearer("lem_0_0"),
            {"X-Ingest-Token": "wrong"},
            {"Authorization": "Basic eA=="},
        ],
    }
    routes = [*all_routes(), *(Route(path, ("key",)) for path in RAW if "key" in path), Route(RAW[0], ())]
    found = []
    for route in routes:
        template = route.path.removesuffix("?")
        for name in route.parameters:
            template = fill(template, name, "{" + name + "}")
        values = {name: str(cast.value(route.path.replace("/ws/", "/"), name)) for name in route.parameters}
        found.append(Address(template, values))
    _mark_private_rows()
    return Stage(
        credentials=credentials,
        paths=found,
        secrets=[settings.SECRET_KEY, host.plain, other.plain, MARK, str(Path(settings.BASE_DIR)), *_hashes()],
        attempts={"mine": str(mine.pk), "theirs": str(theirs.pk)},
    )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _mark_private_rows() -> None:
    """What belongs to `owner` alone gets the mark. Public names stay as they are."""
    from accounts.models import Notification, User, WebhookEndpoint
    from leaderboard.models import Result, SavedComparison, Submission, SubmissionStatus, UploadBatch

    owner = User.objects.get(username="owner")
    User.objects.filter(pk=owner.pk).update(email=f"{MARK}@example.org")
    Notification.objects.filter(user=owner).update(title=MARK, text=MARK)
    WebhookEndpoint.objects.filter(user=owner).update(url=f"https://{MARK}.example.org/")
    SavedComparison.objects.filter(owner=owner).update(name=MARK)
    UploadBatch.objects.filter(owner=owner).update(refused=[{"file": MARK, "message": MARK}])
    drafts = Submission.objects.filter(owner=owner, status=SubmissionStatus.DRAFT)
    Result.objects.filter(submission__in=drafts).update(dataset=MARK)
    drafts.update(note=MARK)


def _hashes() -> list[str]:
    """As they lie in the database, where no reader looks."""
    from accounts.models import ApiToken, User, WebhookEndpoint

    columns: list[Any] = [
        ApiToken.objects.values_list("secret_sha256", flat=True)[:20],
        User.objects.exclude(password="").values_list("password", flat=True)[:20],
        WebhookEndpoint.objects.values_list("secret", flat=True),
    ]
    return [value for column in columns for value in column]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
    import django

    django.setup()
    print(set_up(arguments.people).dumps())


if __name__ == "__main__":
    main()
