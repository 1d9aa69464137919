"""JSON from strangers."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemsite.lib.strict_json import BadJson, loads

BAD = {
    "depth": b"[" * 100_000,
    "closed depth": b"[" * 60 + b"]" * 60,
    "depth of objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "positive infinity": b"1e400",
    "negative infinity": b"-1e999",
    "NaN": b"NaN",
    "Infinity": b"[Infinity]",
    "NUL": b'"\\u0000"',
    "half a surrogate pair": b'"\\ud800"',
    "NUL in a key": b'{"a\\u0000":1}',
    "key twice": b'{"a":1,"a":2}',
    "5000 digits": b"9" * 5000,
    "beyond 64 bits": b"9223372036854775808",
    "bad UTF-8": b'"\xff"',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "too many values": b"[" + b"1," * 60_000 + b"1]",
    "long key": b'{"' + b"k" * 201 + b'":1}',
    "too large": b'"' + b"x" * (1 << 20) + b'"',
    "trailing text": b"{}x",
    "empty": b"",
    "blank": b"  \n",
    "unterminated": b'["',
    "quote and backslash again and again": b'"\\' * 500_000,
    "one string of backslashes": b'"' + b"\\" * 999_999,
    "strings that open strings": b'["\\",' * 150_000,
}
GOOD = st.characters(codec="utf-8", exclude_characters="\x00")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(GOOD, max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(GOOD, max_size=20), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("name", BAD)
def test_bad_json_is_refused(name):
    with pytest.raises(BadJson) as caught:
        loads(BAD[name])

    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x89PNG\r\n", "a PNG picture"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1", "a Parquet file"),
        (b"<html>", "HTML"),
        (b'{"a": 1', "ends in the middle"),
        (b'{"a": "b', "ends in the middle"),
        (b'{"a" 1}', "line 1, column 6"),
        (b"", "empty"),
    ],
)
def test_refusal_says_what_is_wrong(raw, why):
    with pytest.raises(BadJson, match=why):
        loads(raw)


@pytest.mark.parametrize(
    "value", [{}, [], 1.5, "é", {"a": [1, {"b": None}]}, "[[[[" * 100, 'quote " [ { ', "\\", 2**63 - 1, True, "😀"]
)
def test_good_json_comes_back(value):
    assert loads(json.dumps(value).encode()) == value


def test_brackets_inside_strings_do_not_count():
    assert loads(json.dumps(["[" * 500, '"{' * 500]).encode())


def test_limits_are_the_callers():
    assert loads(b"[[1,2]]", max_bytes=7, max_depth=2, max_nodes=3) == [[1, 2]]
    with pytest.raises(BadJson, match="6 bytes"):
        loads(b"[[1,2]]", max_bytes=6)
    with pytest.raises(BadJson, match="1 levels"):
        loads(b"[[1,2]]", max_depth=1)
    with pytest.raises(BadJson, match="2 values"):
        loads(b"[[1,2]]", max_nodes=2)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_every_good_value_comes_back(value):
    assert loads(json.dumps(value).encode()) == value


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200) | st.text('[]{}",:0123456789eE.+-\\utrfalsn ', max_size=80).map(str.encode))
def test_nothing_but_bad_json_is_raised(raw):
    try:
        loads(raw)
    except BadJson:
        return
