"""One request for every documented status of every operation: what schemathesis would meet by chance, if ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from django.utils import timezone
from rest_framework.request import Request

from accounts.api.idempotency import body_sha256
from accounts.models import IdempotencyKey, Scope, User
from accounts.services.tokens import create_token
from benchmarks.attacks.judging import Operation, operations
from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import Stage
from leaderboard.models import (
    Comment,
    ReviewAction,
    ReviewEvent,
    SavedComparison,
    SubmissionStatus,
    Tombstone,
    UploadBatch,
)
from leaderboard.models.batch import BatchState
from leaderboard.services.batches import MAX_WAITING
from leaderboard.services.comparisons import MAX_SAVED
from tests import factories
from tests.jobs.factories import CONFIG, AgentFactory, GpuFactory, SessionFactory, write_log

JSON = {"Content-Type": "application/json"}
#: unknown rows
NOWHERE = {
    "id": "00000000-0000-4000-8000-000000000000",
    "slug": "nothing",
    "name": "nobody",
    "organisation": "no",
    "key": "no",
}

#: what an owner sends where it is right
BODIES: dict[str, Any] = {
    "POST /api/benchmarks": factories.NORMAL | {"duration_s": 64.0, "output_tokens": 64_000,
    "total_energy_j": 32_000.0},
    "PATCH /api/benchmarks/{id}": {"stated": {"dataset": "x"}},
    "POST /api/benchmarks/{id}/comments": {"text": "Well measured."},
    "POST /api/benchmarks/{id}/disputes": {"reason": "Too fast."},
    "PATCH /api/comments/{id}": {"text": "Better measured."},
    "POST /api/jobs": {"config": CONFIG, "simulate": True},
    "POST /api/jobs/estimate": {"config": CONFIG, "simulate": True},
    "POST /api/jobs/{id}/cancel": {},
    "POST /api/notifications/read": {},
    "PATCH /api/submissions/{id}": {"note": "x"},
    "POST /api/submissions/{id}/files": factories.NORMAL | {"duration_s": 64.0, "output_tokens": 64_000,
    "total_energy_j": 32_000.0},
    "POST /api/submissions/{id}/shares": {"username": "stranger"},
}  # fmt: skip
QUERIES = {
    "POST /api/submissions/{id}/files": "reason=x",
    "DELETE /api/submissions/{id}/shares": "username=stranger",
}
IMPOSSIBLE = factories.NORMAL | {"tokens_per_joule": 900.0}


@dataclass
class Scene:
    """The owner's rows, and what stands in a path where it is not the owner's draft."""

    stage: Stage
    owner: User
    public: Any
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def over(cls, stage: Stage) -> Scene:
        owner = User.objects.get(username="owner")
        scene = cls(stage, owner, factories.published_result())
        for name, person, scopes in (
            ("owner", owner, Scope.values),
            ("narrow", owner, [Scope.INGEST]),
            ("person", User.objects.get(username="attacker-0"), Scope.values),
        ):
            scene.tokens[name] = create_token(user=person, name=name, scopes=scopes)[1]
        return scene

    def path(self, operation: Operation, **others: str) -> str:
        template = operation.path.replace("{id}", "{pk}")
        address = next(one for one in self.stage.paths if one.template == template)
        return address.filled(**{name.replace("id", "pk"): value for name, value in others.items() if name})

    def ask(self, operation: Operation, role: str = "owner", **more: Any) -> Attack:
        """As this role, with the body that is right there."""
        label = f"{operation.method} {operation.path}"
        query = more.pop("query", QUERIES.get(label, ""))
        body = more.pop("body", BODIES.get(label))
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        token = self.tokens.get(role, "lem_0_0")
        headers = {**JSON, "Authorization": f"Bearer {token}", **more.pop("headers", {})}
        path = more.pop("path", None) or self.path(operation, **more)
        return Attack(operation.method, f"{path}?{query}" if query else path, "anonymous", raw, headers)


Handmade = Callable[[Scene, Operation], Attack]
#: documented, and out of reach of one request at a time
ARGUED = {
    ("POST /api/submissions/{id}/shares", 409): "it is deleted while it is being shared",
}


def asks(scene: Scene) -> Iterator[tuple[Operation, int, Callable[[], Attack]]]:
    """(operation, documented status, what makes the request)."""
    for operation in operations():
        for status in sorted(operation.statuses):
            if (f"{operation.method} {operation.path}", status) in ARGUED:
                continue
            made = SPECIAL.get((f"{operation.method} {operation.path}", status)) or GENERAL.get(status, _right)
            yield operation, status, lambda made=made, operation=operation: made(scene, operation)  # type: ignore[misc]


def _right(scene: Scene, operation: Operation) -> Attack:
    return scene.ask(operation)


def _wrong(scene: Scene, operation: Operation) -> Attack:
    if operation.method in ("POST", "PATCH"):
        return scene.ask(operation, body=b"{")
    return scene.ask(operation, query="cursor=nothing&zzz=1")


def _too_large(scene: Scene, operation: Operation) -> Attack:
    return scene.ask(operation, body=b" " * (2 << 20))


GENERAL: dict[int, Handmade] = {
    400: _wrong,
    401: lambda scene, operation: scene.ask(operation, "nobody"),
    403: lambda scene, operation: scene.ask(operation, "narrow"),
    404: lambda scene, operation: scene.ask(operation, **_nowhere(operation)),
    413: _too_large,
    415: lambda scene, operation: scene.ask(operation, headers={"Content-Type": "text/x-nothing"}, body=b"x"),
}


def _nowhere(operation: Operation) -> dict[str, str]:
    if operation.path.startswith(("/api/jobs", "/api/comments")):
        return {"id": "999999"}
    return {name: value for name, value in NOWHERE.items() if f"{{{name}}}" in operation.path}


def _impossible(scene: Scene, operation: Operation) -> Attack:
    return scene.ask(operation, body=IMPOSSIBLE)


def _too_many_gpus(scene: Scene, operation: Operation) -> Attack:
    """A draft that does not say how many GPUs took part, and a statement by which each would draw 2.5 W."""
    submission = factories.draft(scene.owner, factories.normal_file(gpu_count=None))
    row = submission.results.get() if "benchmarks" in operation.path else submission
    return scene.ask(operation, id=str(row.pk), body={"stated": {"gpu_count": 200}})


def _published(scene: Scene, operation: Operation) -> Attack:
    """On a row of the owner that is public, where only a draft may be changed."""
    submission = factories.SubmissionFactory(owner=scene.owner, status=SubmissionStatus.PUBLISHED)
    result = factories.published_result(submission=submission)
    return scene.ask(operation, id=str(result.pk if "benchmarks" in operation.path else submission.pk))


def _gone(scene: Scene, operation: Operation) -> Attack:
    stone = Tombstone.objects.create(
        id=NOWHERE["id"],
        submission_id=NOWHERE["id"],
        title="x",
        owner=scene.owner,
        published_at=timezone.now(),
        gone_at=timezone.now(),
        reason="x",
    )
    return scene.ask(operation, id=str(stone.pk))


def _in_review_again(scene: Scene, operation: Operation) -> Attack:
    submission = factories.SubmissionFactory(status=SubmissionStatus.PENDING, published_at=timezone.now())
    result = factories.ResultFactory(submission=submission)
    type(submission).objects.filter(pk=submission.pk).update(published_at=timezone.now())
    ReviewEvent.objects.create(
        submission=submission,
        actor=submission.owner,
        action=ReviewAction.REPLACE,
        from_status=SubmissionStatus.PUBLISHED,
        to_status=SubmissionStatus.PENDING,
    )
    return scene.ask(operation, id=str(result.pk))


def _one_of_two(scene: Scene, operation: Operation) -> Attack:
    submission = factories.SubmissionFactory(owner=scene.owner, status=SubmissionStatus.DRAFT)
    result, _ = (factories.ResultFactory(submission=submission, position=place) for place in range(2))
    return scene.ask(operation, id=str(result.pk))


def _batches_wait(scene: Scene, operation: Operation) -> Attack:
    for _ in range(MAX_WAITING):
        UploadBatch.objects.create(owner=scene.owner, provenance="api", state=BatchState.WAITING)
    return scene.ask(operation, query="background=1")


def _kept_enough(scene: Scene, operation: Operation) -> Attack:
    link = SavedComparison.objects.filter(owner=scene.owner).get().link
    kept = [SavedComparison(owner=scene.owner, name=f"{number}", link=link) for number in range(MAX_SAVED)]
    SavedComparison.objects.bulk_create(kept)
    return _compared(scene, operation)


def _compared(scene: Scene, operation: Operation) -> Attack:
    chosen = [str(scene.public.pk), str(factories.published_result().pk)]
    if operation.method == "GET":
        return scene.ask(
            operation, "nobody-in-particular", query="&".join(f"result={pk}" for pk in chosen), headers=_OPEN
        )
    return scene.ask(operation, body={"name": "Two", "results": chosen})


#: takes the token away again: these two are cached for everyone alike
_OPEN = {"Authorization": ""}


def _on_public(scene: Scene, operation: Operation) -> Attack:
    return scene.ask(operation, "person", id=str(scene.public.pk))


def _on_draft(scene: Scene, operation: Operation) -> Attack:
    return scene.ask(operation)


def _in_public(scene: Scene, operation: Operation) -> Attack:
    comment = Comment.objects.create(result=scene.public, author=scene.owner, text="Well measured.")
    return scene.ask(operation, id=str(comment.pk))


def _hidden(scene: Scene, operation: Operation) -> Attack:
    Comment.objects.filter(author=scene.owner).update(hidden_at=timezone.now(), hidden_reason="x")
    return scene.ask(operation)


def _deleted(scene: Scene, operation: Operation) -> Attack:
    Comment.objects.filter(author=scene.owner).update(deleted_at=timezone.now())
    return scene.ask(operation)


def _cancelled(scene: Scene, operation: Operation) -> Attack:
    from jobs.models import Job

    path = scene.path(operation)
    Job.objects.filter(pk=int(path.split("/")[3])).update(state="succeeded")
    return scene.ask(operation)


def _asked_before(scene: Scene, operation: Operation) -> Attack:
    """The same request came a moment ago under the same key, and is not answered yet."""
    body = BODIES[f"{operation.method} {operation.path}"]
    asked = cast(Request, SimpleNamespace(META={}, data=body))
    IdempotencyKey.objects.create(user=scene.owner, path=operation.path, key="again", body_sha256=body_sha256(asked))
    return scene.ask(operation, headers={"Idempotency-Key": "again"})


def _with_log(scene: Scene, operation: Operation) -> Attack:
    from jobs.models import Attempt

    write_log(Attempt.objects.get(job_id=int(scene.path(operation).split("/")[3]), number=1), b"hello\n")
    return scene.ask(operation)


def _with_hosts(scene: Scene, operation: Operation) -> Attack:
    agent = AgentFactory(is_simulated=True)
    GpuFactory(agent=agent)
    SessionFactory(agent=agent)
    return scene.ask(operation)


def _withdrawn(scene: Scene, operation: Operation) -> Attack:
    submission = factories.SubmissionFactory(owner=scene.owner, status=SubmissionStatus.WITHDRAWN)
    return scene.ask(operation, id=str(submission.pk))


def _private(scene: Scene, operation: Operation) -> Attack:
    submission = factories.SubmissionFactory(owner=scene.owner, status=SubmissionStatus.DRAFT, visibility="private")
    return scene.ask(operation, id=str(submission.pk))


def _shared(scene: Scene, operation: Operation) -> Attack:
    from leaderboard.models import Share

    submission = factories.SubmissionFactory(owner=scene.owner, status=SubmissionStatus.DRAFT, visibility="private")
    Share.objects.create(submission=submission, user=User.objects.get(username="stranger"))
    return scene.ask(operation, id=str(submission.pk))


SPECIAL: dict[tuple[str, int], Handmade] = {
    ("POST /api/benchmarks", 200): lambda scene, operation: scene.ask(operation, query="dry_run=1"),
    ("POST /api/benchmarks", 202): lambda scene, operation: scene.ask(operation, query="background=1"),
    ("POST /api/benchmarks", 409): _batches_wait,
    ("POST /api/benchmarks", 422): _impossible,
    ("GET /api/benchmarks/{id}", 409): _in_review_again,
    ("GET /api/benchmarks/{id}", 410): _gone,
    ("GET /api/benchmarks/{id}/raw", 409): _in_review_again,
    ("GET /api/benchmarks/{id}/raw", 410): _gone,
    ("PATCH /api/benchmarks/{id}", 409): _published,
    ("PATCH /api/benchmarks/{id}", 422): _too_many_gpus,
    ("DELETE /api/benchmarks/{id}", 409): _one_of_two,
    ("POST /api/benchmarks/{id}/comments", 201): _on_public,
    ("POST /api/benchmarks/{id}/comments", 409): _on_draft,
    ("POST /api/benchmarks/{id}/disputes", 201): _on_public,
    ("POST /api/benchmarks/{id}/disputes", 409): _on_draft,
    ("PATCH /api/comments/{id}", 200): _in_public,
    ("PATCH /api/comments/{id}", 409): _hidden,
    ("DELETE /api/comments/{id}", 409): _deleted,
    ("GET /api/compare", 200): _compared,
    ("GET /api/compare", 304): _compared,
    ("POST /api/compare", 201): _compared,
    ("POST /api/compare", 409): _kept_enough,
    ("POST /api/jobs", 422): lambda scene, operation: scene.ask(operation, body={"config": {}}),
    ("POST /api/jobs/estimate", 422): lambda scene, operation: scene.ask(operation, body={"config": {}}),
    ("POST /api/jobs/estimate", 200): _with_hosts,
    ("POST /api/jobs", 409): _asked_before,
    ("POST /api/jobs/{id}/cancel", 409): _cancelled,
    ("GET /api/jobs/{id}/log", 200): _with_log,
    ("GET /api/jobs/{id}/log", 400): lambda scene, operation: scene.ask(operation, query="attempt=x"),
    ("GET /api/runs/{key}/events", 400): lambda scene, operation: scene.ask(operation, query="limit=x"),
    ("PATCH /api/submissions/{id}", 409): _withdrawn,
    ("PATCH /api/submissions/{id}", 422): _too_many_gpus,
    ("POST /api/submissions/{id}/files", 409): _withdrawn,
    ("POST /api/submissions/{id}/files", 422): _impossible,
    ("POST /api/submissions/{id}/shares", 200): _private,
    ("DELETE /api/submissions/{id}/shares", 204): _shared,
}
