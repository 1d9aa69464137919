"""Live pages in Chromium. The socket is ours, so that each frame comes when the test says so."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from tests.runs.factories import START, EvalScoreFactory, LaneFactory, RunFactory, ended, race, store, tick

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
SOCKET = re.compile(r"/ws/runs/")
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.shifts.push(...entry.sources.map(({ node }) => node?.outerHTML ?? node?.data ?? "?"));
  }
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.fixture
def sockets(page):
    """The page's sockets in the order in which it opened them; `send` reaches the newest."""

    class Sockets(list):
        def send(self, **frame):
            self[-1].send(json.dumps(frame))

        def events(self, run, *events):
            store(run, *events)
            self.send(type="events", run=run.key, seq=run.last_seq, events=events)

    opened = Sockets()
    page.route_web_socket(SOCKET, lambda socket: opened.append(socket))
    return opened


def now_tick(run, **fields):
    """An event of this moment."""
    return tick(at=(timezone.now() - START).total_seconds(), **fields)


def shown(page):
    """All texts and marks of the cards, as a reader has them before them."""
    return page.evaluate(
        """() => [...document.querySelectorAll("[data-lanes] [data-lane]")].map((lane) => [
          lane.className, lane.dataset.state, lane.querySelector("[data-gauge]").getAttribute("width"),
          lane.querySelector("[data-spark]").getAttribute("d"), lane.querySelector("[data-hot]").className,
          ...[...lane.querySelectorAll("[data-value]")].map((element) => element.textContent)])"""
    )


def open_live(page, run):
    page.goto(f"/live/?run={run.key}")
    expect(page.locator("[data-live]")).to_be_visible()


def wait_for_socket(page, sockets, amount=1):
    for _ in range(100):
        if len(sockets) >= amount:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(sockets)} sockets were opened")


def test_events_move_the_numbers_and_a_reload_shows_the_same(page, sockets):
    run = race(seconds=20)
    open_live(page, run)
    wait_for_socket(page, sockets)
    assert sockets[0].url.endswith(f"/ws/runs/{run.key}/?after=60")

    for step in range(4):
        fields = {"latencyMs": 30 + step, "powerW": 333.3, "vramUsedMB": 71_500.0 + step}
        fields |= {"energyJ": 40.0, "outputTokens": 30} if step == 2 else {}
        sockets.events(
            run,
            now_tick(run, gpuId="A100", tokenPerSec=1234.5 + step, evalProgressIdx=5, **fields),
            now_tick(run, gpuId="A6000", tokenPerSec=29.95, useCase="qa", evalTotal=1200, evalProgressIdx=1100),
        )
        page.wait_for_timeout(300)
    expect(page.locator('[data-lane="A100"] [data-value=tokens_per_s]')).to_have_text("1,238")
    expect(page.locator('[data-lane="A100"] [data-leader]')).to_be_visible()
    by_script = shown(page)
    open_live(page, run)

    assert shown(page) == by_script


def test_a_card_that_changes_moves_nothing(page, sockets):
    run = race(seconds=20)
    page.add_init_script(SHIFTS)
    open_live(page, run)
    wait_for_socket(page, sockets)
    page.evaluate("shifts.length = 0")

    for rate in (9.0, 99.0, 999.0, 140.0):
        sockets.events(run, now_tick(run, tokenPerSec=rate, powerW=rate * 3, latencyMs=40_000 / rate))
        page.wait_for_timeout(250)

    assert page.evaluate("shifts") == []


def test_a_lane_that_nobody_announced_gets_a_card(page, sockets):
    run = RunFactory(started_at=timezone.now())
    open_live(page, run)
    expect(page.get_by_text("No lane has reported yet")).to_be_visible()
    wait_for_socket(page, sockets)

    sockets.events(run, now_tick(run, gpuId="<b>new</b>"), now_tick(run, gpuId="other", tokenPerSec=10.0))

    expect(page.get_by_role("heading", level=3)).to_have_text(["<b>new</b>", "other"])
    expect(page.locator("[data-state-words]")).to_have_text("Streaming")
    expect(page.get_by_text("No lane has reported yet")).to_have_count(0)


