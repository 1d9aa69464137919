"""The whole of it as people live it: one result from sign-in to its tombstone, in a browser, on a real site."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.site_process import wait_for
from tests.story import acts

pytestmark = pytest.mark.browser

ASKED = "Say which prompts were sent: the energy depends on them."
ANSWER = "AIEnergyScore, 512 tokens in, 128 out."
DOUBT = "A meter at our socket shows a third more at that rate."
EVIDENCE = "https://example.org/meter-readings"
CLEAR = "Clear now."
SETTLED = "The readings include the host; the result names GPU energy."
WHY_GONE = "The meter was not calibrated."


@pytest.mark.long
def test_a_result_from_sign_in_to_its_tombstone(open_page, world):
    people = SimpleNamespace(**{name: open_page() for name in ("ada", "mary", "grace", "anyone")})

    result, secret = ada_gives_what_she_measured(people, world)
    mary_asks_ada_answers_mary_approves(people)
    everyone_learns_of_it(people, world, result, secret)
    grace_doubts_it_and_mary_looks_into_it(people, result)
    ada_takes_it_back(people, result)


def ada_gives_what_she_measured(people, world):
    acts.sign_in_with_github(people.ada, "ada")
    secret = acts.add_a_webhook(people.ada, world.receiver.url)
    acts.upload(people.ada)
    acts.state_what_is_missing(people.ada)
    result = acts.publish(people.ada)
    assert acts.status(people.anyone, result) == 404
    return result, secret


def mary_asks_ada_answers_mary_approves(people):
    acts.sign_in_with_password(people.mary, "mary")
    acts.open_what_waits(people.mary)
    acts.decide(people.mary, "Request changes", ASKED)
    acts.read_the_news(people.ada, "Changes requested")
    acts.answer_and_hand_in_again(people.ada, ASKED, ANSWER)
    acts.open_what_waits(people.mary)
    expect(people.mary.get_by_text(ANSWER).first).to_be_visible()
    acts.decide(people.mary, "Approve", CLEAR)


def everyone_learns_of_it(people, world, result, secret):
    acts.read_the_mail(world.mailbox, "ada@example.org", "Approved", CLEAR)
    event = wait_for(lambda: world.receiver.told(secret, "review.published"), "The webhook")
    acts.find_in_the_log(people.ada, event, world.receiver.url)
    acts.find_on_the_leaderboard(people.anyone, result)


def grace_doubts_it_and_mary_looks_into_it(people, result):
    acts.sign_in_with_github(people.grace, "grace")
    acts.raise_a_dispute(people.grace, result, DOUBT, EVIDENCE)
    acts.see_the_dispute(people.anyone, result, "it stays ranked until a moderator looks into it", DOUBT, EVIDENCE)
    acts.open_the_dispute(people.mary)
    acts.decide(people.mary, "Take up", "I ask for the meter's readings.")
    acts.see_the_dispute(people.anyone, result, "it is not ranked", DOUBT, EVIDENCE)
    acts.miss_on_the_leaderboard(people.anyone)
    acts.decide(people.mary, "Dismiss", SETTLED)
    acts.read_the_news(people.grace, "Your dispute")
    expect(people.grace.get_by_text(SETTLED).first).to_be_visible()
    acts.find_on_the_leaderboard(people.anyone, result)


def ada_takes_it_back(people, result):
    acts.read_the_news(people.ada, "Dispute resolved")
    acts.delete_with_a_reason(people.ada, WHY_GONE)
    acts.miss_on_the_leaderboard(people.anyone)
    acts.see_the_tombstone(people.anyone, result, "ada", WHY_GONE)


def test_a_draft_is_nobody_elses(open_page, world):
    """By page, by API, by raw file."""
    ada, grace = open_page(), open_page()
    acts.sign_in_with_github(ada, "ada")
    acts.upload(ada)
    addresses = acts.addresses_of_a_draft(ada)

    acts.sign_in_with_github(grace, "grace")

    assert {path: acts.status(ada, path) for path in addresses.pages} == dict.fromkeys(addresses.pages, 200)
    everything = (*addresses.pages, *addresses.api)
    assert {path: acts.status(grace, path) for path in everything} == dict.fromkeys(everything, 404)
