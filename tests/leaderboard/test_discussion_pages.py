"""Comments, disputes and notes on the page of a result, and the list of disputes."""

from __future__ import annotations

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.services.bans import ban
from leaderboard.models import Comment, Dispute, Share, SubmissionStatus, Visibility
from leaderboard.services import quotas
from leaderboard.services.comments import add_comment, delete_comment, edit_comment, hide_comment, report_comment
from leaderboard.services.disputes import dismiss, open_dispute, take_up, uphold
from leaderboard.services.submissions import delete
from tests.factories import ResultFactory, SubmissionFactory, UserFactory, published_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(owner):
    return published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))


@pytest.fixture
def comment(result, stranger):
    return add_comment(result=result, by=stranger, text="Which *driver*?")


@pytest.fixture
def dispute(result, stranger):
    return open_dispute(
        result=result, by=stranger, reason="Above the *roofline*.", evidence_url="https://example.org/e"
    )


def url(result):
    return reverse("leaderboard:result", args=[result.pk])


def text(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def shown(client, result, **query):
    return text(client.get(url(result), query))


def test_a_comment_is_rendered_with_its_author_and_a_lasting_link(client, comment, result):
    content = client.get(url(result)).content.decode()

    assert "<p>Which <em>driver</em>?</p>" in content
    assert f'id="comment-{comment.pk}"' in content
    assert f'href="/comments/{comment.pk}/"' in content
    assert f'href="{reverse("leaderboard:person", args=["stranger"])}"' in content


def test_signed_out_readers_are_asked_to_sign_in_and_led_back(client, comment, result):
    content = client.get(url(result)).content.decode()

    assert "Sign in to comment" in content
    assert f"?next=%2Fresults%2F{result.pk}%2F%23comments" in content
    assert "<textarea" not in content
    assert "csrfmiddlewaretoken" not in content


def test_a_comment_is_posted_and_its_author_led_to_it(client, result, stranger):
    client.force_login(stranger)

    response = client.post(url(result) + "comments/", {"text": "Which driver?"})

    comment = Comment.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{url(result)}#comment-{comment.pk}")
    assert (comment.author, comment.text) == (stranger, "Which driver?")


def test_a_refused_comment_comes_back_with_its_text_and_the_reason(client, result, stranger):
    client.force_login(stranger)

    response = client.post(url(result) + "comments/", {"text": "a\u202eb"})

    assert response.status_code == 422
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in text(response)
    assert "a\u202eb</textarea>" in response.content.decode()


def test_the_banned_read_why(client, result, stranger, moderator):
    ban(user=stranger, by=moderator, reason="Spam.")
    client.force_login(stranger)

    response = client.post(url(result) + "comments/", {"text": "Buy."})

    assert response.status_code == 403
    assert "You are banned from writing for good: Spam." in text(response)


def test_too_many_comments_are_told_when_to_go_on(monkeypatch, client, comment, result, stranger):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.COMMENTS, 1)
    client.force_login(stranger)

    response = client.post(url(result) + "comments/", {"text": "More."})

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("name", ["comment_add", "dispute_open"])
def test_who_is_signed_out_signs_in_and_comes_back_to_the_result(client, result, name):
    response = client.post(reverse(f"leaderboard:{name}", args=[result.pk]), {"text": "x", "reason": "x"})

    assert response.status_code == 302
    assert f"next=/results/{result.pk}/%23" in response["Location"]
    assert not Comment.objects.exists()
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("name", ["comment_edit", "comment_delete", "comment_report"])
def test_who_is_signed_out_signs_in_and_comes_back_to_the_comment(client, comment, name):
    response = client.post(reverse(f"leaderboard:{name}", args=[comment.pk]))

    assert response["Location"].endswith(f"next=/comments/{comment.pk}/")


@pytest.mark.parametrize("name", ["comment_edit", "comment_delete", "comment_report", "comment_add", "dispute_open"])
def test_writing_needs_a_post(client, comment, result, stranger, name):
    client.force_login(stranger)
    pk = comment.pk if name.startswith("comment_") and name != "comment_add" else result.pk

    assert client.get(reverse(f"leaderboard:{name}", args=[pk])).status_code == 405


def test_what_a_stranger_cannot_see_they_neither_comment_on_nor_dispute(client, owner, stranger):
    hidden = ResultFactory(submission__owner=owner, submission__status=SubmissionStatus.DRAFT)
    client.force_login(stranger)

    assert client.post(url(hidden) + "comments/", {"text": "x"}).status_code == 404
    assert client.post(url(hidden) + "disputes/", {"reason": "x"}).status_code == 404


