"""Rows for tests, with only the fields that matter. Real uploads go through the services instead."""

from __future__ import annotations

import json
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from leaderboard.models import (
    Backend,
    BackendAlias,
    Hardware,
    HardwareAlias,
    LanguageModel,
    ModelAlias,
    Provenance,
    Result,
    Submission,
    SubmissionStatus,
    Trust,
    Visibility,
)
from leaderboard.services.ranking import rank
from leaderboard.services.reading import Reading, read_upload
from leaderboard.services.submissions import store_reading, submit
from lemsite.lib.archives import Entry

#: what it takes to be handed in; each figure agrees with the others and with the factories' hardware and model
NORMAL: dict[str, Any] = {
    "model": "org/model-8b",
    "hardware": "h100",
    "gpu_count": 1,
    "backend": "vllm",
    "precision": "bf16",
    "batch_size": 8,
    "energy_scope": "gpu",
    "output_tokens": 128_000,
    "duration_s": 128.0,
    "throughput_tokens_per_s": 1000.0,
    "total_energy_j": 64_000.0,
    "energy_per_output_token_j": 0.5,
    "tokens_per_joule": 2.0,
    "avg_power_w": 500.0,
}


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    password = factory.django.Password("correct horse battery")


class HardwareFactory(DjangoModelFactory[Hardware]):
    class Meta:
        model = Hardware
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"gpu-{n}")
    name = factory.Sequence(lambda n: f"GPU {n}")
    vendor = "NVIDIA"
    memory_gb = 80.0
    bandwidth_gb_per_s = 3350.0
    bf16_dense_tflops = 989.0
    fp16_dense_tflops = 989.0
    tdp_w = 700.0
    usd_per_gpu_hour = 2.0

    @factory.post_generation
    def alias(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            HardwareAlias.objects.get_or_create(name=HardwareAlias.fold(self.slug), defaults={"target": self})


class LanguageModelFactory(DjangoModelFactory[LanguageModel]):
    class Meta:
        model = LanguageModel
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"org/model-{n}")
    title = factory.Sequence(lambda n: f"Model {n}")
    organisation = "Org"
    family = "Family"
    parameters_total_b = 8.0
    parameters_active_b = 8.0

    @factory.post_generation
    def alias(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            ModelAlias.objects.get_or_create(name=self.name, defaults={"target": self})


class BackendFactory(DjangoModelFactory[Backend]):
    class Meta:
        model = Backend
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"backend-{n}")
    name = factory.Sequence(lambda n: f"Backend {n}")

    @factory.post_generation
    def alias(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            BackendAlias.objects.get_or_create(name=self.slug, defaults={"target": self})


class SubmissionFactory(DjangoModelFactory[Submission]):
    class Meta:
        model = Submission

    owner = factory.SubFactory(UserFactory)
    provenance = Provenance.UPLOAD
    visibility = Visibility.PUBLIC
    status = SubmissionStatus.PENDING
    shape = "normal"
    check_set = "2026.1"


class ResultFactory(DjangoModelFactory[Result]):
    """A result that is stored but not ranked; `published_result` makes one that is."""

    class Meta:
        model = Result

    submission = factory.SubFactory(SubmissionFactory)
    model = factory.SubFactory(LanguageModelFactory)
    hardware = factory.SubFactory(HardwareFactory)
    backend = factory.SubFactory(BackendFactory)
    model_name = factory.SelfAttribute("model.name")
    hardware_name = factory.SelfAttribute("hardware.name")
    backend_name = factory.SelfAttribute("backend.slug")
    gpu_count = 1
    precision = "bf16"
    batch_size = 8
    energy_scope = "gpu"
    tokens_per_joule = 2.0
    energy_per_output_token_j = factory.LazyAttribute(lambda o: 1 / o.tokens_per_joule if o.tokens_per_joule else None)
    throughput_tokens_per_s = 1000.0
    trust = Trust.CHECKS_PASSED


def published_result(**fields: Any) -> Result:
    """A ranked result of a published, public submission."""
    submission = fields.pop("submission", None) or SubmissionFactory(status=SubmissionStatus.PUBLISHED)
    result: Result = ResultFactory(submission=submission, **fields)
    rank(Result.objects.filter(pk=result.pk))
    result.refresh_from_db()
    return result


def small_catalogue() -> None:
    """What NORMAL names."""
    LanguageModelFactory(name="org/model-8b", title="Model 8B")
    HardwareFactory(slug="h100", name="H100 SXM")
    BackendFactory(slug="vllm", name="vLLM")


def normal_file(name: str = "result.json", **fields: Any) -> Entry:
    """A file in the site's own form; a field that is None is left out."""
    values = {key: value for key, value in {**NORMAL, **fields}.items() if value is not None}
    return Entry(name, json.dumps(values).encode())


def read(*entries: Entry, owner: User | None = None, **stated: Any) -> Reading:
    return read_upload(list(entries), stated=stated, provenance=Provenance.UPLOAD, owner=owner)


def draft(owner: User, *entries: Entry, **stated: Any) -> Submission:
    """A stored upload that waits for its owner."""
    reading = read(*(entries or (normal_file(),)), owner=owner, **stated)
    return store_reading(reading=reading, owner=owner, provenance=Provenance.UPLOAD)


def pending(owner: User, *entries: Entry, **stated: Any) -> Submission:
    """A submission that waits for a moderator."""
    return submit(submission=draft(owner, *entries, **stated), by=owner, visibility=Visibility.PUBLIC)
