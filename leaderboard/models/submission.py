"""Submissions: one act of giving, its raw files, and every decision taken on it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from lemsite.lib.append_only import AppendOnly


class SubmissionStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    PENDING = "pending", "Waiting for review"
    PUBLISHED = "published", "Published"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    REJECTED = "rejected", "Rejected"
    DISPUTED = "disputed", "Disputed"
    INVALIDATED = "invalidated", "Invalidated"
    WITHDRAWN = "withdrawn", "Withdrawn"


S = SubmissionStatus
#: from -> the states that may follow
TRANSITIONS: dict[SubmissionStatus, frozenset[SubmissionStatus]] = {
    S.DRAFT: frozenset({S.PENDING, S.WITHDRAWN}),
    # A draft again when its owner recalls it to keep it to themselves.
    S.PENDING: frozenset({S.PUBLISHED, S.CHANGES_REQUESTED, S.REJECTED, S.WITHDRAWN, S.DRAFT}),
    S.CHANGES_REQUESTED: frozenset({S.PENDING, S.WITHDRAWN, S.DRAFT}),
    # Pending again when its files are replaced: new figures are reviewed like the first ones.
    S.PUBLISHED: frozenset({S.DISPUTED, S.WITHDRAWN, S.PENDING}),
    S.DISPUTED: frozenset({S.PUBLISHED, S.INVALIDATED, S.WITHDRAWN}),
    S.REJECTED: frozenset(),
    S.INVALIDATED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
#: on a page of their own for everyone, ranked or not
OPEN = (S.PUBLISHED, S.DISPUTED, S.INVALIDATED)


class Visibility(models.TextChoices):
    """Who may see a submission: its owner while it is a draft or private, everyone once a public one is approved."""

    DRAFT = "draft", "Draft"
    PRIVATE = "private", "Private"
    PUBLIC = "public", "Public"


class Licence(models.TextChoices):
    """Under which terms the figures and files of a submission may be used; SPDX identifiers."""

    CC_BY = "CC-BY-4.0", "CC BY 4.0: anyone may use them who names you"
    CC0 = "CC0-1.0", "CC0 1.0: anyone may use them, without conditions"
    CC_BY_SA = "CC-BY-SA-4.0", "CC BY-SA 4.0: anyone may use them who names you and shares alike"


class Provenance(models.TextChoices):
    UPLOAD = "upload", "Uploaded in the browser"
    API = "api", "Sent through the API"
    JOB = "job", "Measured by a job of this site"
    IMPORTED = "imported", "Carried over from a published source"


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def public(self) -> SubmissionQuerySet:
        """What everyone sees; of what was published and then withdrawn the page stays, saying when and why."""
        withdrawn = models.Q(status=S.WITHDRAWN, published_at__isnull=False)
        return self.filter(models.Q(status__in=OPEN) | withdrawn, visibility=Visibility.PUBLIC, deleted_at=None)

    def visible_to(self, user: User | AnonymousUser) -> SubmissionQuerySet:
        """Public ones for everyone, one's own, private ones shared with one, and all of them for moderators."""
        if not user.is_authenticated:
            return self.public()
        alive = self.filter(deleted_at=None)
        if user.is_moderator:
            return alive
        shared = models.Q(visibility=Visibility.PRIVATE, pk__in=Share.objects.filter(user=user).values("submission"))
        return alive.filter(models.Q(pk__in=self.public().values("pk")) | models.Q(owner=user) | shared)

    def owned_by(self, user: User | AnonymousUser) -> SubmissionQuerySet:
        if not user.is_authenticated:
            return self.none()
        return self.filter(owner=user, deleted_at=None)


