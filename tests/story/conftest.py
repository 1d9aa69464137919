"""The site as a process of its own, its peers on loopback, and a browser for each person."""

from contextlib import ExitStack
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.chromium import TIMEOUT_MS, launched, record_faults
from tests.fake_github import CLIENT_ID, CLIENT_SECRET, FakeGitHub, Person
from tests.site_process import Site
from tests.story.peers import Mailbox, Receiver

ADA = Person(id=1, login="ada", name="Ada Lovelace", emails=(("ada@example.org", True, True),))
GRACE = Person(id=2, login="grace", name="Grace Hopper", emails=(("grace@example.org", True, True),))
ROWS = """
from django.contrib.auth.models import Permission
from accounts.models import User
from leaderboard.services.catalogue import load_catalogue
load_catalogue()
mary = User.objects.create_user("mary", "mary@example.org", "count to a googol", is_staff=True)
mary.user_permissions.add(Permission.objects.get(codename="moderate"))
"""


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture
def world(chromium, tmp_path, fresh_database):
    """A site with its catalogue and a moderator, a GitHub with two people, a mail server, a receiver of webhooks."""
    with ExitStack() as opened:
        github = opened.enter_context(FakeGitHub(choices=(ADA, GRACE)))
        mailbox, receiver = opened.enter_context(Mailbox()), opened.enter_context(Receiver())
        site = Site(
            tmp_path,
            fresh_database,
            GITHUB_URL=github.url,
            GITHUB_CLIENT_ID=CLIENT_ID,
            GITHUB_CLIENT_SECRET=CLIENT_SECRET,
            EMAIL_URL=mailbox.url,
            WEBHOOK_PRIVATE_HOSTS=receiver.host,
        )
        opened.callback(site.kill)
        site.manage("shell", "--no-imports", "--command", ROWS)
        site.wait_until_up()
        yield SimpleNamespace(site=site, github=github, mailbox=mailbox, receiver=receiver)


@pytest.fixture
def faults():
    """What went wrong on the pages of a test."""
    return []


@pytest.fixture
def open_page(chromium, world, faults):
    """A page in a browser of its own: each belongs to one person."""
    contexts = []

    def open_page():
        url = world.site.url
        context = chromium.new_context(base_url=url, reduced_motion="reduce", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        record_faults(page, faults, urlsplit(url).netloc, urlsplit(world.github.url).netloc)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium writes the tombstone's own status into its console as well.
    assert [fault for fault in faults if "a status of 410" not in fault] == []
