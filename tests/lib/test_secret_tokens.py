import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemsite.lib import secret_tokens

PUBLISHED = re.compile(r"\bgp[ae]_[0-9A-Za-z]{36}\b")


def test_ten_thousand_secrets_are_well_formed_and_differ():
    made = {secret_tokens.make("gpa") for _ in range(10_000)}

    assert len(made) == 10_000
    assert all(PUBLISHED.fullmatch(plain) and secret_tokens.is_well_formed(plain, "gpa") for plain in made)


@given(place=st.integers(0, 39), other=st.sampled_from(secret_tokens.ALPHABET + "_-é"))
def test_a_changed_character_is_noticed(place, other):
    plain = secret_tokens.make("gpa")
    changed = plain[:place] + other + plain[place + 1 :]

    assert secret_tokens.is_well_formed(changed, "gpa") == (changed == plain)


@given(st.text(max_size=60))
def test_any_text_is_looked_at_without_a_fault(text):
    assert not secret_tokens.is_well_formed(text, "gpa")


def test_a_secret_of_another_kind_is_refused():
    assert not secret_tokens.is_well_formed(secret_tokens.make("gpe"), "gpa")


@pytest.mark.parametrize("ending", ["\n", " ", "x"])
def test_nothing_may_follow(ending):
    assert not secret_tokens.is_well_formed(secret_tokens.make("gpa") + ending, "gpa")
