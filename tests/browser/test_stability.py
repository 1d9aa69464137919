"""Nothing jumps: the four pages that most people see, loaded and used, shift less than the eye notices."""

import json
import re

import pytest

from benchmarks.vitals.audit import ACT_SETTLE_MS, OBSERVER
from benchmarks.vitals.pages import audited, do
from tests.browser.test_pages import DESK, PHONE, accessibility_faults
from tests.runs.factories import race

pytestmark = pytest.mark.browser

MOST_CLS = 0.02


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_pages_that_most_see_neither_jump_nor_fail_axe(open_page, results, size):
    race(seconds=20)
    page = open_page(viewport=size)
    page.add_init_script(OBSERVER)
    viewers = json.dumps({"type": "viewers", "count": 1041})
    page.route_web_socket(re.compile(r"/ws/runs/"), lambda socket: socket.send(viewers))
    faults = []
    for each in audited(f"/results/{results[0].pk}/"):
        page.goto(each.path, wait_until="networkidle" if each.path == "/analysis/" else "load")
        done = sum(do(page, act, ACT_SETTLE_MS // 2) for act in each.acts)
        seen = page.evaluate("window.__vitals")
        faults += accessibility_faults(page)
        if seen["cls"] >= MOST_CLS:
            faults.append(f"{each.path} shifts by {seen['cls']:.3f}: {sorted(seen['shifts'], reverse=True)[:3]}")
        assert done >= 2, each.path

    assert faults == []
