"""Secrets in a stream, however it is cut."""

import base64
import json
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuagent.host.masking import Mask

TOKEN = 'gpa_0123456789"abc/def+xyz'


def masked(secrets, *pieces):
    mask = Mask(secrets)
    return b"".join(mask.feed(piece) for piece in pieces) + mask.feed(b"", last=True)


@pytest.mark.parametrize(
    "form",
    [TOKEN, quote(TOKEN, safe=""), json.dumps(TOKEN)[1:-1], base64.b64encode(TOKEN.encode()).decode().rstrip("=")],
    ids=["plain", "quoted", "json", "base64"],
)
def test_every_form_of_a_secret_is_replaced(form):
    assert masked([TOKEN], f"a {form} b".encode()) == b"a *** b"


def test_a_secret_in_two_pieces_does_not_leave_in_pieces():
    mask = Mask(["abcdefgh"])

    first = mask.feed(b"x abcd")

    assert first == b"x "
    assert mask.feed(b"efgh y", last=True) == b"*** y"


def test_a_longer_secret_that_begins_before_a_shorter_one_wins_however_it_is_cut():
    secrets = ["ab123456Z", "123456"]

    assert masked(secrets, b"ab123456", b"Z!") == masked(secrets, b"ab123456Z!") == b"***!"


def test_short_secrets_are_left_alone():
    assert masked(["abc", ""], b"abc") == b"abc"


def test_a_secret_that_is_learnt_later_is_replaced_from_there():
    mask = Mask([])
    mask.learn(["secret-token"])

    assert mask.feed(b"secret-token", last=True) == b"***"


@given(
    secrets=st.lists(st.text("ab01", min_size=6, max_size=9), max_size=3),
    text=st.text("ab01 ", max_size=60).map(str.encode),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_what_leaves_depends_on_the_bytes_and_not_on_how_they_were_cut(secrets, text, cuts):
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]

    assert masked(secrets, *pieces) == masked(secrets, text)


@given(secret=st.text("abc", min_size=6, max_size=8), before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_no_secret_is_ever_left(secret, before, after):
    assert secret.encode() not in masked([secret], before, secret.encode(), after).replace(b"***", b"\0")