def test_comments_of_a_private_result_are_for_those_who_see_it(client, owner, stranger):
    private = ResultFactory(submission__owner=owner, submission__visibility=Visibility.PRIVATE)
    Share.objects.create(submission=private.submission, user=UserFactory())
    comment = add_comment(result=private, by=owner, text="Mine.")
    client.force_login(stranger)

    assert client.get(reverse("leaderboard:comment", args=[comment.pk])).status_code == 404
    assert client.post(reverse("leaderboard:comment_report", args=[comment.pk]), {"reason": "x"}).status_code == 404


def test_its_author_edits_a_comment_in_place(client, comment, result, stranger):
    client.force_login(stranger)
    assert "Which *driver*?</textarea>" in client.get(url(result)).content.decode()

    response = client.post(reverse("leaderboard:comment_edit", args=[comment.pk]), {"text": "Which CUDA?"})

    assert response["Location"] == f"{url(result)}#comment-{comment.pk}"
    assert "Which CUDA?" in shown(client, result)
    assert "edited 20" in shown(client, result)


def test_a_refused_edit_opens_its_form_again(client, comment, result, stranger):
    client.force_login(stranger)

    response = client.post(reverse("leaderboard:comment_edit", args=[comment.pk]), {"text": ""})

    assert response.status_code == 422
    assert '<details class="more" open>' in response.content.decode()
    assert "text: write something" in text(response)


@pytest.mark.parametrize("name", ["comment_edit", "comment_delete"])
@pytest.mark.parametrize("who", ["owner", "moderator"])
def test_a_comment_of_someone_else_is_not_found(request, client, comment, name, who):
    client.force_login(request.getfixturevalue(who))

    response = client.post(reverse(f"leaderboard:{name}", args=[comment.pk]), {"text": "x"})

    assert response.status_code == 404
    assert Comment.objects.get().text == "Which *driver*?"


def test_of_a_deleted_comment_the_place_stays(client, comment, result, stranger):
    client.force_login(stranger)

    client.post(reverse("leaderboard:comment_delete", args=[comment.pk]))

    assert "Deleted by its author." in shown(client, result)
    assert "driver" not in shown(client, result)


def test_a_reader_reports_a_comment(client, comment, result, owner):
    client.force_login(owner)

    client.post(reverse("leaderboard:comment_report", args=[comment.pk]), {"reason": "Off topic."})

    assert comment.reports.get().reason == "Off topic."
    assert "You reported it." in shown(client, result)


def test_one_sees_no_form_to_report_oneself(client, comment, result, stranger):
    client.force_login(stranger)

    assert reverse("leaderboard:comment_report", args=[comment.pk]) not in client.get(url(result)).content.decode()


@pytest.mark.parametrize(("who", "reads"), [("owner", False), ("stranger", True), ("moderator", True), (None, False)])
def test_a_hidden_comment_is_read_by_its_author_and_moderators(request, client, comment, result, moderator, who, reads):
    hide_comment(comment=comment, by=moderator, reason="Insults.")
    if who:
        client.force_login(request.getfixturevalue(who))

    page = shown(client, result)

    assert "Hidden by a moderator: Insults." in page
    assert ("Which driver ?" in page) is reads


def test_a_lasting_link_leads_to_the_page_of_the_thread(client, result, stranger):
    Comment.objects.bulk_create(Comment(result=result, author=stranger, text=f"n{n}") for n in range(60))
    last = Comment.objects.order_by("created_at", "pk").last()

    response = client.get(reverse("leaderboard:comment", args=[last.pk]))

    assert response["Location"] == f"{url(result)}?comments=2#comment-{last.pk}"
    assert f'id="comment-{last.pk}"' in client.get(response["Location"]).content.decode()


def test_a_long_thread_has_pages(client, result, stranger):
    Comment.objects.bulk_create(Comment(result=result, author=stranger, text=f"n{n}") for n in range(60))

    first, second = shown(client, result), shown(client, result, comments="2")

    assert "1 to 50 of 60 Later comments" in first
    assert "51 to 60 of 60 Earlier comments" in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 40, ""], ids=["zero", "negative", "word", "huge", "empty"])
