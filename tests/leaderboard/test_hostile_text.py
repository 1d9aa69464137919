"""Text that people give stays text on every page, in the admin too."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leaderboard.models import Comment, Dispute, UnknownName
from tests.factories import UserFactory, draft, normal_file, published_result
from tests.leaderboard.hostile import HOSTILE, pages, seeded

pytestmark = pytest.mark.django_db

ADMIN = [
    "submission",
    "result",
    "finding",
    "reviewevent",
    "unknownname",
    "hardware",
    "languagemodel",
    "backend",
    "comment",
    "dispute",
]


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_is_shown_as_text_on_every_page(client, owner, bad):
    result = seeded(bad, owner)
    client.force_login(owner)

    for path in pages(result):
        response = client.get(path)

        assert response.status_code == 200, path
        assert_inert(response.content.decode(), path)


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_is_shown_as_text_on_every_page_of_the_admin(client, owner, bad):
    result = seeded(bad, owner)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    rows = {
        "submission": result.submission_id,
        "result": result.pk,
        "hardware": result.hardware_id,
        "languagemodel": result.model_id,
        "unknownname": UnknownName.objects.get().pk,
        "comment": Comment.objects.filter(hidden_at__isnull=False).get().pk,
        "dispute": Dispute.objects.filter(state="open").get().pk,
    }

    for name in ADMIN:
        path = f"/admin/leaderboard/{name}/"
        for address in (path, f"{path}{rows[name]}/change/") if name in rows else (path,):
            response = client.get(address)

            assert response.status_code == 200, address
            assert_inert(response.content.decode(), address)


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("name", ["q", "hardware", "model", "sort", "view", "gpu_count", "cursor", "columns"])
def test_hostile_parameters_are_shown_as_text(client, name, bad):
    published_result()

    response = client.get("/", {name: bad})

    assert response.status_code == 200
    assert_inert(response.content.decode(), name)


def assert_inert(content: str, where: str) -> None:
    """No element or attribute comes from the text, and braces are not run."""
    assert not re.search(r"<(img|svg)\b[^>]*\son(error|load)|<svg/onload|<script>alert", content), where
    assert not re.search(r"""(?:href|src)=["']?javascript:""", content), where
    if "7*7" in content:
        assert "{{7*7}}" in content or "%7B%7B7*7%7D%7D" in content or "&#x27;{{7*7" in content, where


def test_a_hostile_upload_is_refused_with_its_name_as_text(client, owner, stored_files):
    client.force_login(owner)

    response = client.post("/submit/", {"files": [SimpleUploadedFile("<img src=x onerror=alert(1)>.json", b"{")]})

    assert response.status_code == 422
    assert "&lt;img src=x onerror=alert(1)&gt;.json" in response.content.decode()


def test_hostile_statements_come_back_as_text(owner, small_catalogue, stored_files):
    browser = Client()
    browser.force_login(owner)
    submission = draft(owner, normal_file(gpu_count=None))

    response = browser.post(f"/submissions/{submission.pk}/state/", {"stated-gpu_count": HOSTILE[1]})

    assert response.status_code == 422
    assert_inert(response.content.decode(), "state")
