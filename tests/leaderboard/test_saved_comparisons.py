"""Comparisons that people keep on their account."""

import pytest

from accounts.services.deletion import delete_account
from leaderboard.models import SavedComparison, ShortLink
from leaderboard.services import comparisons
from leaderboard.services.comparisons import ComparisonRefused, rename_comparison, save_comparison
from tests.factories import published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db

URL = "/compare/?model=a%2Fb&model=c%2Fd"


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def save(browser, name="Mine", url=None, **more):
    if url is None:
        first, second = published_result(), published_result()
        url = f"/compare/?result={first.pk}&result={second.pk}"
    return browser.post("/account/comparisons/", {"name": name, "url": url}, **more)


def test_a_saved_comparison_is_on_the_list_with_its_short_link(browser, settings):
    page = text(save(browser, follow=True))

    assert "“Mine” is saved." in page
    assert f"{settings.SITE_URL}/l/{ShortLink.objects.get().code}/" in page
    assert "2 results, saved" in page


def test_the_short_link_leads_to_the_comparison(browser, client):
    save(browser)
    link = ShortLink.objects.get()

    assert client.get(f"/l/{link.code}/")["Location"] == link.url


def test_what_is_saved_is_the_comparison_alone(browser):
    first, second = published_result(), published_result()

    save(browser, url=f"//evil.example/?result={first.pk}&next=/x&result={second.pk}")

    assert ShortLink.objects.get().url == f"/compare/?result={first.pk}&result={second.pk}"


@pytest.mark.parametrize("url", ["", "/compare/", "/compare/?model=a%2Fb"])
def test_less_than_two_are_no_comparison(browser, url):
    response = save(browser, url=url)

    assert response.status_code == 422
    assert "two to eight results or models" in text(response)


def test_a_name_is_used_once(browser):
    save(browser, url=URL)

    response = save(browser, url=URL)

    assert response.status_code == 422
    assert "You have a comparison named “Mine” already." in text(response)
    assert 'value="Mine"' in response.content.decode()


def test_another_persons_name_is_free(browser, owner, stranger):
    save_comparison(owner=stranger, name="Mine", url=URL)

    assert save(browser, url=URL).status_code == 302


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "\n"])
def test_a_name_has_one_to_a_hundred_characters(browser, name):
    assert save(browser, name=name, url=URL).status_code == 422


def test_a_name_is_one_line(owner):
    assert save_comparison(owner=owner, name=" two\n lines\x00", url=URL).name == "two lines"


def test_there_is_a_most(owner, monkeypatch):
    monkeypatch.setattr(comparisons, "MAX_SAVED", 1)
    save_comparison(owner=owner, name="one", url=URL)

    with pytest.raises(ComparisonRefused, match="the most there can be"):
        save_comparison(owner=owner, name="two", url=URL)


def test_it_can_be_renamed(browser, owner):
    saved = save_comparison(owner=owner, name="Old", url=URL)

    browser.post(f"/account/comparisons/{saved.pk}/rename/", {"name": "New"})

    assert SavedComparison.objects.get().name == "New"


def test_a_name_that_is_taken_is_refused_when_renaming(owner):
    save_comparison(owner=owner, name="one", url=URL)
    two = save_comparison(owner=owner, name="two", url=URL)

    with pytest.raises(ComparisonRefused, match="already"):
        rename_comparison(comparison=two, name="one")


def test_it_can_be_deleted_and_its_short_link_stays(browser, owner):
    saved = save_comparison(owner=owner, name="Mine", url=URL)

    browser.post(f"/account/comparisons/{saved.pk}/delete/")

    assert not SavedComparison.objects.exists()
    assert ShortLink.objects.exists()


@pytest.mark.parametrize("action", ["rename", "delete"])
def test_nobody_else_touches_it(client, owner, stranger, action):
    saved = save_comparison(owner=owner, name="Mine", url=URL)
    client.force_login(stranger)

    assert client.post(f"/account/comparisons/{saved.pk}/{action}/", {"name": "Yours"}).status_code == 404
    assert SavedComparison.objects.get().name == "Mine"


def test_the_list_is_ones_own(client, owner, stranger):
    save_comparison(owner=owner, name="Only the owner reads this", url=URL)
    client.force_login(stranger)

    assert "You saved no comparison yet." in text(client.get("/account/comparisons/"))


@pytest.mark.parametrize("keep_published", [True, False])
def test_deleting_the_account_deletes_them(owner, keep_published):
    save_comparison(owner=owner, name="Mine", url=URL)

    delete_account(user=owner, keep_published=keep_published)

    assert not SavedComparison.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_list(browser, owner, django_assert_max_num_queries):
    for number in range(8):
        save_comparison(owner=owner, name=str(number), url=URL)

    with django_assert_max_num_queries(8):
        browser.get("/account/comparisons/")
