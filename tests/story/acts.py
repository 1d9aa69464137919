"""What the people of the story do, in the words of the pages, and what they then see."""

import re
from types import SimpleNamespace
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.site_process import wait_for
from tests.story.uploads import mixed_zip

PASSWORD = "count to a googol"
UNDERSTOOD = ("GPT-2 on A100 PCIe 40GB", "Llama 3.1 8B Instruct on GPU not stated", "Llama 3.1 8B on H100 SXM5 80GB")
#: the result that the story is about
RESULT = "Llama 3.1 8B on 1 x H100 SXM5 80GB"


def sign_in_with_github(page, login):
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("link", name=login).click()
    expect(page.locator(".menu .who")).to_have_text(login)


def sign_in_with_password(page, name):
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".menu .who")).to_have_text(name)


def add_a_webhook(page, address):
    """Returns its secret, which is shown once."""
    page.get_by_text("ada", exact=True).click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("link", name="Webhooks").first.click()
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_role("status")).to_contain_text("shown only now")
    secret = page.locator("#new-secret").inner_text()

    page.get_by_role("link", name="Webhooks").first.click()
    page.get_by_role("link", name=address).click()
    expect(page.get_by_role("button", name="Send a test")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)
    return secret


def upload(page):
    """A zip of everything that lies in the folder; what can be read becomes a draft."""
    page.get_by_role("link", name="Submit a result").first.click()
    page.get_by_label("Files").set_input_files(
        {"name": "sweep.zip", "mimeType": "application/zip", "buffer": mixed_zip()}
    )
    page.get_by_role("button", name="Read the files").click()
    expect(page.get_by_role("heading", name="1 could not be used")).to_be_visible()
    expect(page.get_by_text("sweep/own/cut-off.json")).to_be_visible()
    page.get_by_role("link", name="Check the draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check what was understood")
    for title in (
        "GPT-2 on A100 PCIe 40GB",
        "Llama 3.1 8B Instruct on GPU not stated",
        "Llama 3.1 8B on H100 SXM5 80GB",
    ):
        expect(page.get_by_role("heading", name=title)).to_be_visible()


def state_what_is_missing(page):
    page.get_by_label("Hardware").select_option(label="H100 SXM5 80GB")
    page.get_by_label("GPU count").fill("1")
    page.get_by_label("Precision").select_option("fp16")
    page.get_by_role("button", name="Save and check again").click()
    expect(page.get_by_text("Read again with what you stated.")).to_be_visible()
    expect(page.get_by_text("Stated by you.").first).to_be_visible()
    expect(page.get_by_role("heading", name="Llama 3.1 8B Instruct on 1 x H100 SXM5 80GB")).to_be_visible()
    expect(page.get_by_text("stated by the uploader").first).to_be_attached()


def publish(page):
    """Returns the address of the result that the story is about."""
    says = page.locator("#becomes-public")
    expect(says).to_contain_text("This becomes public after review: 3 results, the files, less the 2 private values")
    expect(says).to_contain_text("your name (ada) and the note, under the licence chosen")
    page.get_by_label("Licence, if it becomes public").select_option("CC-BY-SA-4.0")
    page.get_by_role("button", name="Confirm and submit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your submission")
    expect(page.get_by_text("Waiting for review").first).to_be_visible()
    return page.get_by_role("link", name=RESULT).get_attribute("href")


