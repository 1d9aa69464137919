"""Clients of the API: one per role, each with a token of its own. Django is imported late: this file is read before."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def file_storage(settings, tmp_path) -> Any:
    """Uploads of a test lie in a folder of its own."""
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    return tmp_path / "files"


@pytest.fixture
def catalogue(db) -> None:
    """One model, one GPU and one backend, known by the names that real files give them."""
    from leaderboard.models import BackendAlias, HardwareAlias, ModelAlias
    from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory

    gpu = HardwareFactory(
        slug="a100-pcie-40",
        name="A100 PCIe 40GB",
        memory_gb=40.0,
        bandwidth_gb_per_s=1555.0,
        bf16_dense_tflops=312.0,
        fp16_dense_tflops=312.0,
        tdp_w=250.0,
    )
    HardwareAlias.objects.create(name="a100-pcie-40gb", target=gpu)
    model = LanguageModelFactory(name="openai-community/gpt2", parameters_total_b=0.124, parameters_active_b=0.124)
    ModelAlias.objects.create(name="gpt2", target=model)
    backend = BackendFactory(slug="transformers", name="Transformers")
    BackendAlias.objects.create(name="pytorch", target=backend)


@pytest.fixture
def api(owner, catalogue) -> Any:
    """The owner, with a token that may read and submit."""
    from tests.leaderboard.api.clients import client_of

    return client_of(owner)


@pytest.fixture
def anonymous(catalogue) -> Any:
    from rest_framework.test import APIClient

    return APIClient()


@pytest.fixture
def foreign(stranger, catalogue) -> Any:
    """A stranger, with a token that may read and submit."""
    from tests.leaderboard.api.clients import client_of

    return client_of(stranger)


@pytest.fixture
def submission_id(api) -> str:
    """A draft of the owner with one result."""
    from tests.leaderboard.api.clients import SAMPLE, post_json

    return str(post_json(api, SAMPLE, "?visibility=draft").json()["id"])