def test_silence_shows_after_ten_seconds_and_ends_with_the_next_event(page, sockets):
    run = race(seconds=20)
    page.clock.install()
    open_live(page, run)
    wait_for_socket(page, sockets)

    page.clock.fast_forward(12_000)
    expect(page.locator("[data-state-words]")).to_have_text("Stalled: no event for 10 s")
    expect(page.locator('[data-lane][data-state="stalled"]')).to_have_count(3)

    sockets.events(run, now_tick(run, gpuId="H100"))
    page.clock.fast_forward(1_500)
    expect(page.locator("[data-state-words]")).to_have_text("Streaming")


def test_the_viewers_are_counted(page, sockets):
    open_live(page, run := race(seconds=5))
    wait_for_socket(page, sockets)

    sockets.send(type="viewers", run=run.key, count=1041)

    expect(page.locator("[data-viewers]")).to_have_text(", 1,041 watching")


def test_a_page_that_fell_behind_fetches_the_state_and_goes_on_behind_it(page, sockets):
    run = race(seconds=5)
    open_live(page, run)
    wait_for_socket(page, sockets)
    store(run, now_tick(run, gpuId="H100", tokenPerSec=77.0))

    sockets.send(type="resync")

    expect(page.locator('[data-lane="H100"] [data-value=tokens_per_s]')).to_have_text("77.0")
    wait_for_socket(page, sockets, 2)
    assert sockets[1].url.endswith("?after=16")
    sockets.events(run, now_tick(run, gpuId="H100", tokenPerSec=88.0))
    expect(page.locator('[data-lane="H100"] [data-value=tokens_per_s]')).to_have_text("88.0")


def test_a_lost_socket_comes_back_behind_the_last_event(page, sockets):
    run = race(seconds=5)
    open_live(page, run)
    wait_for_socket(page, sockets)
    sockets.events(run, now_tick(run, gpuId="H100"))
    expect(page.locator('[data-lane="H100"] [data-value=tokens_per_s]')).to_have_text("100.0")

    sockets[0].close(code=1012)

    wait_for_socket(page, sockets, 2)
    assert sockets[1].url.endswith("?after=16")


def test_without_sockets_the_page_fetches_itself(page):
    run = race(seconds=5)
    page.route_web_socket(SOCKET, lambda socket: socket.close(code=1011))
    open_live(page, run)
    store(run, now_tick(run, gpuId="H100", tokenPerSec=55.0))

    expect(page.locator('[data-lane="H100"] [data-value=tokens_per_s]')).to_have_text("55.0")


def test_the_end_of_a_run_brings_its_closing_state(page, sockets):
    run = race(seconds=20)
    open_live(page, run)
    wait_for_socket(page, sockets)

    ended(run)
    sockets.send(type="run", run={"id": run.key, "endedAt": "2026-05-01T12:00:00.000Z"})

    expect(page.locator("[data-state-words]")).to_have_text("Finished")
    expect(page.locator('[data-lane="H100"] [data-value=rate_unit]')).to_have_text("tok/s on average")
    expect(page.get_by_role("link", name="Replay")).to_be_visible()


def test_the_front_page_shows_the_live_run_in_a_line_that_was_there_before(page, results):
    race(seconds=5, label="Nightly race")
    page.add_init_script(SHIFTS)

    page.goto("/")

    expect(page.get_by_role("link", name="Live now: Nightly race")).to_be_visible()
    expect(page.locator(".live-strip")).to_contain_text("A6000")
    assert not [shift for shift in page.evaluate("shifts") if "live-strip" in shift or "main" in shift[:20]]


def test_the_front_page_stays_quiet_without_a_live_run(page, results):
    with page.expect_response("**/live/strip/") as answer:
        page.goto("/")

    assert answer.value.status == 204
    expect(page.locator(".live-strip")).to_contain_text("GPU lanes side by side")


