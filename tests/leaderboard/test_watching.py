"""Watching models and hardware."""

from __future__ import annotations

import pytest

from accounts.models import NotificationKind
from leaderboard.models import LanguageModel, ReviewAction, SubmissionStatus, Visibility, Watch
from leaderboard.services import watching
from leaderboard.services.review import review
from leaderboard.services.watching import WatchRefused, tell_watchers, unwatch, watch
from tests.factories import (
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    pending,
    published_result,
)
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db):
    return LanguageModelFactory(name="org/lemon-8b", title="Lemon 8B")


@pytest.fixture
def gpu(db):
    return HardwareFactory(slug="h100", name="H100 SXM")


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def published(owner, *pairs):
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED)
    return submission, [published_result(submission=submission, model=m, hardware=h) for m, h in pairs]


def told(person):
    return list(person.notifications.filter(kind=NotificationKind.WATCH))


def test_watching_twice_is_watching_once(owner, model):
    assert watch(user=owner, model=model) == watch(user=owner, model=model)


def test_a_watcher_is_told_of_a_new_result(owner, stranger, model, gpu):
    watch(user=stranger, model=model)
    submission, (result,) = published(owner, (model, gpu))

    tell_watchers(submission=submission)

    (row,) = told(stranger)
    assert row.title == "New result: org/lemon-8b on 1 x H100 SXM"
    assert row.url == f"/results/{result.pk}/"


def test_who_watches_both_model_and_gpu_is_told_once(owner, stranger, model, gpu):
    watch(user=stranger, model=model)
    watch(user=stranger, hardware=gpu)
    submission, _ = published(owner, (model, gpu))

    tell_watchers(submission=submission)

    assert len(told(stranger)) == 1


def test_a_submission_of_many_results_is_one_notification_about_those_watched(owner, stranger, model, gpu):
    other = LanguageModelFactory(name="org/other")
    watch(user=stranger, model=model)
    submission, results = published(owner, (other, gpu), (model, gpu), (model, HardwareFactory()))

    tell_watchers(submission=submission)

    (row,) = told(stranger)
    assert row.title.startswith("New results: org/lemon-8b on ")
    assert row.title.endswith(" and 1 more")
    assert row.url != f"/results/{results[0].pk}/"


def test_each_watcher_hears_of_what_they_watch(owner, stranger, model, gpu):
    other = LanguageModelFactory(name="org/other")
    reader = UserFactory()
    watch(user=stranger, model=model)
    watch(user=reader, model=other)
    submission, _ = published(owner, (model, gpu), (other, gpu))

    tell_watchers(submission=submission)

    assert [row.title for row in told(stranger)] == ["New result: org/lemon-8b on 1 x H100 SXM"]
    assert [row.title for row in told(reader)] == ["New result: org/other on 1 x H100 SXM"]


def test_the_owner_is_not_told_of_their_own(owner, model, gpu):
    watch(user=owner, model=model)
    submission, _ = published(owner, (model, gpu))

    tell_watchers(submission=submission)

    assert told(owner) == []


def test_what_is_not_ranked_is_nobodys_news(owner, stranger, model, gpu):
    watch(user=stranger, model=model)
    submission = SubmissionFactory(owner=owner, visibility=Visibility.PRIVATE)
    ResultFactory(submission=submission, model=model, hardware=gpu)

    tell_watchers(submission=submission)

    assert told(stranger) == []


def test_who_watches_something_else_hears_nothing(owner, stranger, model, gpu):
    watch(user=stranger, model=LanguageModelFactory())
    submission, _ = published(owner, (model, gpu))

    tell_watchers(submission=submission)

    assert told(stranger) == []


def test_approving_a_submission_tells_its_watchers(owner, stranger, moderator, small_catalogue, stored_files):
    submission = pending(owner)
    watch(user=stranger, model=LanguageModel.objects.get())

    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)

    assert [row.title for row in told(stranger)] == ["New result: org/model-8b on 1 x H100 SXM"]


def test_watches_have_a_limit(owner, monkeypatch):
    monkeypatch.setattr(watching, "MAX_WATCHES", 1)
    watch(user=owner, model=LanguageModelFactory())

    with pytest.raises(WatchRefused, match="You watch 1 models and GPUs"):
        watch(user=owner, model=LanguageModelFactory())


def test_what_is_unwatched_is_no_longer_told(owner, stranger, model, gpu):
    watch(user=stranger, model=model)

    assert unwatch(user=stranger, model=model)
    assert not unwatch(user=stranger, model=model)
    submission, _ = published(owner, (model, gpu))
    tell_watchers(submission=submission)
    assert told(stranger) == []


@pytest.mark.parametrize("page", ["/models/org/lemon-8b/", "/hardware/h100/"])
def test_the_button_watches_and_stops(browser, owner, model, gpu, page):
    assert "Watch " in text(browser.get(page))

    watched = browser.post(f"{page}watch/", follow=True)
    assert "Unwatch" in text(watched)
    assert "you are told of new results" in text(watched)
    stopped = browser.post(f"{page}watch/", {"stop": "1"}, follow=True)

    assert "You no longer watch" in text(stopped)
    assert not Watch.objects.exists()


def test_visitors_have_no_button(client, model):
    assert "Watch" not in text(client.get("/models/org/lemon-8b/"))
    assert client.post("/models/org/lemon-8b/watch/").url.startswith("/accounts/login/")


def test_the_list_names_what_is_watched_and_stops_it(browser, owner, model, gpu):
    watch(user=owner, model=model)
    watch(user=owner, hardware=gpu)

    page = text(browser.get("/account/watches/"))
    response = browser.post("/hardware/h100/watch/", {"stop": "1", "list": "1"})

    assert "Lemon 8B model" in page
    assert "H100 SXM hardware" in page
    assert response.url == "/account/watches/"
    assert Watch.objects.get().model == model


def test_the_list_shows_ones_own_alone(browser, stranger, model):
    watch(user=stranger, model=model)

    assert "You watch nothing yet." in text(browser.get("/account/watches/"))


@pytest.mark.parametrize("path", ["/models/org/none/watch/", "/hardware/none/watch/"])
def test_what_is_not_in_the_catalogue_cannot_be_watched(browser, path):
    assert browser.post(path).status_code == 404


def test_a_link_watches_nothing(browser, model):
    assert browser.get("/models/org/lemon-8b/watch/").status_code == 405
