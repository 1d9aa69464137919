"""Giving a result in the browser: upload, complete, confirm, take back; and everything that can go wrong."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from leaderboard.models import RawFile, ReviewEvent, Submission, SubmissionStatus
from tests.factories import ResultFactory, SubmissionFactory, draft, normal_file, pending, published_result
from tests.leaderboard.browsing import archive, text, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]
STEPS = ("state", "confirm", "withdraw", "delete")


@pytest.fixture
def browser(client: Client, owner: Any, stored_files: Any) -> Client:
    client.force_login(owner)
    return client


def url(submission: Submission, step: str = "") -> str:
    return reverse(f"leaderboard:submission{'_' if step else ''}{step}", args=[submission.pk])


GOOD = normal_file().content


def test_the_form_offers_files_and_text(browser):
    content = browser.get("/submit/").content.decode()

    assert '<input type="file" name="files"' in content
    assert "multiple" in content
    assert 'name="text"' in content


def test_an_upload_becomes_a_draft_with_a_preview(browser, owner):
    response = upload(browser, ("result.json", GOOD))

    submission = Submission.objects.get()
    assert (response.status_code, response.url) == (302, url(submission))
    assert (submission.owner, submission.status) == (owner, SubmissionStatus.DRAFT)
    shown = text(browser.get(response.url))
    for part in ("this site's own form, JSON", "Model 8B on 1 x H100 SXM", "2.0000", "from the file", "result.json"):
        assert part in shown


def test_pasted_text_is_read_like_a_file(browser):
    upload(browser, text=GOOD.decode())

    assert RawFile.objects.get().name == "pasted.json"


@pytest.mark.parametrize("pack", ["zip", "tar", "several"])
def test_several_results_are_one_submission(browser, pack):
    members = [(f"{size}.json", normal_file(batch_size=size).content) for size in (8, 16)]
    if pack == "zip":
        upload(browser, ("study.zip", archive(*members)))
    elif pack == "several":
        upload(browser, *members)
    else:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        upload(browser, ("study.tar.gz", buffer.getvalue()))

    assert Submission.objects.get().results.count() == 2


def test_files_that_are_not_needed_are_named_and_not_kept(browser):
    response = upload(browser, ("result.json", GOOD), ("run.log", b"log"))

    assert "run.log" in text(browser.get(response.url))
    assert RawFile.objects.get().name == "result.json"


def test_what_is_missing_is_asked_for_and_stated(browser):
    response = upload(browser, ("result.json", normal_file(hardware=None, batch_size=None).content))
    submission = Submission.objects.get()
    content = browser.get(response.url).content.decode()
    assert 'name="stated-hardware"' in content
    assert 'name="stated-batch_size"' in content
    assert 'name="visibility"' not in content

    response = browser.post(url(submission, "state"), {"stated-hardware": "h100", "stated-batch_size": "8"})

    result = submission.results.get()
    assert (response.status_code, result.hardware.slug, result.batch_size) == (302, "h100", 8)


def test_a_wrong_statement_is_shown_at_its_input_and_keeps_what_was_typed(browser, owner):
    submission = draft(owner, normal_file(gpu_count=None, batch_size=None))

    response = browser.post(url(submission, "state"), {"stated-gpu_count": "several", "stated-batch_size": "7"})

    assert response.status_code == 422
    assert "gpu_count: 'several' is not right" in text(response)
    assert 'value="several"' in response.content.decode()
    assert 'value="7"' in response.content.decode()
    assert submission.results.get().batch_size is None


def test_nothing_can_be_stated_once_it_is_handed_in(browser, owner):
    submission = pending(owner)

    response = browser.post(url(submission, "state"), {"stated-dataset": "ShareGPT"})

    assert response.status_code == 422
    assert "nothing can be stated any more" in text(response)


def test_what_was_stated_stays_open_for_correction_with_known_names_to_choose_from(browser, owner):
    submission = draft(owner, normal_file(backend=None), backend="vllm")

    content = browser.get(url(submission)).content.decode()

    assert "Stated by you." in content
    assert 'value="vllm"' in content


@pytest.mark.parametrize("value", ["a\x00b", "x" * 300])
def test_odd_text_in_a_statement_is_refused(browser, owner, value):
    submission = draft(owner, normal_file(model="org/model-8b", backend=None))

    response = browser.post(url(submission, "state"), {"stated-backend": value})

    assert response.status_code == 422
    assert submission.results.get().backend_name == ""


def test_measurements_cannot_be_stated(browser, owner):
    submission = draft(owner)

    browser.post(url(submission, "state"), {"stated-tokens_per_joule": "99", "stated-trust": "50", "trust": "50"})

    assert submission.results.get().tokens_per_joule == 2.0


def test_confirming_hands_in_with_note(browser, owner):
    submission = draft(owner)

    response = browser.post(url(submission, "confirm"), {"visibility": "public", "note": "Mine."})

    submission.refresh_from_db()
    assert response.status_code == 302
    assert (submission.status, submission.note) == ("pending", "Mine.")
    assert "A moderator looks at it next" in text(browser.get(response.url))


def test_confirming_twice_gives_one_event(browser, owner):
    submission = draft(owner)

    answers = [browser.post(url(submission, "confirm"), {"visibility": "public"}).status_code for _ in range(2)]

    assert answers == [302, 422]
    assert ReviewEvent.objects.count() == 1


@pytest.mark.parametrize(
    "fields", [{}, {"visibility": "everyone"}, {"visibility": "draft"}, {"visibility": "public", "note": "x" * 2001}]
)
def test_a_confirmation_that_is_not_right_is_refused(browser, owner, fields):
    submission = draft(owner)

    response = browser.post(url(submission, "confirm"), fields)

    submission.refresh_from_db()
    assert response.status_code == 422
    assert submission.status == "draft"


def test_a_draft_without_essentials_cannot_be_confirmed(browser, owner):
    submission = draft(owner, normal_file(hardware=None))

    response = browser.post(url(submission, "confirm"), {"visibility": "public"})

    assert response.status_code == 422
    assert "State the hardware" in text(response)


def test_fields_that_are_not_of_the_form_change_nothing(browser, owner, stranger):
    submission = draft(owner)

    fields = {"visibility": "private", "status": "published", "owner": stranger.pk, "provenance": "imported"}
    browser.post(url(submission, "confirm"), fields)

    submission.refresh_from_db()
    assert (submission.status, submission.owner, submission.provenance) == ("draft", owner, "upload")


def test_withdrawing_keeps_the_reason(browser, owner):
    submission = pending(owner)

    response = browser.post(url(submission, "withdraw"), {"reason": "Wrong clock."})

    assert response.status_code == 302
    assert submission.events.last().reason == "Wrong clock."
    assert "Wrong clock." in text(browser.get(response.url))


def test_withdrawing_twice_says_why_not(browser, owner):
    submission = pending(owner)
    browser.post(url(submission, "withdraw"))

    response = browser.post(url(submission, "withdraw"))

    assert response.status_code == 422
    assert "It is withdrawn" in text(response)


def test_deleting_takes_everything_and_leads_to_the_account(browser, owner):
    submission = draft(owner)

    response = browser.post(url(submission, "delete"))

    assert response.url == "/account/"
    assert not Submission.objects.exists()
    assert browser.post(url(submission, "delete")).status_code == 404


def test_the_page_of_a_published_submission_offers_no_confirmation(browser, owner):
    result = published_result(submission=SubmissionFactory(owner=owner, status="published"))

    shown = text(browser.get(url(result.submission)))

    assert "Public and ranked." in shown
    assert 'name="visibility"' not in browser.get(url(result.submission)).content.decode()


@pytest.mark.parametrize("step", ["", *STEPS])
@pytest.mark.parametrize(("who", "code"), [("stranger", 404), ("moderator", 404), ("anonymous", 302)])
def test_a_submission_is_its_owners_alone(request, client, owner, step, who, code):
    submission = draft(owner)
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))

    response = client.post(url(submission, step), {"visibility": "public"}) if step else client.get(url(submission))

    assert response.status_code == code
    assert Submission.objects.get().status == "draft"


@pytest.mark.parametrize("step", ["", *STEPS])
def test_a_submission_that_never_was_is_not_found(browser, step):
    absent = Submission(pk=uuid.uuid4())

    assert (browser.post if step else browser.get)(url(absent, step)).status_code == 404


def test_who_is_not_signed_in_is_asked_to(client):
    assert client.get("/submit/").url == "/accounts/login/?next=/submit/"
    assert client.post("/submit/").status_code == 302


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_steps_are_posted(browser, owner, step, method):
    assert getattr(browser, method)(url(draft(owner), step)).status_code == 405


def test_the_pages_take_no_other_methods(browser, owner):
    assert browser.post(url(draft(owner))).status_code == 405
    assert browser.put("/submit/").status_code == 405


@pytest.mark.parametrize("step", ["submit", *STEPS])
def test_a_form_from_another_site_is_refused(owner, step):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    submission = draft(owner)

    response = browser.post("/submit/" if step == "submit" else url(submission, step), {"visibility": "public"})

    assert response.status_code == 403
    assert Submission.objects.get().status == "draft"


def test_many_results_are_previewed_without_more_queries(browser, owner, django_assert_num_queries):
    rows = [json.loads(normal_file(batch_size=size).content) for size in range(8, 40)]
    one = draft(owner, normal_file(duration_s=128.3))
    many = draft(owner, normal_file("many.json", batch_size=7), normal_file("b.json", batch_size=6))
    ResultFactory.create_batch(len(rows), submission=many)
    browser.get(url(one))
    with django_assert_num_queries(60, exact=False) as few:
        browser.get(url(one))

    with django_assert_num_queries(len(few.captured_queries)):
        browser.get(url(many))