class Submission(models.Model):
    """One act of giving: the files, what they were understood as, and where it stands."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="submissions"
    )
    provenance = models.CharField(max_length=10, choices=Provenance)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    status = models.CharField(max_length=20, choices=SubmissionStatus, default=SubmissionStatus.DRAFT)
    #: a job ran it without a GPU: its figures are made up, so nothing of it is ever handed in or ranked
    is_simulated = models.BooleanField(default=False, editable=False)
    shape = models.CharField(max_length=40)
    licence = models.CharField(max_length=20, choices=Licence, default=Licence.CC_BY)
    #: counts up when the files are replaced; SubmissionVersion keeps what was there before
    version = models.PositiveIntegerField(default=1)
    #: the moderator who looks at it
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: how much a moderator is needed, more is sooner; services.need keeps it
    need = models.PositiveSmallIntegerField(default=0, editable=False)
    note = models.TextField(blank=True, max_length=2000)
    #: what the uploader stated for values the files lack
    stated: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: paths of what was removed before storing
    redacted: models.JSONField[Any, Any] = models.JSONField(default=list)
    check_set = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["status", "-need", "submitted_at"], name="submission_queue"),
            models.Index(fields=["owner", "-created_at"], name="submission_by_owner"),
            models.Index(
                fields=["-published_at"],
                condition=models.Q(status=S.PUBLISHED, visibility=Visibility.PUBLIC),
                name="submission_by_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} {self.shape} {str(self.pk)[:8]}"

    @property
    def is_public(self) -> bool:
        is_open = self.status in OPEN or (self.status == S.WITHDRAWN and self.published_at is not None)
        return is_open and self.visibility == Visibility.PUBLIC


def storage_name(sha256: str) -> str:
    """Where a file with this content lies."""
    return f"raw/{sha256[:2]}/{sha256}"


class RawFile(models.Model):
    """One file of a submission as it was given, less what was redacted; kept under its content's hash."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="raw_files")
    name = models.CharField(max_length=300)
    #: of the submission; those of earlier versions stay for the owner and for moderators
    version = models.PositiveIntegerField(default=1)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.PositiveBigIntegerField()
    #: SHA-256 of the file before redaction: the same file given twice is one measurement
    original_sha256 = models.CharField(max_length=64, db_index=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["submission", "version", "name"], name="one_raw_file_per_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def storage_name(self) -> str:
        return storage_name(self.sha256)


class Share(models.Model):
    """Someone whom the owner of a private submission lets see it."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["submission", "user"], name="shared_once")]

    def __str__(self) -> str:
        return f"{self.submission_id} for {self.user_id}"


class SubmissionVersion(models.Model):
    """What a submission held before its files were replaced."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    shape = models.CharField(max_length=40)
    #: why it was replaced, in the owner's words
    reason = models.TextField(max_length=2000)
    replaced_at = models.DateTimeField(auto_now_add=True)
    #: one entry per result: its id, title, trust, and the headline figures with their units in the names
    results: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["submission", "number"], name="one_of_each_version")]

    def __str__(self) -> str:
        return f"version {self.number}"


class Tombstone(models.Model):
    """What stands where a published result was: that it was there, who took it away, when and why."""

    #: of the result that is gone
    id = models.UUIDField(primary_key=True, editable=False)
    submission_id = models.UUIDField(db_index=True)
    title = models.CharField(max_length=500)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True, max_length=2000)
    published_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-gone_at"]

    def __str__(self) -> str:
        return self.title


class ReviewAction(models.TextChoices):
    SUBMIT = "submit", "Submitted"
    APPROVE = "approve", "Approved"
    REJECT = "reject", "Rejected"
    REQUEST_CHANGES = "request-changes", "Changes requested"
    DISPUTE = "dispute", "Disputed"
    INVALIDATE = "invalidate", "Invalidated"
    RESTORE = "restore", "Dispute resolved"
    WITHDRAW = "withdraw", "Withdrawn"
    DELETE = "delete", "Deleted"
    MAP = "map", "Name mapped"
    REPLACE = "replace", "Files replaced"
    RECALL = "recall", "Made private"
    NOTE = "note", "Note changed"
    ASSIGN = "assign", "Assigned"
    OPEN_DISPUTE = "open-dispute", "Disputed by a reader"
    DISMISS_DISPUTE = "dismiss-dispute", "Reader's dispute dismissed"
    RETRACT_DISPUTE = "retract-dispute", "Reader's dispute retracted"
    RESCORE = "rescore", "Checked with a new check set"
    KEEP_SCORE = "keep-score", "New check set's findings dismissed"
    REPRODUCE = "reproduce", "Reproduced by a run of this site"
    NOT_REPRODUCED = "not-reproduced", "Disputed by a run of this site"


class ReviewEvent(AppendOnly):
    """One line of the audit log: who decided what about a submission, when, and why. Never changed.

    It outlives what it is about, so neither reference is a constraint of the database.
    """

    submission = models.ForeignKey(Submission, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    action = models.CharField(max_length=20, choices=ReviewAction)
    from_status = models.CharField(max_length=20, choices=SubmissionStatus)
    to_status = models.CharField(max_length=20, choices=SubmissionStatus)
    reason = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.action} {self.created_at:%Y-%m-%d %H:%M}"
