"""What a page asks several times is asked once while the page is made, and anew for the next one."""

from __future__ import annotations

from itertools import count

import pytest

from lemsite.lib.asked_once import asking_once, once


@pytest.fixture
def ask():
    """A question whose answer is how often it was asked."""
    times = count(1)

    def ask(key="version"):
        return once(key, lambda: next(times))

    return ask


def test_a_question_is_asked_once_for_each_page(ask):
    page = asking_once(lambda: (ask(), ask()))

    assert [page(), page()] == [(1, 1), (2, 2)]


def test_another_question_has_an_answer_of_its_own(ask):
    page = asking_once(lambda: (ask("a"), ask("b"), ask("a")))

    assert page() == (1, 2, 1)


def test_no_answer_outlives_a_page_that_fails(ask):
    def page():
        ask()
        raise ValueError("no page")

    with pytest.raises(ValueError, match="no page"):
        asking_once(page)()

    assert [ask(), ask()] == [2, 3]
