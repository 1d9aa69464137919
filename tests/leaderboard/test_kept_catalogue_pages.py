"""Pages of models and GPUs are made once for all readers, and anew as soon as something on them changes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leaderboard.models import Hardware, LanguageModel, SubmissionStatus
from leaderboard.services.submissions import withdraw
from lemsite.lib import rendered_pages
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)

pytestmark = pytest.mark.django_db
PAGES = ("/models/org/m/", "/hardware/h100/", "/models/", "/hardware/")


@pytest.fixture
def keeping(monkeypatch):
    monkeypatch.setattr(rendered_pages, "KEEP_S", 60.0)


@pytest.fixture
def same():
    """All that two batch sizes, two GPU counts and two versions are measured with."""
    model = LanguageModelFactory(name="org/m", title="M 8B", family="Fam", parameters_total_b=8.0)
    gpu = HardwareFactory(slug="h100", name="H100", memory_gb=80.0)
    backend = BackendFactory(slug="vllm", name="vLLM")
    return {"model": model, "hardware": gpu, "backend": backend, "energy_scope": "gpu", "precision": "bf16"}


def measure(same, gpu_counts=(1, 2)):
    """Enough for every part of both pages: the story with all its charts, the table and the advice."""
    for gpu_count in gpu_counts:
        for batch_size in (1, 16):
            for version in ("0.8", "0.9"):
                published_result(
                    **same, gpu_count=gpu_count, batch_size=batch_size, backend_version=version,
                    tokens_per_joule=1.0 + batch_size * gpu_count, throughput_tokens_per_s=100.0 * batch_size,
                )  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_result_is_there_once_published_and_gone_once_withdrawn(keeping, client, same, owner, path):
    before = client.get(path).content
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED)
    published_result(**same, submission=submission, tokens_per_joule=4.5)
    published = client.get(path).content
    assert published != before
    assert client.get(path).content == published

    withdraw(submission=submission, by=owner)

    assert client.get(path).content == before


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_was_made_already_takes_the_query_for_its_version(keeping, client, same, path):
    client.get(path)

    with CaptureQueriesContext(connection) as queries:
        client.get(path)

    assert {query["sql"] for query in queries if "dataversion" not in query["sql"]} == set()


@pytest.mark.parametrize(("path", "queries"), [("/models/org/m/", 30), ("/hardware/h100/", 19)])
@pytest.mark.parametrize("gpu_counts", [(1, 2), (1, 2, 4, 8)], ids=["few", "many"])
def test_a_page_asks_as_much_for_many_results_as_for_few(
    client, same, path, queries, gpu_counts, django_assert_num_queries
):
    measure(same, gpu_counts)
    client.get(path)

    with django_assert_num_queries(queries):
        response = client.get(path)

    assert response.context["story"].charts
    assert path.startswith("/hardware/") or response.context["advice"]


@pytest.mark.parametrize("path", PAGES)
def test_an_unchanged_page_is_not_sent_again(client, same, path):
    etag = client.get(path)["ETag"]

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    published_result(**same)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_the_page_of_someone_signed_in_is_theirs_alone(keeping, client, same, owner, path):
    client.get(path)
    client.force_login(owner)

    response = client.get(path)

    assert b"Sign out" in response.content
    assert not response.has_header("ETag")
    assert response["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("kind", [LanguageModel, Hardware])
@pytest.mark.parametrize("is_bulk", [False, True], ids=["one", "several"])
def test_what_a_person_takes_out_of_the_catalogue_is_gone_from_its_lists(keeping, client, same, kind, is_bulk):
    name = kind._meta.model_name
    page, row = reverse(f"leaderboard:{'model' if kind is LanguageModel else name}_list"), kind.objects.get()
    assert row.name in client.get(page).content.decode()
    by = UserFactory(is_staff=True)
    by.user_permissions.set(Permission.objects.filter(codename__in=["moderate", f"delete_{name}", f"view_{name}"]))
    row.aliases.all().delete()

    client.force_login(by)
    if is_bulk:
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        client.post(reverse(f"admin:leaderboard_{name}_changelist"), chosen)
    else:
        client.post(reverse(f"admin:leaderboard_{name}_delete", args=[row.pk]), {"post": "yes"})
    client.logout()
    client.cookies.clear()

    assert not kind.objects.exists()
    assert row.name not in client.get(page).content.decode()
