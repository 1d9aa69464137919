"""What cannot be an upload: refused by name, and nothing of it stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from leaderboard.models import Finding, RawFile, Result, Submission, UnknownName
from tests.factories import NORMAL, normal_file, pending
from tests.leaderboard.browsing import archive, text, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]
GOOD = normal_file().content


@pytest.fixture
def browser(client: Client, owner: Any, stored_files: Any) -> Client:
    client.force_login(owner)
    return client


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def changed(**fields: Any) -> bytes:
    return json.dumps({**NORMAL, **fields}).encode()


BAD = {
    "nothing at all": ([], "Choose at least one file"),
    "an empty file": ([("a.json", b"")], "a.json"),
    "a truncated file": ([("a.json", GOOD[:-20])], "a.json"),
    "deep nesting": ([("a.json", nested(100_000))], "a.json"),
    "a number that is none": ([("a.json", GOOD.replace(b"500.0", b"NaN"))], "a.json"),
    "an endless number": ([("a.json", GOOD.replace(b"500.0", b"Infinity"))], "a.json"),
    "a number too large": ([("a.json", GOOD.replace(b"500.0", b"1e999"))], "a.json"),
    "a key twice": ([("a.json", GOOD[:-1] + b', "model": "other"}')], "a.json"),
    "another encoding": ([("a.json", GOOD.decode().replace("org", "ö").encode("latin-1"))], "a.json"),
    "a NUL": ([("a.json", GOOD.replace(b"org/", b"org\\u0000/"))], "a.json"),
    "half a character": ([("a.json", GOOD.replace(b"org/", b"\\ud800/"))], "a.json"),
    "a picture": ([("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64)], "a.png"),
    "another tool's file": (
        [("a.json", b'{"backend": "vllm", "median_ttft_ms": 1, "request_throughput": 2}')],
        "a.json",
    ),
    "other JSON": ([("a.json", b'{"hello": "world"}')], "a.json"),
    "a bare number": ([("a.json", b"5")], "a.json"),
    "an empty list": ([("a.json", b"[]")], "a.json"),
    "a negative energy": ([("a.json", changed(total_energy_j=-5.0))], "total_energy_j"),
    "no token": ([("a.json", changed(output_tokens=0))], "output_tokens"),
    "an unknown field": ([("a.json", changed(energy="much"))], "energy"),
    "text for a number": ([("a.json", changed(avg_power_w="500"))], "avg_power_w"),
    "a zip with ..": ([("a.zip", archive(("../../x.json", GOOD)))], "a.zip"),
    "an absolute name": ([("a.zip", archive(("/etc/x.json", GOOD)))], "a.zip"),
    "a zip in a zip": ([("a.zip", archive(("b.zip", archive(("x.json", GOOD)))))], "b.zip"),
    "a zip bomb": ([("a.zip", archive(("x.json", b"0" * 30_000_000)))], "a.zip"),
    "a damaged zip": ([("a.zip", archive(("x.json", GOOD))[:-30])], "a.zip"),
    "an empty zip": ([("a.zip", archive())], ""),
    "one good and one bad": ([("good.json", GOOD), ("bad.json", b"{")], "bad.json"),
    "one name twice": ([("a.json", GOOD), ("a.json", changed(batch_size=16))], "a.json"),
    "a CSV with a wrong header": ([("a.csv", b"model,speed\nx,1\n")], "a.csv"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_read_is_refused_by_name_and_nothing_is_stored(browser, stored_files, what):
    files, named = BAD[what]

    response = upload(browser, *files)

    assert response.status_code == 422
    assert named in text(response).partition("nothing was stored")[2]
    assert not any(table.objects.exists() for table in (Submission, Result, RawFile, Finding, UnknownName))
    assert stored_files() == []


def test_a_result_that_cannot_be_right_is_shown_with_its_finding_and_not_stored(browser, stored_files):
    response = upload(browser, ("a.json", changed(throughput_tokens_per_s=50_000.0)))

    assert response.status_code == 422
    for part in ("1 result cannot be ranked, so nothing was stored", "IDN1", "Model 8B on 1 x H100 SXM"):
        assert part in text(response)
    assert not any(table.objects.exists() for table in (Submission, Result, RawFile, UnknownName))
    assert stored_files() == []


def test_the_same_file_again_is_refused_and_says_where_it_was_given(browser, owner):
    first = pending(owner).results.get()

    response = upload(browser, ("again.json", GOOD))

    assert response.status_code == 422
    assert "DUP1" in text(response)
    assert str(first.pk) in text(response)
    assert Submission.objects.count() == 1


def test_too_much_pasted_text_is_refused(browser):
    response = upload(browser, text="[" + " " * 2_100_000 + "]")

    assert response.status_code == 422
    assert not Submission.objects.exists()


def test_a_file_over_the_limit_is_refused(browser, monkeypatch):
    monkeypatch.setattr("lemsite.lib.archives.MAX_ENTRY_BYTES", 1 << 20)

    response = upload(browser, ("big.json", b" " * (2 << 20)))

    assert response.status_code == 422
    assert "big.json is larger than 1 MiB" in text(response)


def test_the_180_simulated_results_are_refused_with_their_findings(browser, shared_data):
    content = (shared_data / "llenergymeasure/commons/synthetic-180.json").read_bytes()

    response = upload(browser, ("synthetic-180.json", content))

    assert response.status_code == 422
    assert "180 results cannot be ranked" in text(response)
    assert not Submission.objects.exists()
