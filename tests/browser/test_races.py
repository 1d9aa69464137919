"""The countdown to a race, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from jobs.models import Race
from tests.jobs.racing import ordered, racing_host

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_countdown_counts_and_the_page_comes_again_at_its_end(open_page):
    race = ordered([racing_host()], label="Evening race", starts_at=timezone.now() + timedelta(seconds=90))

    page = open_page()
    page.goto("/live/")
    place = page.locator("[data-countdown]")
    first = place.text_content()
    expect(place).not_to_have_text(first)
    Race.objects.filter(pk=race.pk).update(state="ended", go_at=timezone.now())
    place.evaluate("place => { place.dataset.countdown = '0'; place.replaceWith(place.cloneNode(true)); }")

    expect(page.locator(".next-race")).to_have_count(0)