def test_without_scripts_every_page_is_complete(open_page):
    run = race(seconds=5, label="Nightly race")
    page = open_page(viewport=DESK, java_script_enabled=False)

    page.goto("/live/")
    expect(page.locator('[data-lane="H100"] [data-value=tokens_per_s]')).to_have_text("144.0")
    page.get_by_role("link", name="Reload").click()
    page.get_by_role("link", name="Charts and events").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nightly race")
    page.locator(".charts summary").first.click()
    expect(page.locator(".charts table").first).to_be_visible()
    page.goto(f"/runs/{run.key}/replay/")
    expect(page.get_by_text("A replay needs JavaScript")).to_be_visible()


def test_charts_are_drawn_with_one_line_per_lane_and_zoom_together(page):
    run = ended(race(seconds=60))
    page.goto(f"/runs/{run.key}/")
    expect(page.locator(".u-wrap")).to_have_count(5)
    expect(page.locator(".u-legend").first.locator(".u-series")).to_have_count(4)
    whole = page.get_by_role("button", name="Whole run")
    expect(whole).to_be_disabled()

    second = page.locator(".u-over").nth(1)
    second.scroll_into_view_if_needed()
    box = second.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    expect(page.locator(".u-legend").nth(3).locator(".u-value").first).to_have_text(re.compile(r"0:\d\d"))
    page.mouse.up()

    expect(whole).to_be_enabled()
    whole.click()
    expect(whole).to_be_disabled()


def test_a_chart_fits_a_phone(open_page):
    run = ended(race(seconds=60))
    page = open_page(viewport=PHONE)

    page.goto(f"/runs/{run.key}/")

    expect(page.locator(".u-wrap")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_series_that_cannot_be_loaded_leave_the_tables(page, provoked):
    provoked.append("503")
    run = ended(race(seconds=5))
    page.route("**/series.json", lambda route: route.fulfill(status=503))

    page.goto(f"/runs/{run.key}/")

    expect(page.get_by_text("The series could not be loaded")).to_be_visible()


def test_a_replay_plays_seeks_and_pauses(page):
    run = ended(race(seconds=60))
    page.goto(f"/runs/{run.key}/replay/")
    rate = page.locator('[data-lane="H100"] [data-value=tokens_per_s]')
    expect(rate).to_have_text("140.0")
    expect(page.locator("[data-clock]")).to_have_text("0:00 of 0:59")

    page.get_by_label("60x").check()
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-replay-state]")).to_have_text("At the end")
    expect(rate).to_have_text("144.0")

    page.get_by_label("Position, in seconds").fill("31")
    expect(rate).to_have_text("141.0")
    expect(page.locator("[data-clock]")).to_have_text("0:31 of 0:59")
    page.get_by_label("1x", exact=True).check()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-replay-state]")).to_have_text("Paused")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_no_page_of_runs_has_an_accessibility_fault_or_scrolls_sideways(open_page, theme, size):
    live = race(seconds=20, label="Nightly race")
    over = ended(race(seconds=20, label="Trial " * 20, is_simulated=True))
    EvalScoreFactory(run=over)
    LaneFactory(run=RunFactory(key="waiting"), name="a-very-long-name-of-a-lane-that-does-not-break" * 3)
    page = open_page(viewport=size, color_scheme=theme)
    page.route_web_socket(SOCKET, lambda socket: None)
    faults = []
    paths = [f"/live/?run={run}" for run in (live.key, over.key, "waiting")]
    paths += [f"/runs/{over.key}/", f"/runs/{over.key}/replay/", "/runs/?simulated=on", "/runs/?q=none"]
    paths += ["/compare/", "/compare/?simulated=on"]

    for path in paths:
        assert page.goto(path, wait_until="networkidle").status == 200
        found = Axe().run(page, options={"preload": False}).response["violations"]
        faults += [f"{path}: {fault['id']} {fault['nodes'][0]['html']}" for fault in found]
        faults += [path] * page.evaluate("document.documentElement.scrollWidth > innerWidth")

    assert faults == []
