"""Jobs: what somebody wants measured, where it stands, and everything that happened to it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from leaderboard.models import Hardware, LanguageModel, Result, Submission
from lemsite.lib.append_only import AppendOnly
from runs.models import Run


class JobState(models.TextChoices):
    HELD = "held", "Held by a moderator"
    QUEUED = "queued", "Queued"
    OFFERED = "offered", "Offered to a host"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    TIMED_OUT = "timed_out", "Timed out"


J = JobState
#: from -> the states that may follow; services.transitions is the only writer
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    J.HELD: frozenset({J.QUEUED, J.CANCELLED}),
    J.QUEUED: frozenset({J.HELD, J.OFFERED, J.RUNNING, J.SUCCEEDED, J.FAILED, J.TIMED_OUT, J.CANCELLED}),
    J.OFFERED: frozenset({J.QUEUED, J.RUNNING, J.FAILED, J.CANCELLED}),
    J.RUNNING: frozenset({J.QUEUED, J.SUCCEEDED, J.FAILED, J.TIMED_OUT, J.CANCELLED}),
    J.SUCCEEDED: frozenset(),
    J.FAILED: frozenset(),
    J.CANCELLED: frozenset(),
    J.TIMED_OUT: frozenset(),
}
TERMINAL = (J.SUCCEEDED, J.FAILED, J.CANCELLED, J.TIMED_OUT)


class JobKind(models.TextChoices):
    LLEM = "llem", "Energy benchmark"
    RACE = "race", "Lane of a race"


class Engine(models.TextChoices):
    TRANSFORMERS = "transformers", "Transformers"
    VLLM = "vllm", "vLLM"
    TENSORRT = "tensorrt", "TensorRT-LLM"


class RaceState(models.TextChoices):
    WAITING = "waiting", "Waiting for its hosts"
    STARTED = "started", "Started"
    ENDED = "ended", "Ended"


class Race(models.Model):
    """One order for several hosts, a lane each, that start together and stream into one live run."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="races")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="race")
    label = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=RaceState, default=RaceState.WAITING)
    #: not before this moment; None is as soon as all lanes are ready
    starts_at = models.DateTimeField(null=True)
    #: when all lanes were told to go
    go_at = models.DateTimeField(null=True)
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.label


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User | AnonymousUser) -> JobQuerySet:
        """Jobs are public, like the results they lead to."""
        return self.all()

    def changeable_by(self, user: User | AnonymousUser) -> JobQuerySet:
        """One's own; all of them for moderators."""
        if not user.is_authenticated:
            return self.none()
        return self.all() if user.is_moderator else self.filter(owner=user)

    def open(self) -> JobQuerySet:
        return self.exclude(state__in=TERMINAL)


class Job(models.Model):
    """What somebody wants measured. Its config never changes; running it again makes a new job."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs")
    kind = models.CharField(max_length=8, choices=JobKind)
    title = models.CharField(max_length=300)
    #: as jobs.config validated it
    config: models.JSONField[Any, Any] = models.JSONField()
    #: what the agent is given: the configuration of llem, or of the race client, as YAML
    rendered = models.TextField()
    rendered_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    #: why it is where it is: a code for programs and a sentence for people
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    is_simulated = models.BooleanField(default=False)

    # What a host must have; each a column of its own, so that the claim finds what fits by SQL.
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.PROTECT, related_name="+")
    engine = models.CharField(max_length=20, choices=Engine, blank=True)
    hardware = models.ForeignKey(Hardware, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    gpu_count = models.PositiveSmallIntegerField(default=1)
    min_memory_mib = models.PositiveIntegerField(default=0, help_text="of each GPU")
    label_wanted = models.CharField(max_length=40, blank=True)
    agent_wanted = models.ForeignKey("jobs.Agent", null=True, on_delete=models.SET_NULL, related_name="+")

    wall_s = models.PositiveIntegerField(default=7200)
    priority = models.SmallIntegerField(default=0, help_text="more is sooner; moderators set it")
    #: {"minutes", "energy_kwh", "usd", "co2_g", "basis"} as told before the order
    estimate: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: row of django-q2's queue that makes it claimable
    ticket_id = models.BigIntegerField(null=True, unique=True, editable=False)
    #: not claimable before
    available_at = models.DateTimeField()
    attempts_used = models.PositiveSmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: it ended by itself before the host heard of the cancellation
    cancel_came_late = models.BooleanField(default=False)

    copied_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="copies")
    #: the community result whose configuration is run again, with a seed that the site drew
    verifies = models.ForeignKey(Result, null=True, on_delete=models.SET_NULL, related_name="verifications")
    seed = models.PositiveIntegerField(default=0)
    race = models.ForeignKey(Race, null=True, on_delete=models.CASCADE, related_name="jobs")
    #: what its result became
    submission = models.OneToOneField(Submission, null=True, on_delete=models.SET_NULL, related_name="job")
    #: why a succeeded job has no submission
    import_problem = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # Without a condition: SQLite never uses a partial index for a bound parameter.
            models.Index(fields=["state", "-priority", "id"], name="job_claim"),
            models.Index(fields=["owner", "state"], name="job_by_owner"),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.title}"

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL


class JobEvent(AppendOnly):
    """One line of a job's history: what happened, to which attempt, by whom, why, when. Never changed."""

    job = models.ForeignKey(Job, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False)
    attempt = models.ForeignKey(
        "jobs.Attempt", null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    from_state = models.CharField(max_length=10, choices=JobState, blank=True)
    to_state = models.CharField(max_length=10, choices=JobState)
    #: what happened: submitted, offered, accepted, declined, offer_expired, finished, lost, readopted, …
    event = models.CharField(max_length=40)
    #: a person; None for the site and for agents
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["job", "id"], name="job_history")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.event}"
