"""The people who walk the site, and one row of everything that belongs to the owner and is nobody else's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.shortcuts import resolve_url
from django.test import Client

from accounts.models import Notification, NotificationKind, Scope, User, WebhookEndpoint
from accounts.secrets_at_rest import encrypt
from accounts.services.tokens import create_token
from jobs.models import JobKind, Race
from leaderboard.models import Comment, Dispute, Dump, Provenance, SavedComparison, UploadBatch, WeeklyDigest
from leaderboard.queries.digests import Week
from leaderboard.services.digests import digest_content
from leaderboard.services.dumps import schema_name
from leaderboard.services.short_links import short_link
from tests import factories
from tests.jobs.factories import AgentFactory, AttemptFactory, JobFactory
from tests.permissions.routes import Route
from tests.runs.factories import RunFactory

LANE = {"lane": "a", "model": "m", "use_cases": ["q"], "max_tokens": 16, "concurrency": 1, "suite_version": "1"}


@dataclass
class Cast:
    """Sessions by role for pages, tokens by role for the API, and the values of path parameters."""

    sessions: dict[str, str]
    tokens: dict[str, str]
    #: path prefix -> parameter -> value; the longest prefix wins
    values: dict[str, dict[str, Any]]

    @classmethod
    def assemble(cls) -> Cast:
        people = {name: factories.UserFactory(username=name) for name in ("stranger", "owner", "moderator")}
        people["moderator"].is_staff = True
        people["moderator"].save()
        people["moderator"].user_permissions.add(Permission.objects.get(codename="moderate"))
        agent = factories.UserFactory(username="agent")
        tokens = {name: _token(person, Scope.values) for name, person in people.items()}
        tokens["agent"] = _token(agent, [Scope.INGEST])
        sessions = {name: _session(person) for name, person in people.items()}
        return cls(sessions, tokens, rows_of(people["owner"]))

    def value(self, path: str, parameter: str) -> Any:
        prefixes = sorted((prefix for prefix in self.values if path.startswith(prefix)), key=len, reverse=True)
        for prefix in prefixes:
            if parameter in self.values[prefix]:
                return self.values[prefix][parameter]
        raise AssertionError(f"tests/permissions/cast.py has no value for {parameter} in {path}")


def ask(cast: Cast, route: Route, method: str, role: str, *, checks_csrf: bool = False) -> str:
    """What this role is answered, in the words of docs/permissions.md."""
    path = route.path.removesuffix("?")
    for parameter in route.parameters:
        path = fill(path, parameter, str(cast.value(route.path, parameter)))
    # A client of its own for each request: signing out ends no session but this one.
    client = Client(raise_request_exception=False, enforce_csrf_checks=checks_csrf)
    headers = {}
    if path.startswith("/api"):
        headers = {"Authorization": f"Bearer {cast.tokens[role]}"} if role in cast.tokens else {}
    elif role in cast.sessions:
        client.cookies[settings.SESSION_COOKIE_NAME] = cast.sessions[role]
    response = client.generic(method, path, headers=headers)
    if response.streaming:
        b"".join(response)  # read to its end, the file behind it is closed
    if method == "GET" and path.startswith("/admin/") and response.status_code in (301, 302):
        return "sign in" if "login" in response["Location"] else "elsewhere"
    return word_for(response)


def word_for(response: Any) -> str:
    status = response.status_code
    assert status < 500, f"{status} {response.content[:300]!r}"
    if status == 302 and response["Location"].startswith((resolve_url(settings.LOGIN_URL), "/admin/login/")):
        return "sign in"
    return str(status) if status in (401, 403, 404, 405, 410) else "yes"


def fill(path: str, parameter: str, value: str) -> str:
    """Put a value in the place of <converter:parameter> or (?P<parameter>…)."""
    if f"(?P<{parameter}>" not in path:
        path = path.replace(f"<{parameter}>", f"<str:{parameter}>")
    head, separator, rest = path.partition(f":{parameter}>")
    if separator:
        return head.rpartition("<")[0] + value + rest
    head, _, rest = path.partition(f"(?P<{parameter}>")
    depth = 1
    for place, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return head + value + rest[place + 1 :]
    raise AssertionError(f"{path} has no {parameter}")


def _session(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _token(person: User, scopes: Any) -> str:
    return create_token(user=person, name="permissions", scopes=scopes)[1]


def rows_of(owner: User) -> dict[str, dict[str, Any]]:
    """One private row of each kind, by the path that leads to it; the catalogue, a run and a person are public."""
    submission = factories.draft(owner)
    result, raw = submission.results.get(), submission.raw_files.get()
    public = factories.published_result()
    comment = Comment.objects.create(result=result, author=owner, text="Mine.")
    dispute = Dispute.objects.create(result=public, raised_by=owner, reason="It is wrong.")
    batch = UploadBatch.objects.create(owner=owner, provenance=Provenance.UPLOAD)
    hook = WebhookEndpoint.objects.create(user=owner, url="https://example.org/hook", secret=encrypt("whsec_AAAA"))
    told = Notification.objects.create(user=owner, kind=NotificationKind.REVIEW, title="News")
    token = owner.api_tokens.get()
    session = UserSession.objects.filter(user=owner).first() or UserSession.objects.create(
        user=owner, ip="127.0.0.1", user_agent="Firefox", session_key="owner-session"
    )
    compared = short_link("/compare/?model=a%2Fb&model=c%2Fd")
    comparison = SavedComparison.objects.create(owner=owner, name="Mine", link=compared)
    run = RunFactory()
    attempt = AttemptFactory(job=JobFactory(owner=owner, state="running"), agent=AgentFactory(owner=owner))
    race = Race.objects.create(owner=owner, run=run, label="Race")
    JobFactory(owner=owner, kind=JobKind.RACE, race=race, config=LANE)
    return {
        "/admin/": {"object_id": "1", "content_type_id": "1", "app_label": "leaderboard", "url": "no-such-page"},
        "/admin/accounts/user/": {"id": owner.pk, "object_id": owner.pk},
        "/admin/jobs/": {"object_id": "1"},
        "/admin/leaderboard/comment/": {"object_id": comment.pk},
        "/admin/leaderboard/dispute/": {"object_id": dispute.pk},
        "/admin/leaderboard/result/": {"object_id": result.pk},
        "/admin/leaderboard/submission/": {"object_id": submission.pk, "submission_id": submission.pk},
        "/agents/": {"pk": attempt.agent_id},
        "/account/comparisons/": {"pk": comparison.pk},
        "/account/notifications/": {"pk": told.pk},
        "/account/sessions/": {"pk": session.pk},
        "/account/tokens/": {"pk": token.pk},
        "/account/webhooks/": {"pk": hook.pk},
        "/accounts/": {"key": "no-such-key", "uidb36": "1"},
        "/api/agent/": {"pk": "00000000-0000-4000-8000-000000000000"},
        "/api/batches/": {"pk": batch.pk},
        "/api/benchmarks/": {"pk": result.pk},
        "/api/comments/": {"pk": comment.pk},
        "/api/hardware/": {"slug": "h100"},
        "/api/jobs/": {"pk": attempt.job_id},
        "/api/models/": {"organisation": "org", "name": "model-8b"},
        "/api/runs/": {"key": run.key},
        "/api/submissions/": {"pk": submission.pk},
        "/api/users/": {"name": owner.username},
        "/badges/": {"organisation": "org", "name": "model-8b", "pk": public.pk},
        "/batches/": {"pk": batch.pk},
        "/charts/": {"slug": "scatter"},
        "/l/": {"code": short_link("/analysis/?itl_ms_p50_max=20").code},
        "/comments/": {"pk": comment.pk},
        "/data/": {"version": a_dump().version, "ending": "parquet"},
        "/digest/": a_week(),
        "/disputes/": {"pk": dispute.pk},
        "/embed/": {"slug": "scatter", "pk": public.pk},
        "/hardware/": {"slug": "h100"},
        "/models/": {"organisation": "org", "name": "model-8b"},
        "/jobs/": {"pk": attempt.job_id, "number": attempt.number},
        "/races/": {"pk": race.pk},
        "/results/": {"pk": result.pk},
        "/runs/": {"key": run.key, "ending": "jsonl"},
        "/sitemap-": {"section": "pages"},
        "/schemas/": {"name": "ProgressEvent"},
        "/submissions/": {"pk": submission.pk, "submission_id": submission.pk},
        "/submissions/<uuid:submission_id>/files/": {"pk": raw.pk},
        "/u/": {"name": owner.username},
    }


def a_dump() -> Dump:
    """With files of hardly any content."""
    dump = Dump(version="2026-11-21", data_version=1, rows=0, size_bytes=4, sha256="0" * 64)
    dump.file = default_storage.save("dumps/permissions.parquet", ContentFile(b"PAR1"))
    dump.card = default_storage.save("dumps/permissions.md", ContentFile(b"# Card"))
    default_storage.save(schema_name(dump), ContentFile(b"{}"))
    dump.save()
    return dump


def a_week() -> dict[str, int]:
    digest = WeeklyDigest.objects.create(
        week=date(2026, 11, 9), content=digest_content(Week(date(2026, 11, 9)), is_last=False)
    )
    year, week, _ = digest.week.isocalendar()
    return {"year": year, "week": week}
