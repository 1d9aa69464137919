"""What moderators work with beside the queue: disputes, reviews of new scores, canned answers."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from leaderboard.models.result import Result
from leaderboard.models.submission import ReviewAction


class DisputeState(models.TextChoices):
    OPEN = "open", "Waiting for a moderator"
    TAKEN_UP = "taken-up", "Being looked into"
    UPHELD = "upheld", "Upheld: the result was wrong"
    DISMISSED = "dismissed", "Dismissed: the result stands"
    RETRACTED = "retracted", "Retracted by who raised it"
    LAPSED = "lapsed", "Closed: the result was deleted"


class Dispute(models.Model):
    """A reader says, with evidence, that a published result is wrong. Everyone sees it and how it ended.

    While it is open the result stays ranked; taken up, the submission is disputed and is not. It outlives the result:
    `title` says what it was about.
    """

    result = models.ForeignKey(Result, null=True, on_delete=models.SET_NULL, related_name="disputes")
    title = models.CharField(max_length=500)
    #: None: the site itself, whose own run of the configuration came out differently
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="disputes"
    )
    reason = models.TextField(max_length=4000)
    evidence_url = models.URLField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=DisputeState, default=DisputeState.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    resolution = models.TextField(blank=True, max_length=2000)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["result", "raised_by"],
                condition=models.Q(state__in=["open", "taken-up"]),
                name="one_running_dispute_per_reader",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="dispute_queue")]

    def __str__(self) -> str:
        return f"dispute about {self.title}: {self.get_state_display()}"


class ScoreReviewState(models.TextChoices):
    OPEN = "open", "Waiting for a moderator"
    APPLIED = "applied", "Applied"
    KEPT = "kept", "The old score stays"


class ScoreReview(models.Model):
    """A newer check set would change what is public about a result; a moderator decides whether it does."""

    result = models.ForeignKey(Result, on_delete=models.CASCADE, related_name="score_reviews")
    check_set = models.CharField(max_length=20)
    trust_before = models.PositiveSmallIntegerField()
    trust_after = models.PositiveSmallIntegerField()
    #: the findings of the new check set, as leaderboard.checks.Finding fields
    findings: models.JSONField[Any, Any] = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=ScoreReviewState, default=ScoreReviewState.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, editable=False)
    reason = models.TextField(blank=True, max_length=2000)

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["result", "check_set"], name="one_score_review_per_check_set")
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="score_review_queue")]

    def __str__(self) -> str:
        return f"{self.check_set} on {self.result_id}: {self.get_state_display()}"


class CannedAnswer(models.Model):
    """A reason that moderators give often."""

    title = models.CharField(max_length=100, unique=True)
    action = models.CharField(max_length=20, choices=ReviewAction, help_text="The decision it belongs to.")
    text = models.TextField(max_length=2000)

    class Meta:
        ordering: ClassVar = ["action", "title"]

    def __str__(self) -> str:
        return self.title
