"""Scores of a page as Lighthouse 10 and later give them. Pure arithmetic.

Weights and control points: https://developer.chrome.com/docs/lighthouse/performance/performance-scoring and, in
GoogleChrome/lighthouse, core/config/default-config.js (weights), core/audits/metrics/*.js (`p10`, `median`) and
shared/statistics.js (the curve). The Speed Index needs a film of the page and is left out; the weights of the other
four are scaled up to 100.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

WEIGHTS = {"fcp_ms": 10, "lcp_ms": 25, "tbt_ms": 30, "cls": 25}
#: value at the score 0.9, value at the score 0.5
CURVES: dict[str, dict[str, tuple[float, float]]] = {
    "desktop": {"fcp_ms": (934, 1600), "lcp_ms": (1200, 2400), "tbt_ms": (150, 350), "cls": (0.1, 0.25)},
    "mobile": {"fcp_ms": (1800, 3000), "lcp_ms": (2500, 4000), "tbt_ms": (200, 600), "cls": (0.1, 0.25)},
}
#: inverse of the complementary error function at a fifth
INVERSE_ERFC_ONE_FIFTH = 0.9061938024368232
#: axe-core's rules that Lighthouse counts, by what each weighs
_RULES = {
    10: "aria-allowed-attr aria-hidden-body aria-required-attr aria-required-children aria-required-parent aria-roles "
    "aria-valid-attr-value aria-valid-attr button-name duplicate-id-aria image-alt input-button-name input-image-alt "
    "label meta-refresh meta-viewport select-name video-caption",
    7: "accesskeys aria-command-name aria-conditional-attr aria-dialog-name aria-hidden-focus aria-input-field-name "
    "aria-meter-name aria-progressbar-name aria-prohibited-attr aria-text aria-toggle-field-name aria-tooltip-name "
    "aria-treeitem-name bypass color-contrast definition-list dlitem document-title frame-title html-has-lang "
    "html-lang-valid link-in-text-block link-name list listitem object-alt tabindex target-size td-headers-attr "
    "th-has-data-cells valid-lang",
    3: "form-field-multiple-labels heading-order html-xml-lang-mismatch landmark-one-main skip-link",
    1: "aria-deprecated-role autocomplete-valid presentation-role-conflict svg-img-alt",
}
RULE_WEIGHTS = {rule: weight for weight, rules in _RULES.items() for rule in rules.split()}


def curve(value: float, p10: float, median: float) -> float:
    """1 at zero, 0.9 at `p10`, 0.5 at `median`, towards 0 beyond: one minus a log-normal distribution."""
    if value <= 0:
        return 1.0
    return math.erfc(math.log(value / median) * INVERSE_ERFC_ONE_FIFTH / math.log(median / p10)) / 2


def performance(metrics: Mapping[str, float], form: str) -> float:
    """0 to 100, from `fcp_ms`, `lcp_ms`, `tbt_ms` and `cls`; `form` is `desktop` or `mobile`."""
    points = CURVES[form]
    total = sum(weight * curve(metrics[name], *points[name]) for name, weight in WEIGHTS.items())
    return 100 * total / sum(WEIGHTS.values())


def accessibility(passed: Collection[str], violated: Collection[str]) -> float:
    """0 to 100, from the rules of axe-core that had something to judge on the page."""
    good = sum(RULE_WEIGHTS.get(rule, 0) for rule in passed if rule not in violated)
    bad = sum(RULE_WEIGHTS.get(rule, 0) for rule in violated)
    return 100 * good / (good + bad) if good + bad else 100.0
