"""Each known cheat is refused, asked for or shown as it ought to be, and its honest twin is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.attacks.cheating import Verdict, said, wrongly_held
from benchmarks.attacks.cheats import CHEATS

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
BY_NAME = {cheat.name: cheat for cheat in CHEATS}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_cheat_is_answered_as_it_should_be(name):
    assert said(BY_NAME[name]) is BY_NAME[name].verdict


@pytest.mark.parametrize("name", BY_NAME)
def test_the_honest_twin_of_a_cheat_is_neither_refused_nor_asked_for(name):
    assert wrongly_held(BY_NAME[name]) == ()


def test_what_no_check_sees_is_named_in_the_documentation():
    unseen = [cheat.name for cheat in CHEATS if cheat.verdict is Verdict.UNSEEN]

    assert [name for name in unseen if name not in DOCS] == []