def test_a_page_of_a_thread_that_is_not_there_is_another(client, comment, result, page):
    assert "driver" in shown(client, result, comments=page)


def test_a_dispute_is_on_the_page_with_its_evidence_and_state(client, dispute, result):
    response = client.get(url(result))

    page = text(response)
    assert "A reader disputes this result; it stays ranked until a moderator looks into it." in page
    assert "Waiting for a moderator" in page
    content = response.content.decode()
    assert "<p>Above the <em>roofline</em>.</p>" in content
    assert '<a href="https://example.org/e" rel="nofollow ugc noopener">' in content
    assert '<a class="disputed" href="#disputes">disputed</a>' in content


def test_how_a_dispute_ended_stays_on_the_page(client, dispute, result, moderator):
    dismiss(dispute=dispute, by=moderator, reason="That is the limit of another GPU.")

    page = shown(client, result)

    assert "Dismissed: the result stands" in page
    assert "That is the limit of another GPU." in page
    assert "A reader disputes" not in page


def test_a_dispute_that_is_looked_into_says_so(client, dispute, result, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    page = shown(client, result)

    assert "Being looked into" in page
    assert "Disputed: it is not ranked." in page
    assert 'href="#disputes"' in client.get(url(result)).content.decode()


def test_a_reader_disputes_a_result(client, result, stranger):
    client.force_login(stranger)

    response = client.post(url(result) + "disputes/", {"reason": "Too fast.", "evidence_url": "https://example.org/"})

    dispute = Dispute.objects.get()
    assert response["Location"] == f"{url(result)}#dispute-{dispute.pk}"
    assert (dispute.raised_by, dispute.evidence_url) == (stranger, "https://example.org/")


def test_a_refused_dispute_comes_back_as_it_was(client, result, stranger):
    client.force_login(stranger)

    response = client.post(url(result) + "disputes/", {"reason": "Too fast.", "evidence_url": "http://example.org/"})

    assert response.status_code == 422
    assert "begins with https://" in text(response)
    content = response.content.decode()
    assert "Too fast.</textarea>" in content
    assert 'value="http://example.org/"' in content


@pytest.mark.parametrize(("who", "may"), [("stranger", True), ("owner", False), (None, False)])
def test_only_others_see_the_form_to_dispute(request, client, result, who, may):
    if who:
        client.force_login(request.getfixturevalue(who))

    assert (f'action="{url(result)}disputes/"' in client.get(url(result)).content.decode()) is may


def test_who_raised_a_dispute_retracts_it(client, dispute, result, stranger):
    client.force_login(stranger)
    assert "Retract your dispute" in shown(client, result)

    client.post(reverse("leaderboard:dispute_retract", args=[dispute.pk]))

    assert "Retracted by who raised it" in shown(client, result)
    again = client.post(reverse("leaderboard:dispute_retract", args=[dispute.pk]))
    assert again.status_code == 422


def test_a_dispute_of_someone_else_is_not_found(client, dispute, owner):
    client.force_login(owner)

    assert client.post(reverse("leaderboard:dispute_retract", args=[dispute.pk])).status_code == 404


def test_the_owners_note_is_rendered(client, owner):
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED, note="Fans at *full* speed.")

    content = client.get(url(published_result(submission=submission))).content.decode()

    assert "<p>Fans at <em>full</em> speed.</p>" in content


def test_the_licence_and_the_owner_are_linked(client, owner):
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED, licence="CC0-1.0")

    content = client.get(url(published_result(submission=submission))).content.decode()

    assert '<a href="https://creativecommons.org/publicdomain/zero/1.0/" rel="license noopener">CC0 1.0</a>' in content
    assert f'href="{reverse("leaderboard:person", args=["owner"])}"' in content


def test_a_published_figure_of_others_has_no_licence_of_ours(client):
    submission = SubmissionFactory(owner=None, provenance="imported", status=SubmissionStatus.PUBLISHED)

    assert "creativecommons" not in client.get(url(published_result(submission=submission))).content.decode()


def test_of_a_deleted_account_neither_name_nor_link_is_shown(client, comment, result, stranger):
    stranger.deleted_at = timezone.now()
    stranger.save()

    content = client.get(url(result)).content.decode()

    assert "a deleted account" in content
    assert reverse("leaderboard:person", args=["stranger"]) not in content


