"""The audit of pages: its scores are Lighthouse's, and it can do on each page what it says."""

import pytest

from benchmarks.vitals.__main__ import misses
from benchmarks.vitals.audit import WINDOWS, Audit
from benchmarks.vitals.pages import audited
from benchmarks.vitals.scores import CURVES, accessibility, curve, performance

NOTHING = {"fcp_ms": 0.0, "lcp_ms": 0.0, "tbt_ms": 0.0, "cls": 0.0}


@pytest.mark.parametrize("form", CURVES)
def test_the_curve_goes_through_its_two_points(form):
    for p10, median in CURVES[form].values():
        assert curve(0, p10, median) == 1
        assert curve(p10, p10, median) == pytest.approx(0.9)
        assert curve(median, p10, median) == pytest.approx(0.5)
        assert curve(100 * median, p10, median) < 0.001


def test_a_page_is_scored_by_its_weights():
    assert performance(NOTHING, "desktop") == 100
    assert performance(NOTHING | {"lcp_ms": 2400}, "desktop") == pytest.approx(100 - 0.5 * 25 / 90 * 100)
    assert performance(NOTHING | {"tbt_ms": 200}, "mobile") == pytest.approx(100 - 0.1 * 30 / 90 * 100)


def test_accessibility_is_weighed_by_rule():
    assert accessibility({"label", "tabindex"}, set()) == 100
    assert accessibility({"label", "tabindex"}, {"heading-order"}) == pytest.approx(100 * 17 / 20)
    assert accessibility({"label"}, {"region"}) == 100
    assert accessibility(set(), set()) == 100


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"metrics": NOTHING | {"lcp_ms": 1500.0}}, ["LCP"]),
        ({"metrics": NOTHING | {"cls": 0.02}}, ["CLS"]),
        ({"inp_ms": 200.0}, ["INP"]),
        ({"metrics": NOTHING | {"tbt_ms": 2000.0}}, ["performance"]),
        ({"violations": ["label: <input>"], "accessibility": 94.0}, ["accessibility", "axe"]),
    ],
    ids=["none", "lcp", "cls", "inp", "tbt", "axe"],
)
def test_what_misses_its_aim_is_named(changes, missed):
    found = Audit("/", WINDOWS[0], **{"metrics": NOTHING} | changes)

    assert misses(found) == missed


def test_four_pages_are_used_as_well_as_loaded():
    pages = audited("/results/1/")

    assert [page.path for page in pages] == ["/", "/results/1/", "/live/", "/analysis/"]
    assert all(len(page.acts) >= 3 for page in pages)
