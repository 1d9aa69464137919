"""People, what they say about results, and what they are told."""

from __future__ import annotations

from uuid import UUID

from gpuagent.client import models
from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.steps import Request, Steps, at, do, fetch, get, pages


class Comments(Group[M]):
    """Talk under a result."""

    @listing(models.Comment, "comments_list")
    def list(self, result: UUID | str, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """The comments on one result."""
        request = get(at("/api/benchmarks/{}/comments", result), cursor=cursor)
        return pages(request, models.PaginatedCommentList, limit=limit)

    @call("comments_create")
    def create(self, result: UUID | str, text: str) -> Steps[models.Comment]:
        """`text` is Markdown."""
        path = at("/api/benchmarks/{}/comments", result)
        return fetch(Request("POST", path, json={"text": text}), models.Comment)

    @call("comments_update")
    def update(self, comment_id: int, text: str) -> Steps[models.Comment]:
        """Change what you said."""
        path = at("/api/comments/{}", comment_id)
        return fetch(Request("PATCH", path, json={"text": text}, is_repeatable=True), models.Comment)

    @call("comments_delete")
    def delete(self, comment_id: int) -> Steps[None]:
        """Take back what you said."""
        return do(Request("DELETE", at("/api/comments/{}", comment_id), is_repeatable=True))


class Disputes(Group[M]):
    """Doubts about a published result, which moderators settle."""

    @listing(models.Dispute, "disputes_list")
    def list(self, result: UUID | str, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """The disputes over one result."""
        request = get(at("/api/benchmarks/{}/disputes", result), cursor=cursor)
        return pages(request, models.PaginatedDisputeList, limit=limit)

    @call("disputes_create")
    def create(self, result: UUID | str, reason: str, *, evidence_url: str = "") -> Steps[models.Dispute]:
        """Say what is wrong, and where that can be seen."""
        body = {"reason": reason} | ({"evidence_url": evidence_url} if evidence_url else {})
        return fetch(Request("POST", at("/api/benchmarks/{}/disputes", result), json=body), models.Dispute)


class Notifications(Group[M]):
    """What the site has to tell you."""

    @listing(models.Notification, "notifications_list")
    def list(self, *, unread: bool = False, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """The newest first."""
        request = get("/api/notifications", unread=unread or None, cursor=cursor)
        return pages(request, models.PaginatedNotificationList, limit=limit)

    @call("notifications_read")
    def mark_read(self, *, upto: int | None = None) -> Steps[models.MarkedRead]:
        """All of them, or those up to this id."""
        body = {} if upto is None else {"upto": upto}
        return fetch(Request("POST", "/api/notifications/read", json=body, is_repeatable=True), models.MarkedRead)


class Users(Group[M]):
    """People."""

    @call("users_me")
    def me(self) -> Steps[models.Me]:
        """Whose token this is, and what it opens."""
        return fetch(get("/api/users/me"), models.Me)

    @call("users_profile")
    def get(self, name: str) -> Steps[models.Profile]:
        """One by the user name."""
        return fetch(get(at("/api/users/{}", name)), models.Profile)

    @listing(models.SubmissionRow, "users_submissions")
    def submissions(self, name: str, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """The published ones."""
        request = get(at("/api/users/{}/submissions", name), cursor=cursor)
        return pages(request, models.PaginatedSubmissionRowList, limit=limit)