@pytest.mark.parametrize("who", ["stranger", "moderator", None])
def test_queries_do_not_grow_with_comments_and_disputes(request, client, result, who, django_assert_num_queries):
    if who:
        client.force_login(request.getfixturevalue(who))
    fill(result)
    client.get(url(result))
    with django_assert_num_queries(40, exact=False) as few:
        client.get(url(result))
    for _ in range(10):
        fill(result)

    with django_assert_num_queries(len(few.captured_queries)):
        client.get(url(result))


def fill(result):
    for _ in range(2):
        Comment.objects.create(result=result, author=UserFactory(), text="n", hidden_at=timezone.now())
        Dispute.objects.create(result=result, raised_by=UserFactory(), resolved_by=UserFactory(), reason="n")


def test_the_list_shows_every_public_dispute_and_how_it_ended(client, dispute, result, moderator):
    uphold(dispute=dispute, by=moderator, reason="It counts padding.")
    private = ResultFactory(submission__visibility=Visibility.PRIVATE)
    Dispute.objects.create(result=private, raised_by=UserFactory(), reason="Secret.")

    page = text(client.get("/disputes/"))

    for part in ("1 dispute", "Upheld: the result was wrong", "Above the roofline .", "It counts padding."):
        assert part in page
    assert "Secret." not in page


def test_of_a_deleted_result_the_line_stays_in_the_list_without_what_was_said_of_its_figures(client, dispute, result):
    title = str(result)
    delete(submission=result.submission, by=result.submission.owner)

    page = text(client.get("/disputes/"))

    assert title in page
    assert "Closed: the result was deleted" in page
    assert "Above the roofline" not in page


def test_the_admin_shows_the_dispute_about_a_deleted_result(client, dispute, result, moderator):
    title = str(result)
    delete(submission=result.submission, by=result.submission.owner)
    client.force_login(moderator)

    page = text(client.get(f"/admin/leaderboard/dispute/{dispute.pk}/change/"))

    assert title in page
    assert "deleted" in page


def test_a_lapsed_dispute_cannot_be_retracted(client, dispute, result, stranger):
    delete(submission=result.submission, by=result.submission.owner)
    client.force_login(stranger)

    assert client.post(f"/disputes/{dispute.pk}/retract/").status_code == 404


@pytest.mark.parametrize(("state", "count"), [("open", 1), ("upheld", 0), ("", 1), ("nonsense", 1), ("\x00", 1)])
def test_the_list_is_filtered_by_state(client, dispute, state, count):
    assert f"{count} dispute" in text(client.get("/disputes/", {"state": state}))


def test_the_list_has_pages_and_as_many_queries_for_many_as_for_one(client, dispute, result, django_assert_num_queries):
    with django_assert_num_queries(10, exact=False) as few:
        client.get("/disputes/")
    for _ in range(60):
        Dispute.objects.create(result=published_result(), raised_by=UserFactory(), reason="n")

    with django_assert_num_queries(len(few.captured_queries)):
        first = client.get("/disputes/")
    assert "/disputes/?page=2" in first.content.decode()
    assert "61 disputes" in text(client.get("/disputes/", {"page": "2"}))


def test_the_list_is_public_and_sets_no_cookie(client, dispute):
    response = client.get("/disputes/")

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_row_of_the_leaderboard_is_marked_while_a_dispute_runs(client, dispute, moderator, ended):
    if ended:
        dismiss(dispute=dispute, by=moderator, reason="No evidence.")

    assert ('class="disputed"' in client.get("/").content.decode()) is not ended


def test_edits_and_reports_of_a_deleted_comment_are_refused(client, comment, result, stranger, owner):
    delete_comment(comment=comment, by=stranger)
    client.force_login(stranger)

    assert client.post(reverse("leaderboard:comment_edit", args=[comment.pk]), {"text": "x"}).status_code == 422
    assert client.post(reverse("leaderboard:comment_delete", args=[comment.pk])).status_code == 422
    client.force_login(owner)
    assert client.post(reverse("leaderboard:comment_report", args=[comment.pk]), {"reason": "x"}).status_code == 422


def test_a_reported_comment_stays_until_a_moderator_looks(client, comment, result, owner):
    report_comment(comment=comment, by=owner, reason="Off topic.")
    edit_comment(comment=comment, by=comment.author, text="Still here.")

    assert "Still here." in shown(client, result)


def test_while_ones_dispute_runs_there_is_no_form_for_another(client, dispute, result, stranger):
    client.force_login(stranger)

    assert "Dispute this result" not in shown(client, result)
