"""The review queue: what comes first, what a row says, and the page of one submission."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Notification
from accounts.services.bans import ban
from leaderboard.models import (
    CannedAnswer,
    Dispute,
    DisputeState,
    Finding,
    RawFile,
    Result,
    ReviewEvent,
    Submission,
)
from leaderboard.services.answers import load_answers
from leaderboard.services.need import refresh_need
from tests.factories import (
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)

pytestmark = pytest.mark.django_db
QUEUE = "admin:leaderboard_submission_changelist"


@pytest.fixture
def admin(client: Client, moderator: Any) -> Client:
    client.force_login(moderator)
    return client


@pytest.fixture
def other(db: None) -> Any:
    user = UserFactory(username="other", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))
    return user


def queue(admin: Client, query: str = "") -> str:
    return admin.get(reverse(QUEUE) + query).content.decode()


def page(submission: Submission) -> str:
    return reverse("admin:leaderboard_submission_change", args=[submission.pk])


def cell(content: str, column: str) -> list[str]:
    """The texts of one column, top to bottom."""
    found = re.findall(rf'<t[dh] class="field-{column}[^"]*">(.*?)</t[dh]>', content, re.DOTALL)
    return [re.sub(r"<[^>]+>", " ", text).strip() for text in found]


def find(result: Result, severity: str = "R", code: str = "ROO1") -> None:
    Finding.objects.create(result=result, code=code, severity=severity, message="Too fast.", check_set="1")


def test_the_neediest_comes_first_and_then_who_has_waited_longest(admin):
    made = {}
    for name, day in (("late", 3), ("early", 1), ("needy", 2)):
        made[name] = ResultFactory(
            model=LanguageModelFactory(title=name), trust=10, submission__submitted_at=f"2026-01-0{day}T00:00Z"
        )
    find(made["needy"])
    refresh_need(Submission.objects.all())

    assert [what.split()[0] for what in cell(queue(admin), "what")] == ["needy", "early", "late"]


def test_a_row_says_what_it_is_why_it_is_there_and_whose(admin, owner):
    SubmissionFactory(owner=owner, status="published", published_at="2026-01-01T00:00Z")
    SubmissionFactory(owner=owner, status="rejected")
    result = ResultFactory(
        submission__owner=owner,
        submission__submitted_at="2026-02-03T04:05Z",
        model=LanguageModelFactory(title="Model X"),
        hardware=HardwareFactory(name="GPU Y"),
        trust=10,
    )
    ResultFactory(submission=result.submission, position=1, trust=10)
    find(result)

    content = queue(admin)

    assert cell(content, "what") == ["Model X on 1 x GPU Y, 2 results"]
    assert cell(content, "need_text") == ["1 for review"]
    assert "owner" in cell(content, "owner_text")[0]
    assert "1 published, 1 rejected" in cell(content, "owner_text")[0]
    assert cell(content, "waits_since") == ["2026-02-03 04:05 UTC"]
    assert cell(content, "trust") == ["Self-reported"]
    assert cell(content, "findings") == ["ROO1"]


def test_upheld_disputes_are_in_the_record(admin, owner, stranger):
    wrong = ResultFactory(submission__owner=owner, submission__status="invalidated")
    Dispute.objects.create(result=wrong, raised_by=stranger, reason="r", state=DisputeState.UPHELD)
    SubmissionFactory(owner=owner)

    assert "1 published, 1 disputes upheld" in cell(queue(admin), "owner_text")[0]


def test_only_what_waits_is_shown_until_more_is_asked_for(admin, stranger):
    SubmissionFactory(status="pending")
    SubmissionFactory(status="disputed")
    SubmissionFactory(status="rejected")
    disputed = published_result()
    Dispute.objects.create(result=disputed, raised_by=stranger, reason="r")

    assert "3 submissions" in queue(admin)
    assert "1 submission" in queue(admin, "?state=rejected")
    assert "4 submissions" in queue(admin, "?state=all")


def test_a_search_looks_everywhere(admin):
    published = published_result()

    assert "1 submission" in queue(admin, f"?q={published.submission_id}")


def test_mine_and_nobodys(admin, moderator, other):
    SubmissionFactory(assignee=moderator)
    SubmissionFactory(assignee=other)
    SubmissionFactory()

    assert cell(queue(admin, "?assigned=mine"), "assignee") == ["moderator"]
    assert cell(queue(admin, "?assigned=nobody"), "assignee") == ["-"]


def fill(number: int) -> None:
    for _ in range(number):
        result = ResultFactory()
        ResultFactory(submission=result.submission, position=1)
        find(result)
        find(result, "W", "W1")


def test_the_queue_takes_as_many_queries_for_sixty_as_for_five(admin, django_assert_num_queries, stranger):
    Dispute.objects.create(result=published_result(), raised_by=stranger, reason="r")
    fill(5)
    admin.get(reverse(QUEUE))
    with django_assert_num_queries(30, exact=False) as few:
        assert len(cell(queue(admin), "what")) == 6
    fill(55)

    with django_assert_num_queries(len(few.captured_queries)):
        assert len(cell(queue(admin), "what")) == 50


def test_the_page_shows_findings_preview_note_statement_files_and_history(admin, owner):
    result = ResultFactory(submission__owner=owner, submission__note="My note.", submission__stated={"gpu_count": 4})
    submission = result.submission
    Submission.objects.filter(pk=submission.pk).update(redacted=["environment.host"])
    find(result)
    raw = RawFile.objects.create(submission=submission, name="given.json", sha256="a" * 64, size_bytes=2000)
    ReviewEvent.objects.create(
        submission=submission, action="submit", from_status="draft", to_status="pending", reason="Please look."
    )

    content = admin.get(page(submission)).content.decode()

    for text in ("Too fast.", "My note.", "GPU count", "given.json", "environment.host", "Please look.", "Tokens/J"):
        assert text in content
    assert reverse("leaderboard:raw_file", args=[submission.pk, raw.pk]) in content
    assert content.index("Too fast.") < content.index("As its owner sees it")


def test_the_page_shows_what_came_of_the_owners_others(admin, owner, stranger, moderator):
    submission = SubmissionFactory(owner=owner)
    SubmissionFactory(owner=owner, status="rejected", shape="older_one")
    wrong = ResultFactory(submission__owner=owner, submission__status="invalidated")
    Dispute.objects.create(result=wrong, raised_by=stranger, reason="r", state="upheld", resolution="Was wrong.")
    ban(user=owner, by=moderator, reason="Spam of last year.")

    content = admin.get(page(submission)).content.decode()

    for text in ("older_one", "Rejected", "Was wrong.", "Spam of last year."):
        assert text in content


def peers_of(result: Result, number: int) -> None:
    for n in range(number):
        published_result(
            model=result.model,
            hardware=result.hardware,
            backend=result.backend,
            tokens_per_joule=1.0 + n / 10,
            throughput_tokens_per_s=900.0 + n,
        )


def test_peers_are_plotted_with_this_result_marked_and_a_table_behind(admin):
    result = ResultFactory(tokens_per_joule=5.0)
    peers_of(result, 6)

    content = admin.get(page(result.submission)).content.decode()

    assert "6 peers; its tokens per joule are above those of 6 of 6." in content
    assert content.count('<circle class="peer"') == 6
    assert content.count('<circle class="own"') == 1
    assert content.count("<td>peer</td>") == 6


def test_with_few_peers_the_page_says_so(admin):
    result = ResultFactory()
    peers_of(result, 2)

    assert "Fewer than 5 peers: 2." in admin.get(page(result.submission)).content.decode()


def test_a_result_without_figures_has_no_chart(admin):
    result = ResultFactory(tokens_per_joule=None, throughput_tokens_per_s=None)

    response = admin.get(page(result.submission))

    assert response.status_code == 200
    assert "Tokens per joule over throughput" not in response.content.decode()


def test_script_in_what_an_owner_wrote_is_text(admin, owner):
    submission = SubmissionFactory(owner=owner, note="<script>alert(1)</script>", stated={"dataset": "<img src=x>"})

    content = admin.get(page(submission)).content.decode()

    assert "<script>alert(1)" not in content
    assert "<img src=x>" not in content


def test_the_pages_have_no_inline_style_or_script(admin):
    result = ResultFactory()
    peers_of(result, 6)

    for content in (queue(admin), admin.get(page(result.submission)).content.decode()):
        assert not re.search(r"\sstyle=|<style|\son\w+=", content)
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", content))


def test_the_page_takes_as_many_queries_for_forty_results_as_for_five(admin, django_assert_num_queries):
    def submission(results: int) -> Submission:
        first = ResultFactory()
        for position in range(1, results + 1):
            find(ResultFactory(submission=first.submission, position=position, model=first.model))
        return first.submission

    few, many = submission(5), submission(40)
    admin.get(page(few))
    with django_assert_num_queries(100, exact=False) as asked:
        admin.get(page(few))

    with django_assert_num_queries(len(asked.captured_queries)):
        admin.get(page(many))


def test_it_is_taken_and_given_back_on_its_page(admin, moderator):
    submission = SubmissionFactory()

    assert "Nobody looks at it yet." in admin.get(page(submission)).content.decode()
    admin.post(page(submission), {"decision": "take"})
    assert Submission.objects.get().assignee == moderator
    assert "Give it back" in admin.get(page(submission)).content.decode()
    admin.post(page(submission), {"decision": "give-back"})
    assert Submission.objects.get().assignee is None


def test_it_is_handed_to_another_moderator(admin, other):
    submission = SubmissionFactory()

    admin.post(page(submission), {"assign": "1", "to": str(other.pk)})

    assert Submission.objects.get().assignee == other


@pytest.mark.parametrize("to", ["", "nobody", "999999", "9" * 40])
def test_who_is_no_moderator_is_not_assigned(admin, to):
    submission = SubmissionFactory()

    content = admin.post(page(submission), {"assign": "1", "to": to}, follow=True).content.decode()

    assert "Choose a moderator." in content
    assert Submission.objects.get().assignee is None


def test_many_are_taken_at_once_without_a_reason(admin, moderator):
    submissions = [SubmissionFactory() for _ in range(3)]

    admin.post(reverse(QUEUE), {"action": "take", "_selected_action": [str(one.pk) for one in submissions]})

    assert Submission.objects.filter(assignee=moderator).count() == 3


@pytest.fixture
def answer(db: None) -> CannedAnswer:
    return CannedAnswer.objects.create(title="Longer", action="request-changes", text="Measure for a minute.")


def test_a_canned_answer_is_the_reason_where_none_is_written(admin, answer, owner):
    submission = SubmissionFactory(owner=owner)

    admin.post(page(submission), {"decision": "request-changes", "reason": "", "answer": str(answer.pk)})

    assert ReviewEvent.objects.get().reason == "Measure for a minute."


def test_what_is_written_counts_more_than_the_answer_chosen(admin, answer):
    submission = SubmissionFactory()

    admin.post(page(submission), {"decision": "request-changes", "reason": "My own.", "answer": str(answer.pk)})

    assert ReviewEvent.objects.get().reason == "My own."


def test_an_answer_of_another_decision_is_no_reason(admin, answer):
    submission = SubmissionFactory()

    content = admin.post(
        page(submission), {"decision": "reject", "reason": "", "answer": str(answer.pk)}, follow=True
    ).content.decode()

    assert "Give a reason" in content
    assert not ReviewEvent.objects.exists()


def test_only_answers_that_fit_the_state_are_offered(admin, answer):
    assert "Longer" in admin.get(page(SubmissionFactory())).content.decode()
    assert "Longer" not in admin.get(page(SubmissionFactory(status="disputed"))).content.decode()


def test_a_bulk_decision_takes_an_answer(admin, answer):
    chosen = [str(SubmissionFactory().pk) for _ in range(2)]
    fields = {"action": "request-changes", "_selected_action": chosen}

    assert "Longer" in admin.post(reverse(QUEUE), fields).content.decode()
    admin.post(reverse(QUEUE), {**fields, "reason": "", "answer": str(answer.pk)})

    assert ReviewEvent.objects.filter(reason="Measure for a minute.").count() == 2


def test_moderators_write_answers(admin):
    fields = {"title": "New", "action": "reject", "text": "Because."}

    admin.post(reverse("admin:leaderboard_cannedanswer_add"), fields)

    assert CannedAnswer.objects.get().text == "Because."


def test_the_site_begins_with_answers_that_stay_the_moderators_own():
    stored = load_answers()
    CannedAnswer.objects.exclude(title="Clean").delete()

    assert stored == 17
    assert load_answers() == 0
    assert CannedAnswer.objects.get().title == "Clean"


def test_a_reason_that_is_too_long_is_refused(admin):
    submission = SubmissionFactory()

    content = admin.post(page(submission), {"decision": "reject", "reason": "x" * 2001}, follow=True).content.decode()

    assert "Reason: at most 2,000 characters." in content
    assert not ReviewEvent.objects.exists()


@pytest.mark.parametrize("decision", ["approve", "reject", "request-changes"])
def test_the_owner_is_told_of_a_decision_with_its_reason_and_a_link(admin, owner, decision):
    submission = ResultFactory(submission__owner=owner).submission

    admin.post(page(submission), {"decision": decision, "reason": "Because of this."})

    told = Notification.objects.get(user=owner)
    assert (told.kind, told.text) == ("review", "Because of this.")
    assert told.url == reverse("leaderboard:submission", args=[submission.pk])


def test_not_even_a_superuser_decides_on_their_own(client):
    root = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(root)
    submission = SubmissionFactory(owner=root)

    content = client.post(page(submission), {"decision": "approve"}, follow=True).content.decode()

    assert "Nobody reviews their own submission." in content
    assert Submission.objects.get().status == "pending"


def test_an_owner_without_account_stops_no_decision(admin):
    submission = ResultFactory(submission__owner=None).submission

    admin.post(page(submission), {"decision": "approve", "reason": "Fine."})

    assert Submission.objects.get().status == "published"
