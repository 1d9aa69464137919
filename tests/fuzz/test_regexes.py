"""Every regular expression of the site takes hostile text in time that grows with its length, and no faster."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
import time

import pytest

PACKAGES = ("lemsite", "accounts", "leaderboard", "runs", "jobs")
#: what patterns look for, and what nearly is it
PIECES = (
    "a", "A", "0", "9.", " ", "\t", "\n", "/", "\\", ".", "-", "_", "=", ":", "@", '"', "'", "`", "<", "(", "[", "{",
    "#", "%",
    ",", ";", "!", "aA", "a ", "a.", "a-", "a:", "a@", "://", "a://a@", "/a", "\\a", "C:\\", "/home/", "Bearer ",
    "key=", "GPU-",
    "\x1b[", "\x1b]", "version:", "P1D", "1-1,", "bytes=", "é", "\u202e", "lem_0", "0x", '"\\', "a\n", "aa-", "0.0.",
    "::", "a=b ",
)  # fmt: skip
SMALL, TIMES = 400, 8
#: a quadratic one grows 64 times as text grows 8 times
MOST_GROWTH = 3 * TIMES
#: of processor time, below which nothing can be told from noise
FLOOR_S = 0.01


def patterns():
    found: dict[re.Pattern, str] = {}
    for package in PACKAGES:
        for module in _modules(importlib.import_module(package)):
            for name, value in vars(module).items():
                for place, one in enumerate(value if isinstance(value, tuple) else (value,)):
                    if isinstance(one, re.Pattern):
                        found.setdefault(one, f"{module.__name__}.{name}[{place}]")
    return found


def _modules(package):
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name and ".management" not in found.name:
            yield importlib.import_module(found.name)


@pytest.fixture(scope="module")
def known():
    return patterns()


def test_work_grows_with_the_length_of_the_text_alone(known):
    slow = [
        f"{name}: {one.pattern[:80]!r} on {piece!r}: {growth:.0f} times the work for {TIMES} times the text"
        for one, name in known.items()
        for piece in PIECES
        if (growth := _growth(one, piece)) > MOST_GROWTH
    ]

    assert len(known) > 30
    assert slow == []


def _growth(pattern, piece):
    long = _least_s(pattern, piece * (SMALL * TIMES), 1)
    if long < FLOOR_S:
        return 0.0
    return _least_s(pattern, piece * (SMALL * TIMES), 3) / max(_least_s(pattern, piece * SMALL, 3), 1e-6)


def _least_s(pattern, text, repeats):
    given = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
    spent = []
    for _ in range(repeats):
        began = time.thread_time()
        pattern.fullmatch(given)
        # What nearly fits is tried again at each place.
        sum(1 for _ in itertools.islice(pattern.finditer(given), 100_000))
        spent.append(time.thread_time() - began)
    return min(spent)