def open_what_waits(page):
    """A moderator sees on every page how much waits, and what it is."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("^1 waiting")).click()
    page.get_by_role("link", name=re.compile("3 results")).click()
    expect(page.get_by_role("heading", name="What the checks found")).to_be_visible()


def open_the_dispute(page):
    read_the_news(page, "grace disputes")
    page.get_by_role("link", name="Settle this dispute").click()
    expect(page.get_by_role("heading", name="Decide")).to_be_visible()


def decide(page, decision, reason):
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=decision, exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def read_the_news(page, title):
    page.goto("/")
    page.get_by_role("link", name=re.compile(r"^Notifications, \d+ unread")).click()
    page.get_by_role("link", name=re.compile(f"^{title}")).first.click()


def answer_and_hand_in_again(page, asked, answer):
    expect(page.locator(".answer-asked")).to_contain_text(asked)
    page.get_by_label("Note (optional)").fill(answer)
    page.get_by_role("button", name="Confirm and submit").click()
    expect(page.get_by_text("Waiting for review").first).to_be_visible()
    expect(page.locator(".answer-asked")).to_have_count(0)


def read_the_mail(mailbox, address, title, text):
    """It goes out in the background."""

    def find():
        return next((mail for mail in mailbox.sent_to(address) if title in mail["Subject"]), None)

    assert text in wait_for(find, f"The mail {title}").get_content()


def find_in_the_log(page, event, address):
    """What the receiver got is what the page of the webhook says was sent."""
    key, body = event
    assert body["data"]["status"] == "published"
    page.goto("/account/webhooks/")
    page.get_by_role("link", name=address).click()
    expect(page.get_by_role("row").filter(has_text=key)).to_contain_text("204")


def search_the_leaderboard(page):
    """As a reader does who has no account; self-reported results are hidden at first, and the page says so."""
    page.goto("/?min_trust=T1")
    search = page.get_by_label("Model, hardware or backend")
    search.fill("llama 8b")
    search.press("Enter")
    expect(page).to_have_url(re.compile("q=llama"))


def find_on_the_leaderboard(page, result):
    page.goto("/")
    expect(page.get_by_text("3 self-reported results hidden").first).to_be_visible()
    search_the_leaderboard(page)
    row = page.get_by_role("row").filter(has_text="4.000")
    expect(row).to_have_count(1)
    row.get_by_role("rowheader").get_by_role("link", name="Llama 3.1 8B").first.click()
    expect(page).to_have_url(re.compile(f"{result}$"))
    expect(page.get_by_text("CC BY-SA 4.0").first).to_be_visible()


def miss_on_the_leaderboard(page):
    search_the_leaderboard(page)
    expect(page.get_by_text("No result fits these filters.")).to_be_visible()


def raise_a_dispute(page, result, reason, evidence):
    page.goto(result)
    page.get_by_text("Dispute this result").click()
    page.get_by_label("What is wrong, and how you know").fill(reason)
    page.get_by_label("Link to the evidence (optional, https)").fill(evidence)
    page.get_by_role("button", name="Raise the dispute").click()
    expect(page.locator("#disputes")).to_contain_text(reason)


def see_the_dispute(page, result, notice, reason, evidence):
    page.goto(result)
    expect(page.locator(".note.warning").filter(has_text=notice).first).to_be_visible()
    expect(page.locator("#disputes")).to_contain_text(reason)
    expect(page.get_by_role("link", name=evidence)).to_be_visible()


def delete_with_a_reason(page, reason):
    page.get_by_text("Delete it").click()
    page.locator("#delete-reason").fill(reason)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()


def see_the_tombstone(page, result, owner, reason):
    assert status(page, result) == status(page, api_of(result)) == 410
    page.goto(result)
    expect(page.get_by_role("heading", level=1)).to_have_text("This result is gone")
    for part in ("Llama-3.1-8B", owner, reason):
        expect(page.locator("main")).to_contain_text(part)


def status(page, path):
    return page.request.get(path).status


def api_of(result):
    return result.replace("/results/", "/api/benchmarks/").rstrip("/")


def addresses_of_a_draft(page):
    """The pages and files of the draft in view, and the same by API."""
    results = [link.get_attribute("href") for link in page.locator(".preview h2 a").all()]
    files = [link.get_attribute("href") for link in page.locator("a[href*='/files/']").all()]
    draft = urlsplit(page.url).path
    assert len(results) == len(files) == 3
    api = [api_of(path) for path in results] + [f"/api{draft}".rstrip("/")]
    return SimpleNamespace(pages=[draft, *results, *files], api=api)
